//! Limits are exact, whoever asks and however many.

use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_store::{LimitKey, Origin, RateLimiter, RatePolicy, Store, Verdict};
use passerelle_testkit::TestRedis;
use tokio::task::JoinSet;

use crate::{hourly, key, patient, runtime};

const CLIENTS: usize = 64;
const EACH: usize = 25;

/// The times at which requests of one caller are allowed, of `CLIENTS * EACH` that come from two
/// threads at once, each with a limiter of its own.
fn allowed(stores: &[Store; 2], name: &str, policy: RatePolicy) -> Vec<u64> {
    let threads = stores.clone().map(|store| {
        let key = key(name);
        std::thread::spawn(move || {
            runtime().block_on(async {
                let limiter = Arc::new(store.rate_limiter());
                let mut clients = JoinSet::new();
                for _ in 0..CLIENTS / 2 {
                    clients.spawn(client(Arc::clone(&limiter), key, policy));
                }
                clients.join_all().await
            })
        })
    });
    let allowed = threads.map(|thread| thread.join().unwrap());
    allowed.into_iter().flatten().flatten().collect()
}

async fn client(limiter: Arc<RateLimiter>, key: LimitKey, policy: RatePolicy) -> Vec<u64> {
    let mut allowed = Vec::new();
    for _ in 0..EACH {
        let decision = limiter.check(&key, &policy, Instant::now()).await;
        assert_ne!(decision.origin, Origin::Fallback);
        if decision.verdict == Verdict::Allowed {
            allowed.push(decision.at);
        }
    }
    allowed
}

fn gateways(name: &str) -> [Store; 2] {
    let redis = runtime().block_on(TestRedis::shared()).unwrap();
    let prefix = format!("{name} {}", std::process::id());
    [(); 2].map(|()| patient(redis.url(), &prefix))
}

#[test]
fn two_gateways_allow_exactly_one_burst_to_64_clients() {
    let gateways = gateways("two gateways");
    for burst in [7, 1000, 1600] {
        // The next would be allowed after twenty minutes.
        let policy = RatePolicy::new(1, Duration::from_mins(20), burst).unwrap();
        let allowed = allowed(&gateways, &burst.to_string(), policy);
        assert_eq!(allowed.len(), usize::try_from(burst).unwrap());
    }
}

#[test]
fn what_refills_meanwhile_is_allowed_and_nothing_more() {
    let policy = RatePolicy::new(1000, Duration::from_secs(1), 50).unwrap();
    let mut times = allowed(&gateways("refill"), "a", policy);
    times.sort_unstable();
    assert!(times.len() > 50, "{}", times.len());
    for (first, start) in times.iter().enumerate() {
        for (last, end) in times.iter().enumerate().skip(first) {
            let refilled = usize::try_from((end - start) / 1000).unwrap();
            assert!(last - first < 50 + refilled, "{times:?}");
        }
    }
}

#[test]
fn memory_is_as_exact_for_one_process() {
    let store = Store::memory();
    let policy = RatePolicy::new(1, Duration::from_mins(20), 1000).unwrap();
    let allowed = allowed(&[store.clone(), store], "a", policy);
    assert_eq!(allowed.len(), 1000);
}

#[tokio::test]
async fn callers_and_prefixes_are_counted_apart() {
    let redis = TestRedis::shared().await.unwrap();
    let policy = hourly(1);
    let id = std::process::id();
    let first = patient(redis.url(), &format!("apart {id}")).rate_limiter();
    let second = patient(redis.url(), &format!("apart too {id}")).rate_limiter();
    let ask = async |limiter: &RateLimiter, name| {
        let decision = limiter.check(&key(name), &policy, Instant::now()).await;
        decision.verdict
    };
    assert_eq!(ask(&first, "a").await, Verdict::Allowed);
    assert_eq!(ask(&first, "a").await, Verdict::Limited);
    assert_eq!(ask(&first, "b").await, Verdict::Allowed);
    assert_eq!(ask(&second, "a").await, Verdict::Allowed);
}
