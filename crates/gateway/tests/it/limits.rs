//! Limits that two gateways share, and what becomes of them without Redis.

use std::thread;

use passerelle_testkit::{PrivateRedis, TestDb};

use crate::program::{Program, free_port as port, get, until, url_in};

const CLIENTS: usize = 64;
const EACH: usize = 5;
const BURST: usize = 100;

/// A gateway with its admin port.
struct Gateway {
    program: Program,
    url: String,
    admin: String,
}

impl Gateway {
    fn serve(db: &TestDb, redis: &str, timeout: &str) -> Self {
        let admin = port();
        let (url, burst) = (db.authenticator_url(), BURST.to_string());
        let secret = "0123456789abcdef".repeat(3);
        let variables = [
            ("DATABASE_URL", url.as_str()),
            ("REDIS_URL", redis),
            ("JWT_SECRET", &secret),
            ("PASSERELLE_SERVER_HOST", "127.0.0.1"),
            ("PASSERELLE_SERVER_PORT", "0"),
            ("PASSERELLE_SERVER_ADMIN_PORT", &admin),
            ("PASSERELLE_SERVER_TRUSTED_PROXIES", "127.0.0.1"),
            ("PASSERELLE_REDIS_TIMEOUT_MILLISECONDS", timeout),
            ("PASSERELLE_RATE_LIMITS_READ_REQUESTS", "1"),
            ("PASSERELLE_RATE_LIMITS_READ_PERIOD_SECONDS", "1200"),
            ("PASSERELLE_RATE_LIMITS_READ_BURST", &burst),
            ("PASSERELLE_LOG_LEVEL", "info"),
        ];
        let program = Program::start(env!("CARGO_MANIFEST_DIR").as_ref(), &["serve"], &variables);
        let url = url_in(&program.error_line("ready"));
        let admin = format!("http://127.0.0.1:{admin}");
        Self {
            program,
            url,
            admin,
        }
    }

    /// The status of an answer to a client with this address.
    fn status(&self, client: &str) -> u16 {
        ask(&self.url, client).0
    }

    fn metric(&self, name: &str) -> usize {
        let (_, text) = get(&format!("{}/metrics", self.admin), &[]);
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.rsplit(' ').next());
        value.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
    }

    fn decided(&self, outcome: &str) -> usize {
        let labels = format!("{{class=\"read\",outcome=\"{outcome}\"}}");
        self.metric(&format!("passerelle_rate_limit_decisions_total{labels}"))
    }

    fn fallbacks(&self) -> usize {
        self.metric("passerelle_rate_limit_fallbacks_total{class=\"read\"}")
    }
}

/// Status and head of an answer to a client with this address.
fn ask(url: &str, client: &str) -> (u16, String) {
    let url = format!("{url}/rest/v1/nothing");
    let (status, answer) = get(&url, &[("x-forwarded-for", client)]);
    (status, answer.to_lowercase())
}

/// How many of 64 clients' requests, all from one address, are limited.
fn limited(gateways: &[Gateway; 2]) -> usize {
    let urls = gateways.each_ref().map(|gateway| gateway.url.as_str());
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || {
                    let mut limited = 0;
                    for turn in 0..EACH {
                        let (status, answer) = ask(urls[(client + turn) % 2], "203.0.113.1");
                        assert!(answer.contains("ratelimit-policy: \"read\";q=100;w=120000"));
                        if status == 429 {
                            limited += 1;
                            assert!(answer.contains("retry-after: 1"), "{answer}");
                            assert!(answer.contains("ratelimit: \"read\";r=0;t=1"), "{answer}");
                        } else {
                            assert!(!answer.contains("retry-after"), "{answer}");
                        }
                    }
                    limited
                })
            })
            .collect();
        let limited = clients.into_iter().map(|client| client.join().unwrap());
        limited.sum()
    })
}

#[tokio::test]
async fn two_gateways_allow_one_burst_together() {
    let db = TestDb::platform().await;
    let redis = PrivateRedis::start(&[]).await;
    let gateways = [(); 2].map(|()| Gateway::serve(&db, &redis.url(), "60000"));
    assert_eq!(CLIENTS * EACH - limited(&gateways), BURST);
    let sum = |count: fn(&Gateway) -> usize| gateways.iter().map(count).sum::<usize>();
    assert_eq!(sum(|gateway| gateway.decided("allowed")), BURST);
    assert_eq!(
        sum(|gateway| gateway.decided("limited")),
        CLIENTS * EACH - BURST
    );
    assert_eq!(sum(Gateway::fallbacks), 0);
    // Another address is another caller.
    assert_ne!(gateways[0].status("203.0.113.2"), 429);
}

#[tokio::test]
async fn without_redis_each_gateway_limits_by_itself_and_is_ready() {
    let db = TestDb::platform().await;
    let mut redis = PrivateRedis::start(&[]).await;
    let gateway = Gateway::serve(&db, &redis.url(), "200");
    redis.kill().await;
    let away = gateway.program.error_line("Redis is away");
    assert!(away.contains("WARN"), "{away}");
    for _ in 0..BURST {
        assert_ne!(gateway.status("203.0.113.1"), 429);
    }
    assert_eq!(gateway.status("203.0.113.1"), 429);
    assert_eq!(gateway.metric("passerelle_redis_up"), 0);
    assert_eq!(gateway.fallbacks(), BURST);
    until(&format!("{}/ready", gateway.admin), 200);

    redis.restart().await;
    gateway.program.error_line("Redis is back");
    assert_eq!(gateway.metric("passerelle_redis_up"), 1);
    let before = gateway.fallbacks();
    assert_ne!(gateway.status("203.0.113.3"), 429);
    assert_eq!(gateway.fallbacks(), before);
}

#[tokio::test]
async fn limits_need_no_redis() {
    let db = TestDb::platform().await;
    let gateway = Gateway::serve(&db, "", "200");
    let (_, answer) = ask(&gateway.url, "203.0.113.1");
    assert!(answer.contains("ratelimit: \"read\";r=99;"), "{answer}");
    let (_, metrics) = get(&format!("{}/metrics", gateway.admin), &[]);
    assert!(!metrics.contains("passerelle_redis_up"), "{metrics}");
}
