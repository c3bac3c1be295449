//! Replies that are not right any more, and are handed out while they are asked for anew (RFC 5861,
//! `stale-while-revalidate`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// For how long a reply may be handed out after it was right.
#[derive(Debug)]
pub struct Grace {
    most: Duration,
    begun: Instant,
    /// When it was last known to be right, in nanoseconds since then.
    right: AtomicU64,
}

impl Grace {
    /// For so long, of a reply that is right at `now`; zero means that only a right one is handed out.
    pub fn new(most: Duration, now: Instant) -> Self {
        Self {
            most,
            begun: now,
            right: AtomicU64::new(0),
        }
    }

    /// The reply is right now.
    pub(crate) fn renew(&self, now: Instant) {
        if !self.most.is_zero() {
            self.right.fetch_max(self.since(now), Ordering::Relaxed);
        }
    }

    /// Whether the reply was right so short a time ago that it may be handed out.
    pub(crate) fn lasts(&self, now: Instant) -> bool {
        let right = Duration::from_nanos(self.right.load(Ordering::Relaxed));
        let past = Duration::from_nanos(self.since(now)).saturating_sub(right);
        !self.most.is_zero() && past <= self.most
    }

    fn since(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.begun);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_counted_from_when_the_reply_was_last_right() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let grace = Grace::new(Duration::from_secs(5), begun);
        assert!(grace.lasts(at(5)) && !grace.lasts(at(6)));
        grace.renew(at(10));
        grace.renew(at(3));
        assert!(grace.lasts(at(15)) && !grace.lasts(at(16)));
        let none = Grace::new(Duration::ZERO, begun);
        none.renew(begun);
        assert!(!none.lasts(begun));
    }
}
