//! Replies that are kept, for tables and functions whose configuration asks for it: who may have one,
//! what it is kept under, and how long it is right.

mod basis;
mod counters;
mod entry;
mod key;
mod settings;
mod shared;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::{ArcSwap, ArcSwapOption};
use passerelle_cache::{Freshness, Kept, Moment, ReplyKey, Shelf, SingleFlight};
use passerelle_catalog::QualifiedName;
use passerelle_pg::ReadSets;
use passerelle_planner::Source;
use passerelle_surface::{Closing, Fence, Writes};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use self::basis::Basis;
use self::basis::KnownReads;
use self::counters::Counters;
pub(crate) use self::counters::Outcome;
pub use self::counters::TableCounters;
pub(crate) use self::entry::{Entry, NewReply, Sharing, mark, wants_fresh};

pub use self::settings::{Audience, CachePolicy, CacheSettings, RequestParts};
use crate::course::Caller;
use crate::work::Work;

/// The cache of one process, for all its workers.
pub struct ReplyCache {
    freshness: Arc<Freshness>,
    fence: Arc<dyn Fence>,
    shelf: Shelf,
    pub(crate) flights: Arc<SingleFlight>,
    /// What is read, as far as that is known at present.
    known: ArcSwapOption<KnownReads>,
    current: ArcSwap<Current>,
    refreshing: Arc<Semaphore>,
}

/// One of the replies that are asked for beside requests.
pub(crate) type Refreshing = OwnedSemaphorePermit;

/// So many at a time, so that they leave connections to requests that somebody waits for.
const REFRESHING: usize = 4;

/// The settings, with what follows from them.
struct Current {
    settings: CacheSettings,
    tables: HashMap<QualifiedName, Arc<Policy>>,
    functions: HashMap<QualifiedName, Arc<Policy>>,
}

/// How replies of one table or function are kept.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) settings: CachePolicy,
    pub(crate) counters: Arc<Counters>,
    /// Tells it from the same table under other settings.
    digest: Box<str>,
    most_bytes: usize,
}

impl fmt::Debug for ReplyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyCache").finish_non_exhaustive()
    }
}

impl ReplyCache {
    /// An empty cache of so many bytes at most. `freshness` is fed by the change feed; `fence` is
    /// passed by every write before its reply.
    pub fn new(
        bytes: u64,
        freshness: Arc<Freshness>,
        fence: Arc<dyn Fence>,
        settings: CacheSettings,
    ) -> Self {
        Self {
            freshness,
            fence,
            shelf: Shelf::new(bytes),
            flights: Arc::default(),
            known: ArcSwapOption::empty(),
            current: ArcSwap::from_pointee(Current::new(settings, None)),
            refreshing: Arc::new(Semaphore::new(REFRESHING)),
        }
    }

    /// What is read, as it was loaded at a moment.
    pub fn know(&self, sets: ReadSets, moment: Moment) {
        let known = KnownReads::new(sets, moment);
        self.known.store(Some(Arc::new(known)));
    }

    /// Other settings for requests that begin from now on.
    pub fn reconfigure(&self, settings: CacheSettings) {
        let current = self.current.load();
        if current.settings != settings {
            let next = Current::new(settings, Some(&current));
            self.current.store(Arc::new(next));
            self.shelf.clear();
        }
    }

    /// Forgets everything.
    pub fn flush(&self) {
        self.shelf.clear();
    }

    /// How fresh things are.
    pub fn freshness(&self) -> &Arc<Freshness> {
        &self.freshness
    }

