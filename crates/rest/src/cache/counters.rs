//! How often replies were handed out.

use std::sync::atomic::{AtomicU64, Ordering};

use passerelle_catalog::QualifiedName;

/// Counts, of one table or function.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    hits: AtomicU64,
    stale: AtomicU64,
    misses: AtomicU64,
    bypasses: AtomicU64,
}

/// The counts of a table or function since the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableCounters {
    /// The table, view or function.
    pub name: QualifiedName,
    /// Requests that were answered with a reply that was kept.
    pub hits: u64,
    /// Requests that were answered with one that was not right any more, while it was asked for anew.
    pub stale: u64,
    /// Requests that the database was asked for.
    pub misses: u64,
    /// Requests that could not be answered from the cache, nor fill it.
    pub bypasses: u64,
}

/// What the cache did for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Hit,
    Stale,
    Miss,
    Bypass,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
        }
    }
}

impl Counters {
    pub(crate) fn count(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Hit => &self.hits,
            Outcome::Stale => &self.stale,
            Outcome::Miss => &self.misses,
            Outcome::Bypass => &self.bypasses,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self, name: &QualifiedName) -> TableCounters {
        TableCounters {
            name: name.clone(),
            hits: self.hits.load(Ordering::Relaxed),
            stale: self.stale.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            bypasses: self.bypasses.load(Ordering::Relaxed),
        }
    }
}
