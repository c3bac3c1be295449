//! Remembers what verified tokens said, within a fixed number of entries.
//!
//! It stores facts about a token's bytes that never change; whether they hold at a given moment is
//! for the reader of the entry to ask.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Longer tokens are verified each time, so that the number of entries also bounds memory.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// More shards mean less waiting for a lock; fewer than this many entries do not merit another.
const ENTRIES_PER_SHARD: usize = 64;
const MAX_SHARDS: usize = 8;

/// A bounded map from token bytes to `V`, shared between threads.
pub(crate) struct Cache<V> {
    shards: Box<[Mutex<Shard<V>>]>,
    hasher: RandomState,
    lookups: AtomicU64,
    hits: AtomicU64,
    evictions: AtomicU64,
}

/// What a cache did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// How often it was asked.
    pub lookups: u64,
    /// How often it knew.
    pub hits: u64,
    /// How often it forgot something for something else.
    pub evictions: u64,
}

/// One ring of entries under the second-chance policy: a hit marks its entry; the hand looking for
/// room takes marks away and evicts the first unmarked entry it meets.
struct Shard<V> {
    capacity: usize,
    index: HashMap<Arc<[u8]>, usize>,
    ring: Vec<Slot<V>>,
    hand: usize,
}

struct Slot<V> {
    token: Arc<[u8]>,
    value: Arc<V>,
    marked: bool,
}

impl<V> Cache<V> {
    /// A cache of at most `max_entries`; 0 makes one that remembers nothing.
    pub(crate) fn new(max_entries: usize) -> Self {
        let count = max_entries.div_ceil(ENTRIES_PER_SHARD).min(MAX_SHARDS);
        let shard = |number| {
            let extra = usize::from(number < max_entries % count);
            Mutex::new(Shard::new(max_entries / count + extra))
        };
        Self {
            shards: (0..count).map(shard).collect(),
            hasher: RandomState::new(),
            lookups: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
        }
    }

    pub(crate) fn counts(&self) -> CacheCounts {
        CacheCounts {
            lookups: self.lookups.load(Ordering::Relaxed),
            hits: self.hits.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }

    /// What is remembered about exactly these bytes.
    pub(crate) fn get(&self, token: &[u8]) -> Option<Arc<V>> {
        let shard = self.shard(token)?;
        self.lookups.fetch_add(1, Ordering::Relaxed);
        let found = shard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(token)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(found)
    }

    /// Remembers `value`, at the price of another entry if there is no room.
    pub(crate) fn insert(&self, token: &[u8], value: Arc<V>) {
        if token.len() > MAX_TOKEN_BYTES {
            return;
        }
        if let Some(shard) = self.shard(token) {
            let evicted = shard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(token, value);
            self.evictions
                .fetch_add(u64::from(evicted), Ordering::Relaxed);
        }
    }

    fn shard(&self, token: &[u8]) -> Option<&Mutex<Shard<V>>> {
        match &*self.shards {
            [] => None,
            [only] => Some(only),
            // The signature is the token's most random part, and hashing its end is enough to
            // spread tokens over shards.
            many => {
                let end = token.len().saturating_sub(16);
                let hash = self.hasher.hash_one(&token[end..]);
                many.get(usize::try_from(hash % many.len() as u64).unwrap_or(0))
            }
        }
    }
}

impl<V> Shard<V> {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            index: HashMap::new(),
            ring: Vec::new(),
            hand: 0,
        }
    }

    fn get(&mut self, token: &[u8]) -> Option<Arc<V>> {
        let slot = self.ring.get_mut(*self.index.get(token)?)?;
        slot.marked = true;
        Some(Arc::clone(&slot.value))
    }

    /// Says whether another entry had to go.
    fn insert(&mut self, token: &[u8], value: Arc<V>) -> bool {
        if self.capacity == 0 || self.index.contains_key(token) {
            return false;
        }
        let token: Arc<[u8]> = token.into();
        let slot = Slot {
            token: Arc::clone(&token),
            value,
            marked: false,
        };
        let evicts = self.ring.len() >= self.capacity;
        let at = if evicts {
            let at = self.evict();
            self.ring[at] = slot;
            at
        } else {
            self.ring.push(slot);
            self.ring.len() - 1
        };
        self.index.insert(token, at);
        evicts
    }

    /// Forgets one entry and returns its place in the ring.
    fn evict(&mut self) -> usize {
        while self.ring[self.hand].marked {
            self.ring[self.hand].marked = false;
            self.hand = (self.hand + 1) % self.ring.len();
        }
        let at = self.hand;
        self.index.remove(&self.ring[at].token);
        self.hand = (at + 1) % self.ring.len();
        at
    }
}

#[cfg(test)]
mod tests;
