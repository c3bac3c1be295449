//! Memory and Redis decide alike, and as the definition says.

use std::time::{Duration, Instant};

use passerelle_store::{Origin, RatePolicy, Store, Verdict};
use passerelle_testkit::TestRedis;
use proptest::prelude::*;

use crate::{key, patient, runtime};

fn policies() -> impl Strategy<Value = RatePolicy> {
    (1_u32..=1000, 1_u64..=100, 1_u32..=20).prop_map(|(requests, millis, burst)| {
        RatePolicy::new(requests, Duration::from_millis(millis), burst).unwrap()
    })
}

proptest! {
    #[test]
    fn in_any_window_no_more_than_a_burst_and_what_refills(
        policy in policies(),
        pauses in prop::collection::vec(0_u64..=30_000, 1..300),
    ) {
        let runtime = runtime();
        let limiter = Store::memory().rate_limiter();
        let mut now = Instant::now();
        let mut allowed: Vec<Instant> = Vec::new();
        for pause in pauses {
            now += Duration::from_micros(pause);
            let ask = |at| runtime.block_on(limiter.check(&key("window"), &policy, at));
            let decision = ask(now);
            if decision.verdict == Verdict::Allowed {
                allowed.push(now);
                continue;
            }
            // It was refused, and would have been until the time that it names.
            let almost = now + decision.next.saturating_sub(Duration::from_micros(1));
            prop_assert_eq!(ask(almost).verdict, Verdict::Limited);
            now += decision.next;
            prop_assert_eq!(ask(now).verdict, Verdict::Allowed);
            allowed.push(now);
        }
        for (first, start) in allowed.iter().enumerate() {
            for (last, end) in allowed.iter().enumerate().skip(first) {
                let refilled = (*end - *start).as_micros() / policy.interval().as_micros();
                prop_assert!((last - first + 1) as u128 <= u128::from(policy.burst()) + refilled);
            }
        }
    }
}

#[test]
fn redis_decides_as_memory_does_at_the_same_times() {
    runtime().block_on(async {
        let redis = TestRedis::shared().await.unwrap();
        let prefix = format!("model {}", std::process::id());
        // Two, because one that was refused does not ask again too early.
        let gateways = [(); 2].map(|()| patient(redis.url(), &prefix).rate_limiter());
        let (mut allowed, mut limited) = (0, 0);
        for (case, requests) in (1_u32..=40).enumerate() {
            let burst = 1 + requests % 7;
            let policy = RatePolicy::new(requests, Duration::from_millis(20), burst).unwrap();
            let memory = Store::memory().rate_limiter();
            let key = key(&format!("case {case}"));
            let (start, mut first) = (Instant::now(), None);
            for turn in 0..60 {
                let shared = gateways[turn % 2]
                    .check(&key, &policy, Instant::now())
                    .await;
                if shared.origin == Origin::Local {
                    continue;
                }
                assert_eq!(shared.origin, Origin::Shared);
                let since = shared.at - *first.get_or_insert(shared.at);
                let at = start + Duration::from_micros(since);
                let local = memory.check(&key, &policy, at).await;
                assert_eq!(
                    (shared.verdict, shared.remaining, shared.next),
                    (local.verdict, local.remaining, local.next),
                    "{policy:?}, request {turn}"
                );
                match shared.verdict {
                    Verdict::Allowed => allowed += 1,
                    Verdict::Limited => limited += 1,
                }
            }
        }
        assert!(allowed > 100 && limited > 20, "{allowed}, {limited}");
    });
}
