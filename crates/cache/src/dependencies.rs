//! What a reply depends on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// When a table changed last, as far as is known.
#[derive(Debug, Default)]
pub struct TableClock {
    /// Position of the last commit that changed it.
    changed: AtomicU64,
    /// Commits that are known to have changed it and whose position is not yet known.
    unplaced: AtomicU32,
}

/// Clocks of all tables that a reply depends on.
#[derive(Clone, Debug, Default)]
pub struct Dependencies(Arc<[Arc<TableClock>]>);

impl TableClock {
    pub(crate) fn change(&self, position: u64) {
        self.changed.fetch_max(position, Ordering::AcqRel);
    }

    /// Begins anew: what changed before is of no interest any more.
    pub(crate) fn reset(&self, position: u64) {
        self.changed.store(position, Ordering::Release);
    }

    pub(crate) fn block(&self) {
        self.unplaced.fetch_add(1, Ordering::AcqRel);
    }

    /// Follows the [`Self::change`] that makes the block needless.
    pub(crate) fn unblock(&self) {
        self.unplaced.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether what was right at a position still is. Blocks are looked at first: whoever finds
    /// one gone finds the change that took its place.
    pub(crate) fn is_unchanged_since(&self, position: u64) -> bool {
        self.unplaced.load(Ordering::Acquire) == 0
            && self.changed.load(Ordering::Acquire) <= position
    }
}

impl Dependencies {
    /// These tables.
    pub fn new(clocks: impl IntoIterator<Item = Arc<TableClock>>) -> Self {
        Self(clocks.into_iter().collect())
    }

    /// Both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all: Vec<Arc<TableClock>> = self.0.to_vec();
        for clock in other.0.iter() {
            if !all.iter().any(|known| Arc::ptr_eq(known, clock)) {
                all.push(Arc::clone(clock));
            }
        }
        Self(all.into())
    }

    pub(crate) fn are_unchanged_since(&self, position: u64) -> bool {
        self.0
            .iter()
            .all(|clock| clock.is_unchanged_since(position))
    }
}
