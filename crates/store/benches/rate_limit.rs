//! What a decision costs: in memory, and in Redis for one caller and for many at once.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark without its servers cannot go on"
)]

use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use passerelle_store::{LimitKey, Origin, RatePolicy, RedisSettings, Store};
use passerelle_testkit::TestRedis;
use tokio::task::LocalSet;

const IN_MEMORY: u32 = 300_000;
const IN_REDIS: u32 = 20_000;
const ROUNDS: u32 = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for callers in [1, 10_000] {
        let best = (0..ROUNDS).map(|_| runtime.block_on(in_memory(callers)));
        let each = best.min().unwrap_or_default() / IN_MEMORY;
        println!("in memory, {callers} callers: {} ns", each.as_nanos());
    }
    for at_once in [1, 16, 64] {
        let took = LocalSet::new().block_on(&runtime, in_redis(at_once));
        let rate = f64::from(IN_REDIS) / took.as_secs_f64() / 1000.0;
        let each = took * at_once / IN_REDIS;
        println!(
            "in Redis, {at_once} at once: {rate:.1} k/s, {} µs each",
            each.as_micros()
        );
    }
}

/// From a caller's id to the decision.
async fn in_memory(callers: u32) -> Duration {
    let limiter = Store::memory().rate_limiter();
    let policy = RatePolicy::new(50, Duration::from_secs(1), 1000).unwrap();
    let start = Instant::now();
    for request in 0..IN_MEMORY {
        let caller = (request % callers).to_be_bytes();
        let key = LimitKey::of("read", "address", black_box(&caller));
        black_box(limiter.check(&key, &policy, Instant::now()).await);
    }
    start.elapsed()
}

async fn in_redis(at_once: u32) -> Duration {
    let redis = TestRedis::shared().await.unwrap();
    let settings = RedisSettings {
        url: redis.url().to_owned(),
        authorities: None,
        key_prefix: "bench:".to_owned(),
        timeout: Duration::from_secs(10),
    };
    let limiter = Rc::new(Store::redis(&settings).unwrap().rate_limiter());
    let policy = RatePolicy::new(1_000_000, Duration::from_secs(1), 1_000_000).unwrap();
    // The first one waits for the connection.
    let first = LimitKey::of("read", "address", b"first");
    limiter.check(&first, &policy, Instant::now()).await;
    let start = Instant::now();
    let callers = (0..at_once).map(|caller| {
        let limiter = Rc::clone(&limiter);
        tokio::task::spawn_local(async move {
            let key = LimitKey::of("read", "address", &caller.to_be_bytes());
            for _ in 0..IN_REDIS / at_once {
                let decision = limiter.check(&key, &policy, Instant::now()).await;
                assert_eq!(decision.origin, Origin::Shared);
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    start.elapsed()
}
