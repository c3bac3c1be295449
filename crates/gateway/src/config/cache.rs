//! `[cache]`: which replies are kept, and what has to be known for it.

use std::collections::{BTreeMap, BTreeSet};

use passerelle_catalog::QualifiedName;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::check::within;

const DAY: u64 = 24 * 60 * 60;
const MEGABYTE: u64 = 1024 * 1024;

/// `[cache]`
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CacheSettings {
    pub(crate) enabled: bool,
    pub(crate) memory_bytes: u64,
    pub(crate) max_entry_bytes: usize,
    pub(crate) follow: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tables: BTreeMap<String, CachedSettings>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) functions: BTreeMap<String, CachedSettings>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) reads: BTreeMap<String, ReadSettings>,
}

/// `[cache.tables."schema.table"]` and `[cache.functions."schema.function"]`
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CachedSettings {
    pub(crate) ttl_seconds: u64,
    #[serde(default)]
    pub(crate) audience: AudienceName,
    #[serde(default)]
    pub(crate) stale_while_revalidate_seconds: u64,
    #[serde(default)]
    pub(crate) time_tolerance_seconds: u64,
    #[serde(default)]
    pub(crate) counters: Vec<String>,
    #[serde(default)]
    pub(crate) request: BTreeSet<RequestPart>,
}

/// `audience`: whose replies are kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AudienceName {
    #[default]
    Anonymous,
    Everyone,
}

/// `request`: parts of a request that policies and functions look at.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RequestPart {
    Method,
    Path,
    Headers,
    Cookies,
}

/// `[cache.reads."schema.function"]`: what a function reads that cannot be looked into.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReadSettings {
    pub(crate) relations: Vec<String>,
    pub(crate) time: bool,
    pub(crate) settings: Vec<String>,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            memory_bytes: 64 * MEGABYTE,
            max_entry_bytes: 1024 * 1024,
            follow: Vec::new(),
            tables: BTreeMap::new(),
            functions: BTreeMap::new(),
            reads: BTreeMap::new(),
        }
    }
}

impl CacheSettings {
    /// Whether anything is to be kept.
    pub(crate) fn is_used(&self) -> bool {
        self.enabled && !(self.tables.is_empty() && self.functions.is_empty())
    }

    /// Refuses what cannot be meant.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        within("cache.memory_bytes", self.memory_bytes, MEGABYTE..=1 << 40)?;
        let most = self.max_entry_bytes as u64;
        within("cache.max_entry_bytes", most, 1024..=self.memory_bytes)?;
        for cached in self.tables.values() {
            cached.check("cache.tables.….ttl_seconds")?;
        }
        for cached in self.functions.values() {
            cached.check("cache.functions.….ttl_seconds")?;
            if !cached.counters.is_empty() {
                return Err(ConfigError::Value {
                    key: "cache.functions.….counters",
                    expected: "left out: columns that do not count belong to tables".to_owned(),
                });
            }
        }
        let tables = self.tables.keys().map(|name| ("cache.tables", name));
        let functions = self.functions.keys().map(|name| ("cache.functions", name));
        let reads = self.reads.iter();
        let reads = reads.flat_map(|(name, reads)| std::iter::once(name).chain(&reads.relations));
        let reads = reads.map(|name| ("cache.reads", name));
        let follow = self.follow.iter().map(|name| ("cache.follow", name));
        for (key, name) in tables.chain(functions).chain(reads).chain(follow) {
            if qualified(name).is_none() {
                return Err(ConfigError::Value {
                    key,
                    expected: format!("by schema and name, which {name:?} is not"),
                });
            }
        }
        Ok(())
    }
}

impl CachedSettings {
    fn check(&self, key: &'static str) -> Result<(), ConfigError> {
        within(key, self.ttl_seconds, 1..=30 * DAY)?;
        within(
            "cache.….stale_while_revalidate_seconds",
            self.stale_while_revalidate_seconds,
            0..=DAY,
        )
    }
}

/// `schema.name`
pub(crate) fn qualified(text: &str) -> Option<QualifiedName> {
    let (schema, name) = text.split_once('.')?;
    let is_name = !schema.is_empty() && !name.is_empty();
    is_name.then(|| QualifiedName::new(schema, name))
}
