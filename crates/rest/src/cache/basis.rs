//! What a reply depends on, and why one is not kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use passerelle_cache::{Dependencies, Freshness, Moment};
use passerelle_catalog::QualifiedName;
use passerelle_pg::{ReadSets, Reads, Unproven};
use passerelle_planner::{Footprint, Opaque};
use thiserror::Error;

use super::settings::CachePolicy;
use crate::course::Caller;
use crate::handler::is_nobody;
use crate::work::Work;
use passerelle_surface::Closing;

/// Of so many pairs of roles and relations the result is remembered.
const REMEMBERED: usize = 4096;

/// What a reply depends on.
#[derive(Debug)]
pub(crate) struct Basis {
    /// Its tables.
    pub(crate) on: Dependencies,
    /// How long it is kept.
    pub(crate) ttl: Duration,
    /// How long it may be handed out after it was right.
    pub(crate) grace: Duration,
    /// When this was known.
    pub(crate) read: Moment,
}

/// Why a reply is not kept.
#[derive(Debug, Error)]
pub(crate) enum Bypass {
    /// What is read is not known yet, or not any more.
    #[error("what is read is not known at present")]
    NotKnown,
    /// The statement has a part that may depend on anything.
    #[error("what the request depends on cannot be told: {0:?}")]
    Opaque(Opaque),
    /// It cannot be proven what is read.
    #[error(transparent)]
    Unproven(#[from] Unproven),
    /// It changes with time.
    #[error("the rows depend on the time, and no tolerance is configured")]
    Time,
    /// It depends on parts of the request.
    #[error("the rows depend on the setting {0:?}, which is not declared")]
    Setting(String),
}

/// What is read, as it was known at a moment.
#[derive(Debug)]
pub(super) struct KnownReads {
    sets: ReadSets,
    moment: Moment,
    remembered: Mutex<HashMap<Subject, Result<Arc<Reads>, Unproven>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    /// A relation, read by a role.
    Relation(QualifiedName, Arc<str>),
    Function(QualifiedName),
}

impl KnownReads {
    pub(super) fn new(sets: ReadSets, moment: Moment) -> Self {
        Self {
            sets,
            moment,
            remembered: Mutex::default(),
        }
    }

    pub(super) fn moment(&self) -> Moment {
        self.moment
    }

    pub(super) fn basis(
        &self,
        freshness: &Freshness,
        policy: &CachePolicy,
        work: &Work,
        caller: &Caller<'_>,
    ) -> Result<Basis, Bypass> {
        if !freshness.knows_definitions(self.moment) {
            return Err(Bypass::NotKnown);
        }
        let footprint = match work {
            Work::Read(plan, _) => plan.footprint(caller.catalog),
            Work::Call(plan, _) => plan.footprint(caller.catalog),
            Work::Write(..) => return Err(Bypass::NotKnown),
        };
        if let Some(opaque) = footprint.opaque {
            return Err(Bypass::Opaque(opaque));
        }
        let reads = self.reads(footprint, caller.principal.role())?;
        let depends_on_time = reads.iter().any(|reads| reads.time);
        let ttl = policy.ttl(depends_on_time).ok_or(Bypass::Time)?;
        let parts = policy.reads_request;
        let mut settings = reads.iter().flat_map(|reads| &reads.settings);
        if let Some(setting) = settings.find(|setting| parts.misses(setting)) {
            return Err(Bypass::Setting(setting.clone()));
        }
        let mut tables: Vec<u32> = reads
            .iter()
            .flat_map(|reads| &reads.tables)
            .copied()
            .collect();
        tables.sort_unstable();
        tables.dedup();
        let clocks = tables.into_iter().map(|table| freshness.clock(table));
        Ok(Basis {
            on: Dependencies::new(clocks),
            ttl,
            grace: if depends_on_time || !is_nobody(caller.principal) {
                Duration::ZERO
            } else {
                policy.stale
            },
            read: self.moment,
        })
    }

    fn reads(&self, footprint: Footprint, role: &Arc<str>) -> Result<Vec<Arc<Reads>>, Unproven> {
        let relations = footprint.relations.into_iter();
        let relations = relations.map(|name| Subject::Relation(name, Arc::clone(role)));
        let functions = footprint.functions.into_iter().map(Subject::Function);
        relations.chain(functions).map(|one| self.of(one)).collect()
    }

    fn of(&self, subject: Subject) -> Result<Arc<Reads>, Unproven> {
        let remembered = || {
            self.remembered
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = remembered().get(&subject) {
            return known.clone();
        }
        let found = match &subject {
            Subject::Relation(name, role) => self.sets.relation(name, role),
            Subject::Function(name) => self.sets.function(name),
        };
        let found = found.map(Arc::new);
        let mut remembered = remembered();
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(subject, found.clone());
        found
    }

    /// What is to be asked at the end of a write, if anything: nothing that is followed can have
    /// been changed by one to a quiet table.
    pub(super) fn closing(&self, work: &Work) -> Option<Closing> {
        if let Work::Write(plan, _) = work
            && self.sets.is_quiet(&plan.target)
        {
            return None;
        }
        Some(if self.sets.defers_triggers() {
            Closing::Checked
        } else {
            Closing::Asked
        })
    }
}
