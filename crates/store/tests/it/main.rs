//! The store against real servers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod away;
mod bus;
mod limits;
mod model;
mod replies;
mod sentinel;
mod stream;
mod tls;

use std::time::{Duration, Instant};

use passerelle_store::{LimitKey, Origin, RateLimiter, RatePolicy, RedisSettings, Store};
use tokio::runtime::Runtime;

/// Long enough for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// A store over a Redis that has all the time in the world to answer.
fn patient(url: &str, prefix: &str) -> Store {
    store(url, prefix, Duration::from_secs(20))
}

/// A store that gives up soon.
fn impatient(url: &str, prefix: &str) -> Store {
    store(url, prefix, Duration::from_millis(200))
}

fn store(url: &str, prefix: &str, timeout: Duration) -> Store {
    let settings = RedisSettings {
        url: url.to_owned(),
        authorities: None,
        key_prefix: format!("{prefix}:"),
        timeout,
    };
    Store::redis(&settings).unwrap()
}

fn runtime() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// `requests` per hour, all of them at once.
fn hourly(requests: u32) -> RatePolicy {
    RatePolicy::new(requests, Duration::from_hours(1), requests).unwrap()
}

fn key(name: &str) -> LimitKey {
    LimitKey::of("test", "user", name.as_bytes())
}

/// Asks until a decision comes from `origin`; each time for another caller.
async fn until_decided_by(limiter: &RateLimiter, origin: Origin) {
    let policy = hourly(1000);
    let deadline = Instant::now() + PATIENCE;
    for caller in 0.. {
        let key = key(&format!("waiting {caller}"));
        if limiter.check(&key, &policy, Instant::now()).await.origin == origin {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "no decision comes from {origin:?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
