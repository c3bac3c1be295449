//! Redis, or this process's memory in its place.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::bus::{Bus, LocalBus};
use crate::endpoint::Endpoint;
use crate::error::UrlError;
use crate::link::Link;
use crate::presence::Presence;
use crate::rate_limit::{RateLimiter, SharedLimits, Twin};
use crate::replies::SharedReplies;
use crate::sessions::Sessions;
use crate::stream::{LocalStreams, SharedStream, Stream};

/// Callers whose limits one process remembers; about 100 bytes each.
const CALLERS: usize = 64 * 1024;

/// Where Redis is, and how it is used.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://…`, `rediss://…`, `redis+unix://…`, `redis+sentinel://…` or `rediss+sentinel://…`.
    pub url: String,
    /// Certificate authorities in PEM, in the place of those that everybody trusts.
    pub authorities: Option<Vec<u8>>,
    /// What the names of all keys and channels begin with.
    pub key_prefix: String,
    /// How long connecting may take, and each command.
    pub timeout: Duration,
}

impl std::fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisSettings")
            .field("key_prefix", &self.key_prefix)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// What is hot and what expires.
#[derive(Clone, Debug)]
pub enum Store {
    /// In Redis, for all processes that share it.
    Redis(RedisStore),
    /// In this process, for it alone.
    Memory(MemoryStore),
}

/// A store in Redis; see [`Store::Redis`].
#[derive(Clone, Debug)]
pub struct RedisStore {
    endpoint: Arc<Endpoint>,
    key_prefix: Arc<str>,
    presence: Arc<Presence>,
    twin: Arc<Twin>,
}

/// A store in memory; see [`Store::Memory`].
#[derive(Clone, Debug)]
pub struct MemoryStore {
    twin: Arc<Twin>,
    bus: Arc<LocalBus>,
    streams: Arc<LocalStreams>,
}

/// How a store in Redis is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreStatus {
    /// Whether all connections have Redis behind them.
    pub is_there: bool,
    /// Commands that Redis refused, as it does when its memory is full.
    pub refusals: u64,
}

impl Store {
    /// A store in this process's memory.
    pub fn memory() -> Self {
        Self::Memory(MemoryStore {
            twin: twin(),
            bus: Arc::default(),
            streams: Arc::default(),
        })
    }

    /// A store in Redis, which nobody is waiting for: connections are opened by what is made of it.
    ///
    /// # Errors
    /// [`UrlError`] when the settings name no Redis.
    pub fn redis(settings: &RedisSettings) -> Result<Self, UrlError> {
        let authorities = settings.authorities.clone();
        let endpoint = Endpoint::new(&settings.url, authorities, settings.timeout)?;
        Ok(Self::Redis(RedisStore {
            endpoint: Arc::new(endpoint),
            key_prefix: settings.key_prefix.as_str().into(),
            presence: Arc::default(),
            twin: twin(),
        }))
    }

    /// Decides about requests; with a connection of its own, kept by the current runtime. All of a
    /// store are one, as far as this process limits by itself.
    pub fn rate_limiter(&self) -> RateLimiter {
        match self {
            Self::Memory(store) => RateLimiter::new(Arc::clone(&store.twin), None),
            Self::Redis(store) => {
                let link = Link::start(Arc::clone(&store.endpoint), Arc::clone(&store.presence));
                let shared = SharedLimits::new(link, &store.key_prefix);
                RateLimiter::new(Arc::clone(&store.twin), Some(shared))
            }
        }
    }

    /// Replies that all processes share, where they share a Redis; with a connection of its own, kept
    /// by the current runtime.
    pub fn replies(&self) -> Option<SharedReplies> {
        match self {
            Self::Memory(_) => None,
            Self::Redis(store) => {
                let link = Link::start(Arc::clone(&store.endpoint), Arc::clone(&store.presence));
                Some(SharedReplies::new(link, &store.key_prefix))
            }
        }
    }

    /// Notes sessions in use, each for a time after it was; with a connection of its own, kept by the current
    /// runtime.
    pub fn sessions(&self, ttl: Duration) -> Sessions {
        match self {
            Self::Memory(_) => Sessions::in_memory(ttl),
            Self::Redis(store) => {
                let link = Link::start(Arc::clone(&store.endpoint), Arc::clone(&store.presence));
                Sessions::in_redis(link, &store.key_prefix, ttl)
            }
        }
    }

    /// Carries messages; with connections of its own, kept by the current runtime.
    pub fn bus(&self) -> Bus {
        match self {
            Self::Memory(store) => Bus::local(Arc::clone(&store.bus)),
            Self::Redis(store) => {
                let presence = Arc::clone(&store.presence);
                Bus::remote(Arc::clone(&store.endpoint), presence, &store.key_prefix)
            }
        }
    }

    /// Hands work to one of its readers each, and forgets what none has taken up in `life`; with a connection of
    /// its own, kept by the current runtime. Streams of one name are one.
    pub fn stream(&self, name: &str, life: Duration) -> Stream {
        match self {
            Self::Memory(store) => Stream::in_memory(store.streams.named(name), life),
            Self::Redis(store) => {
                let (endpoint, presence) = (&store.endpoint, &store.presence);
                let link = Link::start(Arc::clone(endpoint), Arc::clone(presence));
                let key = format!("{}stream:{{{name}}}", store.key_prefix);
                let (endpoint, presence) = (Arc::clone(endpoint), Arc::clone(presence));
                Stream::in_redis(SharedStream::new(link, endpoint, presence, key, life))
            }
        }
    }

    /// How Redis is doing, where there is one.
    pub fn status(&self) -> Option<StoreStatus> {
        match self {
            Self::Memory(_) => None,
            Self::Redis(store) => Some(StoreStatus {
                is_there: store.presence.is_there(),
                refusals: store.presence.refusals(),
            }),
        }
    }
}

fn twin() -> Arc<Twin> {
    Arc::new(Twin::new(CALLERS, Instant::now()))
}
