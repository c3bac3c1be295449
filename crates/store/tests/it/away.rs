//! Redis killed, standing still, emptied, full or never there: no request fails.

use std::time::{Duration, Instant};

use passerelle_store::{Origin, RateLimiter, Verdict};
use passerelle_testkit::PrivateRedis;

use crate::{hourly, impatient, key, patient, until_decided_by};

async fn origin(limiter: &RateLimiter, name: &str) -> Origin {
    let policy = hourly(1000);
    limiter
        .check(&key(name), &policy, Instant::now())
        .await
        .origin
}

#[tokio::test]
async fn a_redis_that_was_killed_is_found_again() {
    let mut redis = PrivateRedis::start(&[]).await;
    let store = impatient(&redis.url(), "killed");
    let limiter = store.rate_limiter();
    until_decided_by(&limiter, Origin::Shared).await;
    assert!(store.status().unwrap().is_there);

    let policy = hourly(3);
    let ask = async || limiter.check(&key("a"), &policy, Instant::now()).await;
    assert_eq!(ask().await.remaining, 2);
    redis.kill().await;
    // What this process knows of a caller counts on.
    let decision = ask().await;
    assert_eq!((decision.origin, decision.remaining), (Origin::Fallback, 1));
    assert_eq!(ask().await.verdict, Verdict::Allowed);
    assert_eq!(ask().await.verdict, Verdict::Limited);
    let (since, asked) = (Instant::now(), 1000);
    for caller in 0..asked {
        assert_eq!(
            origin(&limiter, &caller.to_string()).await,
            Origin::Fallback
        );
    }
    assert!(since.elapsed() < Duration::from_millis(200) * asked / 10);
    while store.status().unwrap().is_there {
        tokio::task::yield_now().await;
    }

    redis.restart().await;
    until_decided_by(&limiter, Origin::Shared).await;
    assert!(store.status().unwrap().is_there);
}

#[tokio::test]
async fn a_redis_that_stands_still_is_waited_for_once() {
    let redis = PrivateRedis::start(&[]).await;
    let limiter = impatient(&redis.url(), "paused").rate_limiter();
    until_decided_by(&limiter, Origin::Shared).await;
    redis.pause();
    let since = Instant::now();
    for caller in 0..1000 {
        assert_eq!(
            origin(&limiter, &caller.to_string()).await,
            Origin::Fallback
        );
    }
    let most = Duration::from_millis(200) * 10;
    assert!(since.elapsed() < most, "{:?}", since.elapsed());
    redis.resume();
    until_decided_by(&limiter, Origin::Shared).await;
}

#[tokio::test]
async fn a_redis_that_was_emptied_begins_anew() {
    let redis = PrivateRedis::start(&[]).await;
    let limiter = patient(&redis.url(), "emptied").rate_limiter();
    assert_eq!(origin(&limiter, "a").await, Origin::Shared);
    for command in [["flushall"].as_slice(), &["script", "flush"]] {
        assert_eq!(redis.ask(command), "OK");
        let decision = limiter.check(&key("b"), &hourly(10), Instant::now()).await;
        assert_eq!(decision.origin, Origin::Shared);
        assert_eq!(decision.verdict, Verdict::Allowed);
    }
}

#[tokio::test]
async fn a_redis_that_is_full_is_there_but_decides_nothing() {
    let redis = PrivateRedis::start(&[]).await;
    let store = patient(&redis.url(), "full");
    let limiter = store.rate_limiter();
    assert_eq!(origin(&limiter, "a").await, Origin::Shared);
    assert_eq!(redis.ask(&["config", "set", "maxmemory", "1"]), "OK");
    assert_eq!(origin(&limiter, "b").await, Origin::Fallback);
    let status = store.status().unwrap();
    assert!(status.is_there);
    assert_eq!(status.refusals, 1);
    assert_eq!(redis.ask(&["config", "set", "maxmemory", "0"]), "OK");
    assert_eq!(origin(&limiter, "b").await, Origin::Shared);
}

#[tokio::test]
async fn a_redis_that_does_not_know_the_password_is_away() {
    let redis = PrivateRedis::start(&[]).await;
    let url = format!("redis://:wrong@127.0.0.1:{}", redis.port());
    let store = patient(&url, "password");
    let limiter = store.rate_limiter();
    assert_eq!(origin(&limiter, "a").await, Origin::Fallback);
    assert!(!store.status().unwrap().is_there);
}

#[tokio::test]
async fn what_a_key_holds_that_is_no_time_is_nothing() {
    let redis = PrivateRedis::start(&[]).await;
    let limiter = patient(&redis.url(), "garbled").rate_limiter();
    assert_eq!(origin(&limiter, "a").await, Origin::Shared);
    let name = redis.ask(&["keys", "*"]);
    assert_eq!(redis.ask(&["set", &name, "nonsense"]), "OK");
    assert_eq!(origin(&limiter, "a").await, Origin::Shared);
    // Nothing is kept for longer than it takes a caller to have its whole burst again.
    let kept: i64 = redis.ask(&["pttl", &name]).parse().unwrap();
    assert!((1..=3_600_000).contains(&kept), "{kept}");
}
