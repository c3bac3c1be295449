//! Limits in this process's memory.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use lru::LruCache;

use super::gcra::Outcome;
use super::{LimitKey, RatePolicy, Verdict};

/// A power of two: threads seldom meet at the same one.
const SHARDS: usize = 64;

/// The time that is kept of each caller, the one seen last at the front.
type Shard = LruCache<[u8; 16], u64>;

/// What is kept of callers, in this process.
pub(crate) struct Twin {
    /// Times are counted from here.
    epoch: Instant,
    shards: Box<[Mutex<Shard>]>,
    /// The most callers that each shard remembers.
    capacity: usize,
}

impl Twin {
    /// Remembers about `callers` callers.
    pub(crate) fn new(callers: usize, epoch: Instant) -> Self {
        let shard = |_| Mutex::new(LruCache::unbounded());
        Self {
            epoch,
            shards: (0..SHARDS).map(shard).collect(),
            capacity: callers.div_ceil(SHARDS).max(1),
        }
    }

    /// Counts a request.
    pub(super) fn check(&self, key: &LimitKey, policy: &RatePolicy, now: Instant) -> Outcome {
        let at = self.micros(now);
        self.with(key, |kept| {
            let outcome = Outcome::of(*kept, at, policy);
            if outcome.verdict == Verdict::Allowed {
                *kept = at + outcome.ahead;
            }
            outcome
        })
    }

    /// The refusal of a request that is known to come too early.
    pub(super) fn refusal(
        &self,
        key: &LimitKey,
        policy: &RatePolicy,
        now: Instant,
    ) -> Option<Outcome> {
        let kept = *self.shard(key).get(key.bytes())?;
        let outcome = Outcome::of(kept, self.micros(now), policy);
        (outcome.verdict == Verdict::Limited).then_some(outcome)
    }

    /// Takes over what another decided, `now` being no later than it was decided.
    pub(super) fn note(&self, key: &LimitKey, outcome: Outcome, now: Instant) {
        let at = self.micros(now);
        self.with(key, |kept| *kept = at + outcome.ahead);
    }

    fn with<T>(&self, key: &LimitKey, change: impl FnOnce(&mut u64) -> T) -> T {
        let mut shard = self.shard(key);
        if let Some(kept) = shard.get_mut(key.bytes()) {
            return change(kept);
        }
        if shard.len() >= self.capacity {
            shard.pop_lru();
        }
        let mut kept = 0;
        let changed = change(&mut kept);
        shard.put(*key.bytes(), kept);
        changed
    }

    fn shard(&self, key: &LimitKey) -> MutexGuard<'_, Shard> {
        let index = usize::from(key.bytes()[0]) % SHARDS;
        // Numbers are whole, whoever panicked while holding the lock.
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn micros(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.epoch);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX / 2)
    }
}

impl std::fmt::Debug for Twin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Twin")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn callers_beyond_the_capacity_are_forgotten_and_who_comes_often_is_not() {
        let start = Instant::now();
        let twin = Twin::new(SHARDS * 4, start);
        let policy = RatePolicy::new(1, Duration::from_hours(1), 1).unwrap();
        let hammering = LimitKey::of("read", "address", b"hammering");
        assert_eq!(
            twin.check(&hammering, &policy, start).verdict,
            Verdict::Allowed
        );
        for other in 0..10_000_u32 {
            let key = LimitKey::of("read", "address", &other.to_be_bytes());
            assert_eq!(twin.check(&key, &policy, start).verdict, Verdict::Allowed);
            assert_eq!(
                twin.check(&hammering, &policy, start).verdict,
                Verdict::Limited
            );
        }
        let remembered: usize = twin.shards.iter().map(|s| s.lock().unwrap().len()).sum();
        assert_eq!(remembered, SHARDS * 4);
    }

    #[test]
    fn what_redis_said_holds_until_its_time_has_come() {
        let start = Instant::now();
        let twin = Twin::new(100, start);
        let policy = RatePolicy::new(1, Duration::from_secs(1), 2).unwrap();
        let key = LimitKey::of("read", "user", b"1");
        assert_eq!(twin.refusal(&key, &policy, start), None);
        let limited = Outcome {
            verdict: Verdict::Limited,
            ahead: policy.span(),
            at: 7,
        };
        twin.note(&key, limited, start);
        let after = |millis| start + Duration::from_millis(millis);
        assert!(twin.refusal(&key, &policy, after(999)).is_some());
        assert_eq!(twin.refusal(&key, &policy, after(1000)), None);
    }
}
