//! Limits of rates: who is counted, in which class, and what everybody is told.
#![expect(clippy::unwrap_used, reason = "a test that cannot begin has failed")]

use std::time::Duration;

use actix_web::http::Method;
use passerelle_rest::RestSettings;
use passerelle_store::RatePolicy;
use passerelle_surface::{RateLimitSettings, RouteClass, TrustedProxies};
use serde_json::json;

use crate::api::{Api, Reply, bearer, settings};

/// Two reads, one write and three calls at once; the next after an hour.
async fn api() -> Api {
    let policy = |class| {
        let burst = match class {
            RouteClass::Read => 2,
            RouteClass::Rpc => 3,
            _ => 1,
        };
        RatePolicy::new(1, Duration::from_hours(1), burst).unwrap()
    };
    let exempt = vec!["service_role".to_owned()];
    let limits = RateLimitSettings::new(policy, exempt, TrustedProxies::default());
    Api::with(RestSettings {
        rate_limits: Some(limits),
        ..settings()
    })
    .await
}

fn user(name: &str) -> String {
    bearer(&json!({ "role": "authenticated", "sub": name }))
}

#[track_caller]
fn assert_limited(reply: &Reply, class: &str, burst: u32) {
    reply.assert_error(429, "PSR429");
    let details = format!("The quota {class:?} of {burst} requests is used up");
    let error = reply.json();
    assert_eq!(error["details"], details.as_str());
    assert_eq!(error["message"], "Too many requests");
    let seconds: u64 = reply.header("retry-after").parse().unwrap();
    assert!((3590..=3600).contains(&seconds), "{seconds}");
    assert_eq!(
        error["hint"],
        format!("Try again in {seconds} seconds").as_str()
    );
    let told = format!("{class:?};r=0;t={seconds}");
    assert_eq!(reply.header("ratelimit"), told);
}

#[actix_web::test]
async fn answers_say_what_is_left_until_nothing_is() {
    let api = api().await;
    let authorization = user("1");
    let headers = [
        ("authorization", authorization.as_str()),
        ("origin", "http://a"),
    ];
    for (left, url, status) in [(1, "/clients?select=id", 200), (0, "/nothing", 404)] {
        let reply = api.get_with(url, &headers).await;
        assert_eq!(reply.status, status, "{}", reply.body);
        assert_eq!(reply.header("ratelimit-policy"), "\"read\";q=2;w=7200");
        let told = reply.header("ratelimit").to_owned();
        assert!(
            told.starts_with(&format!("\"read\";r={left};t=3")),
            "{told}"
        );
        assert_eq!(reply.header("retry-after"), "");
        let exposed = reply.header("access-control-expose-headers");
        for name in ["RateLimit,", "RateLimit-Policy,", "Retry-After,"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
    // Whatever is asked: it is not even read.
    for url in ["/items", "/items?select=(", "/nothing"] {
        assert_limited(&api.get_with(url, &headers).await, "read", 2);
    }
    let head = api.request(Method::HEAD, "/items", &headers).await;
    assert_eq!(head.status, 429);
}

#[actix_web::test]
async fn classes_and_users_are_counted_apart() {
    let api = api().await;
    let (one, two) = (user("1"), user("2"));
    let ask = async |method, url, who: &str| {
        let reply = api.request(method, url, &[("authorization", who)]).await;
        reply.header("ratelimit").to_owned()
    };
    for (method, url, who, told) in [
        (Method::GET, "/items", &one, "\"read\";r=1;"),
        (Method::GET, "/items", &two, "\"read\";r=1;"),
        (Method::POST, "/items", &one, "\"write\";r=0;"),
        (Method::DELETE, "/items", &one, "\"write\";r=0;"),
        (Method::POST, "/rpc/nothing", &one, "\"rpc\";r=2;"),
        (Method::GET, "/rpc/nothing", &one, "\"rpc\";r=1;"),
        (Method::GET, "/items", &one, "\"read\";r=0;"),
    ] {
        let found = ask(method, url, who).await;
        assert!(found.starts_with(told), "{url}: {found}");
    }
}

#[actix_web::test]
async fn a_token_that_proves_nothing_is_counted_for_its_address() {
    let api = api().await;
    let other_secret = format!("{}x", user("1"));
    for _ in 0..2 {
        let reply = api
            .get_with("/items", &[("authorization", &other_secret)])
            .await;
        reply.assert_error(401, "PGRST301");
        assert!(reply.header("ratelimit").starts_with("\"read\""));
    }
    let reply = api
        .get_with("/items", &[("authorization", &other_secret)])
        .await;
    assert_limited(&reply, "read", 2);
    assert_limited(&api.get("/items").await, "read", 2);
    // Who has a token that holds is somebody else.
    let reply = api
        .get_with("/items", &[("authorization", &user("1"))])
        .await;
    assert_ne!(reply.status, 429);
}

#[actix_web::test]
async fn an_exempt_role_is_told_nothing() {
    let api = api().await;
    let service = bearer(&json!({ "role": "service_role" }));
    for _ in 0..5 {
        let reply = api.get_with("/items", &[("authorization", &service)]).await;
        assert_ne!(reply.status, 429);
        assert_eq!(reply.header("ratelimit"), "");
        assert_eq!(reply.header("ratelimit-policy"), "");
    }
}
