//! What the configuration says about the surface.

use std::sync::Arc;
use std::time::Duration;

use passerelle_identity::Verifier;
use passerelle_surface::{HttpLimits, RateLimitSettings};

/// How the surface behaves.
#[derive(Clone)]
pub struct RealtimeSettings {
    /// The path of the surface.
    pub prefix: String,
    /// Where functions that policies call find what they name without a schema, as PostgreSQL writes it.
    pub search_path: String,
    /// Who verifies tokens.
    pub verifier: Arc<Verifier>,
    /// Channels of one socket at most.
    pub channels: usize,
    /// Joins of one socket per second.
    pub joins: u32,
    /// Messages of one socket per second.
    pub messages: u32,
    /// Bytes that one socket sends per second.
    pub bytes: u32,
    /// Bytes of one message.
    pub payload_bytes: usize,
    /// Messages that wait for a slow reader.
    pub queue_messages: usize,
    /// Bytes that wait for a slow reader.
    pub queue_bytes: usize,
    /// How long a socket may be silent.
    pub silence: Duration,
    /// Whether everybody who may see a table is told the keys of rows that are deleted, where policies cannot be asked.
    pub tells_deleted_keys: bool,
    /// Bounds on requests.
    pub http_limits: HttpLimits,
    /// How many requests a caller may make: sockets count as reads, broadcasts as writes.
    pub rate_limits: Option<RateLimitSettings>,
}

impl std::fmt::Debug for RealtimeSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RealtimeSettings")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
