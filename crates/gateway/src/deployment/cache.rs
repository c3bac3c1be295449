//! Replies that are kept, as `passerelle serve` is configured.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use passerelle_catalog::QualifiedName;
use passerelle_pg::{Counters, DeclaredReads, ReadDeclarations, ToFollow};
use passerelle_rest::{Audience, CachePolicy, CacheSettings, RequestParts};
use passerelle_wire::Endpoint;

use super::DeploymentError;
use crate::config::{self, AudienceName, CachedSettings, RequestPart, Settings, qualified};

/// What keeping replies takes.
pub(crate) struct CacheParts {
    /// Where changes are read.
    pub(crate) feed: Endpoint,
    /// Bytes that replies may take.
    pub(crate) bytes: u64,
    pub(crate) settings: CacheSettings,
    pub(crate) wanted: Wanted,
    /// There may be other gateways for the same database.
    pub(crate) may_have_others: bool,
}

/// What has to be known of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) tables: Vec<QualifiedName>,
    /// Relations that are embedded in those.
    pub(crate) embedded: Vec<QualifiedName>,
    pub(crate) functions: Vec<QualifiedName>,
    /// What functions read that cannot be looked into.
    pub(crate) declared: ReadDeclarations,
    /// Columns whose change alone is nothing.
    pub(crate) counters: Counters,
}

/// Nothing where nothing is to be kept.
pub(super) fn cache(settings: &Settings) -> Result<Option<CacheParts>, DeploymentError> {
    let cache = &settings.cache;
    if !cache.is_used() {
        return Ok(None);
    }
    Ok(Some(CacheParts {
        feed: super::feed_endpoint(settings)?,
        bytes: cache.memory_bytes,
        settings: CacheSettings {
            max_entry_bytes: cache.max_entry_bytes,
            tables: policies(&cache.tables),
            functions: policies(&cache.functions),
        },
        wanted: Wanted::of(cache),
        may_have_others: !settings.redis.url.is_empty(),
    }))
}

impl Wanted {
    /// What has to be followed for it.
    pub(crate) fn to_follow(&self) -> ToFollow<'_> {
        ToFollow {
            relations: [&self.tables, &self.embedded],
            functions: &self.functions,
            declared: &self.declared,
            counters: &self.counters,
        }
    }

    /// What settings need that were checked.
    pub(crate) fn of(cache: &config::CacheSettings) -> Self {
        let names = |names: &BTreeMap<String, CachedSettings>| {
            names.keys().filter_map(|name| qualified(name)).collect()
        };
        let declared = cache.reads.iter().filter_map(|(name, reads)| {
            let relations = reads.relations.iter();
            let declared = DeclaredReads {
                relations: relations.filter_map(|name| qualified(name)).collect(),
                time: reads.time,
                settings: reads.settings.clone(),
            };
            Some((qualified(name)?, declared))
        });
        let counters = cache.tables.iter().filter_map(|(name, cached)| {
            let counters = cached.counters.clone();
            (!counters.is_empty()).then_some((qualified(name)?, counters))
        });
        Self {
            tables: names(&cache.tables),
            embedded: cache
                .follow
                .iter()
                .filter_map(|name| qualified(name))
                .collect(),
            functions: names(&cache.functions),
            declared: declared.collect(),
            counters: counters.collect(),
        }
    }
}

fn policies(all: &BTreeMap<String, CachedSettings>) -> HashMap<QualifiedName, CachePolicy> {
    let all = all.iter();
    all.filter_map(|(name, cached)| Some((qualified(name)?, policy(cached))))
        .collect()
}

fn policy(cached: &CachedSettings) -> CachePolicy {
    let tolerance = cached.time_tolerance_seconds;
    let has = |part| cached.request.contains(&part);
    CachePolicy {
        ttl: Duration::from_secs(cached.ttl_seconds),
        audience: match cached.audience {
            AudienceName::Anonymous => Audience::Anonymous,
            AudienceName::Everyone => Audience::Everyone,
        },
        stale: Duration::from_secs(cached.stale_while_revalidate_seconds),
        time_tolerance: (tolerance != 0).then(|| Duration::from_secs(tolerance)),
        reads_request: RequestParts {
            method: has(RequestPart::Method),
            path: has(RequestPart::Path),
            headers: has(RequestPart::Headers),
            cookies: has(RequestPart::Cookies),
        },
    }
}
