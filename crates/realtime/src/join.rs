//! What a client wants that joins a channel.

use serde::Deserialize;

/// The payload of `phx_join`. Unknown members are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Join {
    pub(crate) config: JoinConfig,
    pub(crate) access_token: Option<String>,
}

/// What is to be heard and said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct JoinConfig {
    pub(crate) broadcast: BroadcastConfig,
    pub(crate) presence: PresenceConfig,
    pub(crate) postgres_changes: Vec<BindingConfig>,
    pub(crate) private: bool,
}

/// Of broadcasts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct BroadcastConfig {
    /// Whether the server says that it has got them.
    pub(crate) ack: bool,
    /// Whether the sender hears its own.
    #[serde(rename = "self")]
    pub(crate) own: bool,
    pub(crate) replay: Option<Replay>,
    pub(crate) replication_ready: bool,
}

/// What was said before.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Replay {
    /// Milliseconds since 1970.
    pub(crate) since: i64,
    pub(crate) limit: Option<i32>,
}

/// Of presences.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PresenceConfig {
    pub(crate) key: String,
    /// Older clients do not say; then it is wanted where there is a key or something is tracked.
    pub(crate) enabled: Option<bool>,
}

/// Of changes of rows.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(crate) struct BindingConfig {
    pub(crate) event: String,
    pub(crate) schema: String,
    pub(crate) table: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) select: Option<Vec<String>>,
}
