//! Whether Redis is there: counted over all connections, told once per change.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How often a complaint of Redis is repeated in the log.
const REPEAT: Duration = Duration::from_mins(1);

/// What all connections of a store know of Redis.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// Connections that are looking for it.
    away: AtomicUsize,
    refusals: AtomicU64,
    complained: Mutex<Option<Instant>>,
}

/// One connection's word on it; gone with the connection's keeper.
#[derive(Debug)]
pub(crate) struct Sighting {
    presence: std::sync::Arc<Presence>,
    away: bool,
}

impl Presence {
    /// Whether all connections have it.
    pub(crate) fn is_there(&self) -> bool {
        self.away.load(Ordering::Relaxed) == 0
    }

    /// Commands that it refused.
    pub(crate) fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }

    /// A command was refused, by a server that is there.
    pub(crate) fn refused(&self, error: &redis::RedisError) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        let Ok(mut complained) = self.complained.lock() else {
            return;
        };
        if complained.is_none_or(|since| now.duration_since(since) >= REPEAT) {
            *complained = Some(now);
            tracing::warn!(%error, "Redis refuses commands");
        }
    }
}

impl Sighting {
    pub(crate) fn new(presence: std::sync::Arc<Presence>) -> Self {
        Self {
            presence,
            away: false,
        }
    }

    /// This connection is lost, or was not to be had.
    pub(crate) fn lost(&mut self, reason: &dyn std::fmt::Display) {
        if !std::mem::replace(&mut self.away, true)
            && self.presence.away.fetch_add(1, Ordering::Relaxed) == 0
        {
            tracing::warn!(%reason, "Redis is away; this process goes on by itself");
        }
    }

    /// This connection works.
    pub(crate) fn found(&mut self) {
        if std::mem::replace(&mut self.away, false)
            && self.presence.away.fetch_sub(1, Ordering::Relaxed) == 1
        {
            tracing::info!("Redis is back");
        }
    }
}

impl Drop for Sighting {
    fn drop(&mut self) {
        if self.away {
            self.presence.away.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
