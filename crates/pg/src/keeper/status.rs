//! How loading went, for readiness, metrics and logs.

use std::time::{Duration, Instant};

use passerelle_catalog::CatalogSize;

/// State of the catalogue and of the connection that watches over it.
#[derive(Clone, Debug, Default)]
pub struct KeeperStatus {
    /// The control connection is up.
    pub connected: bool,
    /// The last attempt to connect failed because the password is wrong.
    pub rejected: bool,
    /// A catalogue is being loaded.
    pub loading: bool,
    /// Version of the catalogue, zero before the first.
    pub version: u64,
    /// When it was loaded.
    pub loaded_at: Option<Instant>,
    /// How long that took.
    pub load_duration: Duration,
    /// How much it holds.
    pub size: CatalogSize,
    /// Catalogues loaded so far.
    pub loads: u64,
    /// Attempts to connect or to load that failed.
    pub failures: u64,
    /// Why the last attempt failed, if it did. Not for clients.
    pub last_error: Option<String>,
}

impl KeeperStatus {
    /// There is a catalogue, and the last attempt to load one succeeded.
    pub fn is_ready(&self) -> bool {
        self.version > 0 && self.last_error.is_none()
    }
}
