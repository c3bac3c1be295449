//! The algorithm, in whole microseconds; `gcra.lua` does the same inside Redis.

use std::time::Duration;

use super::{Decision, Origin, RatePolicy, Verdict};

/// What a request did to the time that is kept of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(super) verdict: Verdict,
    /// How far the kept time is ahead now.
    pub(super) ahead: u64,
    /// The time of the decision.
    pub(super) at: u64,
}

impl Outcome {
    /// A request at `at`, of a caller whose whole burst is available at `kept`.
    pub(super) fn of(kept: u64, at: u64, policy: &RatePolicy) -> Self {
        let span = policy.span();
        // Never further ahead than the policy allows, whatever another policy or clock has left.
        let ahead = kept.saturating_sub(at).min(span);
        if ahead + policy.interval > span {
            return Self {
                verdict: Verdict::Limited,
                ahead,
                at,
            };
        }
        Self {
            verdict: Verdict::Allowed,
            ahead: ahead + policy.interval,
            at,
        }
    }

    /// What it means for the caller.
    pub(super) fn decision(self, policy: &RatePolicy, origin: Origin) -> Decision {
        let free = policy.span().saturating_sub(self.ahead);
        let remaining = free / policy.interval;
        let next = if self.ahead == 0 {
            0
        } else {
            (remaining + 1) * policy.interval - free
        };
        Decision {
            verdict: self.verdict,
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            next: Duration::from_micros(next),
            origin,
            at: self.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> RatePolicy {
        RatePolicy::new(10, Duration::from_secs(1), 3).unwrap()
    }

    #[test]
    fn a_burst_passes_at_once_and_then_one_per_interval() {
        let policy = policy();
        let (mut kept, start) = (0, 1_000_000);
        let mut ask = |at: u64| {
            let outcome = Outcome::of(kept, at, &policy);
            kept = at + outcome.ahead;
            outcome.decision(&policy, Origin::Local)
        };
        for remaining in [2, 1, 0] {
            let decision = ask(start);
            assert_eq!(decision.verdict, Verdict::Allowed);
            assert_eq!(decision.remaining, remaining);
            assert_eq!(decision.next, Duration::from_millis(100));
        }
        let limited = ask(start + 30_000);
        assert_eq!(limited.verdict, Verdict::Limited);
        assert_eq!(limited.next, Duration::from_millis(70));
        assert_eq!(ask(start + 99_999).verdict, Verdict::Limited);
        assert_eq!(ask(start + 100_000).verdict, Verdict::Allowed);
        assert_eq!(ask(start + 100_000).verdict, Verdict::Limited);
        let rested = ask(start + 10_000_000);
        assert_eq!((rested.verdict, rested.remaining), (Verdict::Allowed, 2));
    }

    #[test]
    fn a_kept_time_beyond_the_policy_is_cut_to_it() {
        let policy = policy();
        let limited = Outcome::of(u64::MAX, 5, &policy);
        assert_eq!(limited.ahead, policy.span());
        let decision = limited.decision(&policy, Origin::Local);
        assert_eq!(decision.next, policy.interval());
    }
}