    /// How often replies were kept and handed out, by table or function in alphabetical order.
    pub fn counters(&self) -> Vec<TableCounters> {
        let current = self.current.load();
        let all = current.tables.iter().chain(&current.functions);
        let all = all.map(|(name, policy)| policy.counters.read(name));
        let mut all: Vec<TableCounters> = all.collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// Bytes that are in use, and replies, both roughly.
    pub fn size(&self) -> (u64, u64) {
        (self.shelf.bytes(), self.shelf.len())
    }

    /// How replies of what a request asks for are kept, if they are.
    pub(crate) fn policy(&self, work: &Work) -> Option<Arc<Policy>> {
        let current = self.current.load();
        match work {
            Work::Read(plan, _) => match &plan.root.source {
                Source::Relation { name, .. } => current.tables.get(name).cloned(),
                _ => None,
            },
            Work::Call(plan, _) => current.functions.get(&plan.function).cloned(),
            Work::Write(..) => None,
        }
    }

    /// The reply that is kept and right.
    pub(crate) fn get(&self, key: &ReplyKey, now: Instant) -> Option<Arc<Kept>> {
        let kept = self.shelf.get(key, now)?;
        self.holds(&kept, now).then_some(kept)
    }

    /// Whether a reply is right now.
    pub(crate) fn holds(&self, kept: &Kept, now: Instant) -> bool {
        self.freshness.is_right(kept, now)
    }

    /// The reply that is kept, and was right a short time ago.
    pub(crate) fn stale(&self, key: &ReplyKey, now: Instant) -> Option<Arc<Kept>> {
        let kept = self.shelf.get_stale(key)?;
        self.freshness.lingers(&kept, now).then_some(kept)
    }

    /// What the reply to a caller depends on.
    pub(crate) fn basis(
        &self,
        policy: &Policy,
        work: &Work,
        caller: &Caller<'_>,
    ) -> Result<Basis, basis::Bypass> {
        let known = self.known.load_full();
        let known = known.ok_or(basis::Bypass::NotKnown)?;
        known.basis(&self.freshness, &policy.settings, work, caller)
    }

    /// Keeps a reply, if what it depends on is still known.
    pub(crate) fn keep(&self, key: ReplyKey, basis: &Basis, kept: &Arc<Kept>) -> bool {
        let known = self.freshness.knows_definitions(basis.read);
        if known {
            self.shelf.put(key, Arc::clone(kept));
        }
        known
    }

    /// Forgets the reply under a key, which is another now that nobody keeps.
    pub(crate) fn forget(&self, key: &ReplyKey) {
        self.shelf.remove(key);
    }

    /// A place among the replies that are asked for beside requests, while there is one.
    pub(crate) fn refreshing(&self) -> Option<Refreshing> {
        Arc::clone(&self.refreshing).try_acquire_owned().ok()
    }

    /// What a write has to pass before its reply.
    pub(crate) fn writes(&self, work: &Work) -> Option<Writes<'_>> {
        let current = self.current.load();
        if current.tables.is_empty() && current.functions.is_empty() {
            return None;
        }
        let known = self.known.load();
        let closing = match known.as_deref() {
            Some(known) if self.freshness.knows_definitions(known.moment()) => {
                known.closing(work)?
            }
            _ => Closing::Checked,
        };
        Some(Writes::new(&*self.fence, closing))
    }

    /// What a transaction of several requests has to pass before its reply.
    pub(crate) fn writes_of_batch(&self) -> Option<Writes<'_>> {
        let current = self.current.load();
        let is_used = !current.tables.is_empty() || !current.functions.is_empty();
        is_used.then(|| Writes::new(&*self.fence, Closing::Checked))
    }
}

impl Current {
    fn new(settings: CacheSettings, before: Option<&Self>) -> Self {
        let most_bytes = settings.max_entry_bytes;
        let build = |policies: &HashMap<QualifiedName, CachePolicy>,
                     before: Option<&HashMap<QualifiedName, Arc<Policy>>>| {
            let build = |(name, policy): (&QualifiedName, &CachePolicy)| {
                let known = before.and_then(|before| before.get(name));
                let counters = known.map(|known| Arc::clone(&known.counters));
                let policy = Policy {
                    digest: policy.digest(),
                    settings: policy.clone(),
                    counters: counters.unwrap_or_default(),
                    most_bytes,
                };
                (name.clone(), Arc::new(policy))
            };
            policies.iter().map(build).collect()
        };
        Self {
            tables: build(&settings.tables, before.map(|before| &before.tables)),
            functions: build(&settings.functions, before.map(|before| &before.functions)),
            settings,
        }
    }
}
