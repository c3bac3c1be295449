//! What gateways write to one another.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::presence::{Diff, Entries};
use crate::topic::Name;

/// A message between gateways.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Letter<W = What> {
    /// Who sends it.
    #[serde(rename = "g")]
    pub(super) gateway: u64,
    /// How many letters about presences it has sent, this one included: who misses one sees it at the next letter of any kind.
    #[serde(rename = "n")]
    pub(super) number: u64,
    pub(super) what: W,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) enum What {
    /// Something is said on a channel.
    Say {
        t: String,
        p: bool,
        e: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        json: Option<Box<RawValue>>,
        /// Base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        raw: Option<String>,
        #[serde(default)]
        m: String,
    },
    /// Presences have changed.
    Diff {
        t: String,
        p: bool,
        d: Diff,
    },
    /// An account of all presences begins. Each has a greater number than the last.
    Begin {
        account: u64,
    },
    /// Some presences of a channel, as part of an account.
    State {
        t: String,
        p: bool,
        s: Entries,
    },
    /// An account is complete.
    End {
        account: u64,
    },
    /// Somebody has missed something of a gateway, and wants an account of it.
    Ask {
        of: u64,
    },
    /// Somebody wants to know who is there.
    Hello,
    /// The answer, and a sign of life.
    Beat,
    Bye,
}

impl What {
    /// Whether presences are not known without it.
    pub(super) fn is_about_presences(&self) -> bool {
        matches!(
            self,
            Self::Diff { .. } | Self::Begin { .. } | Self::State { .. } | Self::End { .. }
        )
    }
}

pub(super) fn name(name: String, is_private: bool) -> Name {
    Name {
        name: name.into(),
        is_private,
    }
}
