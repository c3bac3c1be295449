//! The shared Redis.

use crate::server::servers;

/// The Redis that all tests of a run share; keys of different tests must differ by a prefix.
#[derive(Clone, Debug)]
pub struct TestRedis {
    url: String,
}

impl TestRedis {
    /// The server, or nothing where `redis-server` is not installed.
    pub async fn shared() -> Option<Self> {
        let redis = servers().await.redis.as_ref()?;
        Some(Self { url: redis.url() })
    }

    /// Its connection URI.
    pub fn url(&self) -> &str {
        &self.url
    }
}
