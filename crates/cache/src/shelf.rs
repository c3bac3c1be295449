//! Where replies lie in this process: bounded by the bytes they take.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use moka::sync::Cache;

use crate::dependencies::Dependencies;
use crate::freshness::Moment;
use crate::grace::Grace;
use crate::key::ReplyKey;

/// What an entry takes beside its contents, in bytes: the key, the map's own, allocations.
const OVERHEAD: usize = 400;

/// A reply that was kept.
#[derive(Debug)]
pub struct Kept {
    /// Status code.
    pub status: u16,
    /// Headers in their order, names in lower case.
    pub headers: Vec<(Box<str>, Bytes)>,
    /// Its entity tag.
    pub etag: Box<str>,
    /// The body, as it was sent.
    pub body: Bytes,
    /// Up to when it is known to be right.
    pub found: Moment,
    /// What it depends on.
    pub on: Dependencies,
    /// When it was found, as far as this process knows.
    pub at: Instant,
    /// How long it may be handed out.
    pub ttl: Duration,
    /// How long it may be handed out when it is not right any more.
    pub grace: Grace,
}

impl Kept {
    /// Up to which position of the WAL it is known to be right.
    pub fn as_of(&self) -> u64 {
        self.found.as_of
    }

    /// How old it is.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.at)
    }

    fn weight(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers
            .map(|(name, value)| name.len() + value.len() + 64)
            .sum();
        OVERHEAD + headers + self.body.len()
    }
}

/// Replies by key.
#[derive(Clone, Debug)]
pub struct Shelf {
    kept: Cache<ReplyKey, Arc<Kept>, foldhash::fast::RandomState>,
}

impl Shelf {
    /// For so many bytes at most.
    pub fn new(bytes: u64) -> Self {
        let kept = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_: &ReplyKey, kept: &Arc<Kept>| {
                u32::try_from(kept.weight()).unwrap_or(u32::MAX)
            })
            .build_with_hasher(foldhash::fast::RandomState::default());
        Self { kept }
    }

    /// The reply kept under a key, unless its time is over.
    pub fn get(&self, key: &ReplyKey, now: Instant) -> Option<Arc<Kept>> {
        let kept = self.kept.get(key)?;
        (kept.age(now) < kept.ttl).then_some(kept)
    }

    /// The reply kept under a key, even if its time is over.
    pub fn get_stale(&self, key: &ReplyKey) -> Option<Arc<Kept>> {
        self.kept.get(key)
    }

    /// Keeps a reply, whose body should share no larger buffer, so that the weight is true.
    pub fn put(&self, key: ReplyKey, kept: Arc<Kept>) {
        self.kept.insert(key, kept);
    }

    /// Forgets the reply under a key.
    pub fn remove(&self, key: &ReplyKey) {
        self.kept.invalidate(key);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.kept.invalidate_all();
    }

    /// How many bytes it takes, roughly.
    pub fn bytes(&self) -> u64 {
        self.kept.weighted_size()
    }

    /// How many replies it holds, roughly.
    pub fn len(&self) -> u64 {
        self.kept.entry_count()
    }

    /// Whether it holds none, roughly.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
