//! Replies that gateways share: bytes under a key, each with a time to live, never the reason for
//! another write to fail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::Value;
use redis::aio::MultiplexedConnection;

use crate::error::StoreError;
use crate::link::Link;

/// How often it is looked how full Redis is.
const LOOKS: Duration = Duration::from_secs(1);
/// Of the memory that Redis may use, so many percent may be in use before nothing more is put.
const FULL: u64 = 75;

/// Replies in Redis; with a connection of its own.
#[derive(Clone, Debug)]
pub struct SharedReplies {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    link: Link,
    prefix: String,
    is_full: AtomicBool,
    looked: Mutex<Option<Instant>>,
}

impl SharedReplies {
    pub(crate) fn new(link: Link, prefix: &str) -> Self {
        Self {
            inner: Arc::new(Inner {
                link,
                prefix: format!("{prefix}reply:"),
                is_full: AtomicBool::new(false),
                looked: Mutex::new(None),
            }),
        }
    }

    /// The bytes under a key, and how long they are still going to be there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Duration)>, StoreError> {
        let mut both = redis::pipe();
        let key = self.inner.key(key);
        both.get(&key).pttl(&key);
        let (value, left): (Option<Vec<u8>>, i64) = self
            .inner
            .link
            .run(async |connection| both.query_async(connection).await)
            .await?;
        // What has no time to live, or none left, is not ours or is gone.
        let left = u64::try_from(left).ok().filter(|left| *left > 0);
        Ok(value.zip(left.map(Duration::from_millis)))
    }

    /// Puts bytes under a key for a time, unless Redis is rather full; whether it was done.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<bool, StoreError> {
        if self.inner.is_full().await? {
            return Ok(false);
        }
        let milliseconds = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut put = redis::cmd("SET");
        put.arg(self.inner.key(key)).arg(value);
        put.arg("PX").arg(milliseconds);
        self.inner
            .link
            .run(async |connection| put.query_async::<()>(connection).await)
            .await?;
        Ok(true)
    }
}

impl Inner {
    fn key(&self, key: &str) -> String {
        format!("{}{{{key}}}", self.prefix)
    }

    async fn is_full(&self) -> Result<bool, StoreError> {
        let is_due = {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let is_due = looked.is_none_or(|looked| now.duration_since(looked) >= LOOKS);
            if is_due {
                *looked = Some(now);
            }
            is_due
        };
        if is_due {
            let is_full = self.link.run(is_full).await?;
            self.is_full.store(is_full, Ordering::Relaxed);
        }
        Ok(self.is_full.load(Ordering::Relaxed))
    }
}

async fn is_full(connection: &mut MultiplexedConnection) -> redis::RedisResult<bool> {
    let info: Value = redis::cmd("INFO")
        .arg("memory")
        .query_async(connection)
        .await?;
    let text: String = redis::from_redis_value(info)?;
    let number = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
    };
    let (used, most) = (number("used_memory:"), number("maxmemory:"));
    Ok(match (used, most) {
        (Some(used), Some(most)) if most > 0 => used >= most / 100 * FULL,
        _ => false,
    })
}
