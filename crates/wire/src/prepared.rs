//! Which statements the server has prepared for one connection, and under which name.
//! It never talks to the server; the flight does, and reports back.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::num::NonZeroUsize;

use foldhash::fast::RandomState;
use lru::LruCache;

use crate::flight::Scope;

/// The prepared statements of a connection, bounded, the least recently used dropped first.
#[derive(Debug)]
pub(crate) struct PreparedStatements {
    /// By a seeded hash of scope and text; an entry is compared before it is believed.
    entries: LruCache<u64, Prepared>,
    hasher: RandomState,
    next_name: u64,
    /// Names that the server may forget, told to it with the next flight.
    closing: Vec<String>,
}

/// One statement known to the server.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// `None` for what no role or search path changes: the beginnings and ends of transactions.
    pub(crate) scope: Option<Scope>,
    pub(crate) text: String,
    pub(crate) name: String,
}

impl Prepared {
    pub(crate) fn is(&self, scope: Option<&Scope>, text: &str) -> bool {
        self.scope.as_ref() == scope && self.text == text
    }
}

impl PreparedStatements {
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            entries: LruCache::new(capacity),
            hasher: RandomState::default(),
            next_name: 0,
            closing: Vec::new(),
        }
    }

    pub(crate) fn key(&self, scope: Option<&Scope>, text: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        scope.hash(&mut hasher);
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    /// The name of the prepared statement, now the most recently used.
    pub(crate) fn name(&mut self, key: u64, scope: Option<&Scope>, text: &str) -> Option<&str> {
        let entry = self.entries.get(&key)?;
        entry.is(scope, text).then_some(entry.name.as_str())
    }

    /// A name that this connection has not used before.
    pub(crate) fn fresh_name(&mut self) -> String {
        self.next_name += 1;
        format!("p{}", self.next_name)
    }

    /// Remembers what the server has confirmed. What gives way is closed with the next flight, so
    /// a statement of the flight that is still being answered stays valid.
    pub(crate) fn insert(&mut self, key: u64, prepared: Prepared) {
        if let Some((_, evicted)) = self.entries.push(key, prepared) {
            self.closing.push(evicted.name);
        }
    }

    /// Forgets one statement.
    pub(crate) fn remove(&mut self, key: u64) {
        if let Some(removed) = self.entries.pop(&key) {
            self.closing.push(removed.name);
        }
    }

    /// Forgets everything, since the server has.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.closing.clear();
    }

    pub(crate) fn take_closing(&mut self) -> std::vec::Drain<'_, String> {
        self.closing.drain(..)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}
