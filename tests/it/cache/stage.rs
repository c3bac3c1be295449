//! A database with policies of all kinds, and gateways that keep replies of it.

use std::time::{Duration, Instant};

use awc::Client;
use awc::http::Method;
use awc::http::header::{AUTHORIZATION, HeaderMap};
use passerelle_testkit::{TestDb, TestRedis};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::callers::token;
use crate::gateway::{Gateway, SECRET, command, migrate};

const SCHEMA: &str = include_str!("schema.sql");
const CONFIG: &str = include_str!("config.toml");

/// Longest time until a gateway is sure, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum User {
    Anyone,
    Named(u32),
    /// Row policies do not hold for it.
    Service,
}

impl User {
    fn token(self) -> Option<String> {
        let claims = match self {
            Self::Anyone => return None,
            Self::Named(number) => {
                json!({ "role": "authenticated", "sub": format!("user-{number}") })
            }
            Self::Service => json!({ "role": "service_role" }),
        };
        Some(token(SECRET, claims))
    }
}

/// The database and the configuration.
pub(crate) struct Stage {
    pub(crate) db: TestDb,
    config: NamedTempFile,
    redis: String,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let redis = TestRedis::shared().await.expect("Redis is installed");
        Self::with_redis(redis.url()).await
    }

    /// With a Redis of its own.
    pub(crate) async fn with_redis(redis: &str) -> Self {
        let db = TestDb::platform().await;
        db.run(SCHEMA).await;
        let config = NamedTempFile::new().expect("a file");
        std::fs::write(config.path(), CONFIG).expect("the configuration is written");
        let said = migrate(&db.url(), config.path()).await;
        assert!(
            said.contains("changes of public.teams are followed"),
            "{said}"
        );
        let redis = redis.to_owned();
        Self { db, config, redis }
    }

    /// Runs the binary as whoever looks after the gateways; what it says.
    pub(crate) async fn run(&self, arguments: &[&str]) -> String {
        command(&self.db.url(), arguments).await
    }

    /// A gateway that hands out what it has kept.
    pub(crate) async fn gateway(&self, settings: &[(&str, &str)]) -> Asked {
        let gateway = self.gateway_anyhow(settings).await;
        gateway.sure().await;
        gateway
    }

    /// A gateway, whether it is sure or not.
    pub(crate) async fn gateway_anyhow(&self, settings: &[(&str, &str)]) -> Asked {
        let mut all = vec![
            ("PASSERELLE_RATE_LIMITS_ENABLED", "false"),
            ("REDIS_URL", &*self.redis),
        ];
        all.extend(settings);
        let gateway = Gateway::configured(&self.db, self.config.path(), &all).await;
        Asked::new(gateway)
    }
}

/// A gateway, and who asks it.
pub(crate) struct Asked {
    pub(crate) gateway: Gateway,
    client: Client,
}

/// What it has answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What the cache did; nothing where there is none.
    pub(crate) fn cache(&self) -> &str {
        self.header("x-cache").unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

impl Asked {
    pub(crate) fn new(gateway: Gateway) -> Self {
        let client = Client::builder().timeout(PATIENCE).finish();
        Self { gateway, client }
    }

    pub(crate) async fn get(&self, path: &str, user: User, headers: &[(&str, &str)]) -> Reply {
        self.exchange(Method::GET, path, user, headers, None)
            .await
            .expect("an answer")
    }

    /// The reply that is kept. A gateway that is not sure for a moment, on a busy machine, asks once more, and keeps that.
    pub(crate) async fn hit(&self, path: &str, user: User) -> Reply {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let reply = self.get(path, user, &[]).await;
            if reply.cache() == "hit" || Instant::now() > until {
                return reply;
            }
        }
    }

    /// Sends a body; the answer has to be a success.
    pub(crate) async fn send(&self, method: &str, path: &str, user: User, body: &Value) -> Reply {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let reply = self.exchange(method, path, user, &[], Some(body)).await;
        let reply = reply.expect("an answer");
        assert!((200..300).contains(&reply.status), "{path}: {reply:?}");
        reply
    }

    /// An exchange that may fail.
    pub(crate) async fn exchange(
        &self,
        method: Method,
        path: &str,
        user: User,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Reply, String> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.gateway.url));
        if let Some(token) = user.token() {
            request = request.insert_header((AUTHORIZATION, format!("Bearer {token}")));
        }
        for header in headers {
            request = request.insert_header(*header);
        }
        let sent = match body {
            Some(body) => request.send_json(body).await,
            None => request.send().await,
        };
        let mut response = sent.map_err(|error| error.to_string())?;
        let body = response.body().limit(1 << 22).await;
        let body = body.map_err(|error| error.to_string())?;
        Ok(Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: String::from_utf8(body.to_vec()).expect("UTF-8"),
        })
    }

    /// Waits until it hands out what it has kept.
    pub(crate) async fn sure(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let reply = self.get("/rest/v1/sentinel?select=id", User::Anyone, &[]);
            let reply = reply.await;
            if reply.cache() == "hit" {
                return;
            }
            assert!(Instant::now() < end, "the gateway is never sure: {reply:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
