//! What all handlers of the surface share.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use passerelle_catalog::Catalog;
use passerelle_identity::{UnixTime, Verifier};
use passerelle_pg::search_path;
use passerelle_store::{SharedReplies, Store};
use passerelle_surface::{EndedSessions, RateGate};
use passerelle_wire::Pool;

use crate::cache::ReplyCache;
use crate::export::ExportPermits;
use crate::settings::RestSettings;

/// Hands out the current catalogue.
type CatalogSource = Box<dyn Fn() -> Option<Arc<Catalog>> + Send + Sync>;

/// What the handlers of a worker share. Settings and catalogue are those of all workers and are
/// replaced as a whole; a request that has begun keeps those it began with.
pub struct RestState {
    pub(crate) pool: Pool,
    pub(crate) shared: Arc<Shared>,
    /// Limits of rates; without it nobody is limited.
    pub(crate) gate: Option<RateGate>,
    pub(crate) exports: ExportPermits,
    /// Replies that are kept, if any may be.
    pub(crate) cache: Option<Arc<ReplyCache>>,
    /// Who has been signed out, where that is asked.
    pub(crate) sessions: Option<EndedSessions>,
    /// Those that gateways share.
    pub(crate) replies: Option<SharedReplies>,
}

/// What all handlers of the surface share.
pub(crate) struct Shared {
    catalog: CatalogSource,
    /// Tells the time that tokens are judged by.
    pub(crate) clock: fn() -> UnixTime,
    current: ArcSwap<Ready>,
    /// Seconds a client is asked to wait while the database cannot be reached.
    retry_after: Duration,
}

/// Settings with what follows from them.
pub(crate) struct Ready {
    pub(crate) settings: RestSettings,
    /// For each exposed schema, in their order.
    search_paths: Vec<Arc<str>>,
}

impl RestState {
    /// A state with these settings. `catalog` hands out the current catalogue as soon as there
    /// is one; `clock` tells the time that tokens are judged by.
    pub fn new(
        pool: Pool,
        catalog: impl Fn() -> Option<Arc<Catalog>> + Send + Sync + 'static,
        clock: fn() -> UnixTime,
        settings: RestSettings,
    ) -> Self {
        let current = ArcSwap::from_pointee(Ready::new(settings));
        let shared = Shared {
            catalog: Box::new(catalog),
            clock,
            current,
            retry_after: Duration::from_secs(1),
        };
        Self {
            pool,
            shared: Arc::new(shared),
            gate: None,
            exports: ExportPermits::default(),
            cache: None,
            sessions: None,
            replies: None,
        }
    }

    /// The same state with a cache of replies.
    #[must_use]
    pub fn with_cache(self, cache: Option<Arc<ReplyCache>>) -> Self {
        Self { cache, ..self }
    }

    /// The same state, which refuses access tokens of sessions that have ended.
    #[must_use]
    pub fn with_session_check(self, sessions: Option<EndedSessions>) -> Self {
        Self { sessions, ..self }
    }

    /// The same state over connections of another worker, with limits as it sees them. `store` is
    /// where gateways share what they keep.
    #[must_use]
    pub fn for_worker(&self, pool: Pool, gate: RateGate, store: &Store) -> Self {
        Self {
            pool,
            shared: Arc::clone(&self.shared),
            gate: Some(gate),
            exports: self.exports.for_worker(),
            replies: self.cache.as_ref().and_then(|_| store.replies()),
            cache: self.cache.clone(),
            sessions: self.sessions.clone(),
        }
    }

    /// Who verifies callers now.
    pub fn verifier(&self) -> Arc<Verifier> {
        Arc::clone(&self.shared.ready().settings.verifier)
    }

    /// Replaces the settings for requests that begin from now on.
    pub fn reconfigure(&self, settings: RestSettings) {
        self.shared.current.store(Arc::new(Ready::new(settings)));
    }
}

impl Shared {
    /// The catalogue of a request that begins now.
    pub(crate) fn catalog(&self) -> Option<Arc<Catalog>> {
        (self.catalog)()
    }

    /// The settings of a request that begins now.
    pub(crate) fn ready(&self) -> Arc<Ready> {
        self.current.load_full()
    }

    /// The value of `Retry-After` on a 503.
    pub(crate) fn retry_after(&self) -> u64 {
        self.retry_after.as_secs()
    }
}

impl Ready {
    fn new(settings: RestSettings) -> Self {
        let extra = || settings.extra_search_path.iter().map(String::as_str);
        let search_paths = settings.exposure.schemas.iter();
        let search_paths = search_paths
            .map(|schema| search_path(std::iter::once(schema.as_str()).chain(extra())).into())
            .collect();
        Self {
            settings,
            search_paths,
        }
    }

    /// The search path of requests for a schema.
    pub(crate) fn search_path(&self, schema: &str) -> Arc<str> {
        let mut schemas = self.settings.exposure.schemas.iter();
        let known = schemas.position(|exposed| exposed == schema);
        match known.and_then(|index| self.search_paths.get(index)) {
            Some(path) => Arc::clone(path),
            None => search_path([schema]).into(),
        }
    }
}
