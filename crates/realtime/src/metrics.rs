//! What is counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of the surface.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) sockets: AtomicU64,
    pub(crate) channels: AtomicU64,
    pub(crate) joins: AtomicU64,
    received: AtomicU64,
    delivered: AtomicU64,
    asked: AtomicU64,
    slow: AtomicU64,
}

/// How the surface is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RealtimeCounts {
    /// Open sockets.
    pub sockets: u64,
    /// Joined channels.
    pub channels: u64,
    /// Channels that were joined so far.
    pub joins: u64,
    /// Channels that follow changes of rows.
    pub subscriptions: u64,
    /// Different channels.
    pub topics: u64,
    /// Messages from clients so far.
    pub received: u64,
    /// Messages to clients so far, but for replies.
    pub delivered: u64,
    /// Statements that have asked policies about changes so far.
    pub asked: u64,
    /// Sockets that were closed because they read too slowly.
    pub slow: u64,
    /// Changes of rows so far.
    pub changes: u64,
    /// Whether changes of rows come.
    pub is_following: bool,
}

impl Metrics {
    pub(crate) fn received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn delivered(&self, count: u64) {
        self.delivered.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn slow(&self) {
        self.slow.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> RealtimeCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RealtimeCounts {
            sockets: read(&self.sockets),
            channels: read(&self.channels),
            joins: read(&self.joins),
            received: read(&self.received),
            delivered: read(&self.delivered),
            asked: read(&self.asked),
            slow: read(&self.slow),
            ..RealtimeCounts::default()
        }
    }
}
