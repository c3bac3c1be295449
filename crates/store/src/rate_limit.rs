//! Limits of rates: how many requests a caller may make, for how long, and how many at once.
//!
//! The algorithm is GCRA. Of each key only one number is kept, the time at which its whole burst is
//! available again; each request moves it by the interval that the sustained rate allows between
//! requests, and none may move it further ahead than the burst is long.

mod gcra;
mod key;
mod memory;
mod policy;
mod shared;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::key::LimitKey;
pub(crate) use self::memory::Twin;
pub use self::policy::{PolicyError, RatePolicy};
pub(crate) use self::shared::SharedLimits;

/// Whether a request may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was counted and may go on.
    Allowed,
    /// It came too early and was not counted.
    Limited,
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Redis, for all gateways.
    Shared,
    /// This process, because there is no Redis, or because it knows already that this caller has
    /// to wait.
    Local,
    /// This process, because Redis is away.
    Fallback,
}

/// What was decided about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may go on.
    pub verdict: Verdict,
    /// How many more may follow at once.
    pub remaining: u32,
    /// When one more may follow than may now; nothing when the whole burst is available.
    pub next: Duration,
    /// Who decided.
    pub origin: Origin,
    /// The time of the decision by the clock of who decided, in microseconds.
    pub at: u64,
}

/// Decides whether requests may go on.
///
/// With Redis the decision is one for all gateways, taken by Redis's clock. While Redis is away
/// each process limits by itself and begins with what it last heard from Redis, so that N gateways
/// then allow up to N times as much. No more than a bounded number of callers is remembered; those
/// who have not been seen for longest are forgotten first.
#[derive(Debug)]
pub struct RateLimiter {
    twin: Arc<Twin>,
    shared: Option<SharedLimits>,
}

impl RateLimiter {
    pub(crate) fn new(twin: Arc<Twin>, shared: Option<SharedLimits>) -> Self {
        Self { twin, shared }
    }

    /// Counts a request of a caller at `now`, if the policy allows it.
    pub async fn check(&self, key: &LimitKey, policy: &RatePolicy, now: Instant) -> Decision {
        let Some(shared) = &self.shared else {
            return self
                .twin
                .check(key, policy, now)
                .decision(policy, Origin::Local);
        };
        // What Redis has refused until later it would refuse again; it need not be asked.
        if let Some(refusal) = self.twin.refusal(key, policy, now) {
            return refusal.decision(policy, Origin::Local);
        }
        match shared.check(key, policy).await {
            Ok(outcome) => {
                self.twin.note(key, outcome, now);
                outcome.decision(policy, Origin::Shared)
            }
            Err(_) => self
                .twin
                .check(key, policy, now)
                .decision(policy, Origin::Fallback),
        }
    }
}
