//! The validated configuration of the REST surface.

use std::collections::HashMap;
use std::sync::Arc;

use passerelle_catalog::QualifiedName;
use passerelle_identity::Verifier;
use passerelle_planner::PlanSettings;
use passerelle_surface::{HttpLimits, RateLimitSettings, Verbosity};
use passerelle_syntax::{Exposure, Limits, TransactionEnd};

use crate::batch::BatchSettings;
use crate::describe::DescribeSettings;
use crate::export::ExportSettings;

/// How transactions end, and whether a request may choose (`db-tx-end`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransactionMode {
    /// `commit`
    #[default]
    Commit,
    /// `commit-allow-override`
    CommitAllowOverride,
    /// `rollback`
    Rollback,
    /// `rollback-allow-override`
    RollbackAllowOverride,
}

impl TransactionMode {
    /// Whether `Prefer: tx=` is honoured.
    pub fn allows_override(self) -> bool {
        matches!(
            self,
            Self::CommitAllowOverride | Self::RollbackAllowOverride
        )
    }

    /// Whether a transaction ends with a rollback, given what its request prefers.
    pub fn rolls_back(self, preferred: Option<TransactionEnd>) -> bool {
        match preferred {
            Some(end) => end == TransactionEnd::Rollback,
            None => matches!(self, Self::Rollback | Self::RollbackAllowOverride),
        }
    }
}

/// Where credentials are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// The Bearer token alone, as `PostgREST` does.
    Bearer,
    /// The Bearer token or the `apikey` header, and opaque keys, as supabase-js sends them.
    ApiKey,
}

/// What PostgreSQL may expect the reads of a role to cost, by role, in the unit of its planner (the total
/// cost of the plan, in which a page that is read in sequence costs `seq_page_cost`). Roles that are not
/// named may ask for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CostLimits(HashMap<Box<str>, u64>);

impl CostLimits {
    /// The limit of a role.
    pub fn of(&self, role: &str) -> Option<u64> {
        self.0.get(role).copied()
    }
}

impl FromIterator<(Box<str>, u64)> for CostLimits {
    fn from_iter<T: IntoIterator<Item = (Box<str>, u64)>>(limits: T) -> Self {
        Self(limits.into_iter().collect())
    }
}

/// What the configuration says about the REST surface.
pub struct RestSettings {
    /// Path the surface is mounted at, without a slash at its end: `/rest/v1`, or nothing.
    pub prefix: String,
    /// Verifies callers.
    pub verifier: Arc<Verifier>,
    /// Where credentials are looked for.
    pub credentials: CredentialKind,
    /// Schemas and endpoints that are exposed. `allow_transaction_override` agrees with
    /// [`Self::transaction_mode`].
    pub exposure: Exposure,
    /// Schemas that follow that of the request in the search path.
    pub extra_search_path: Vec<String>,
    /// Bounds on what the grammar reads.
    pub limits: Limits,
    /// Bounds on requests as HTTP.
    pub http_limits: HttpLimits,
    /// Several requests in one transaction, where the extension is switched on.
    pub batch: BatchSettings,
    /// Replies that are sent while their rows arrive; none, if none may run.
    pub exports: ExportSettings,
    /// What reads may cost.
    pub cost_limits: CostLimits,
    /// How many requests a caller may make; as many as it likes when absent.
    pub rate_limits: Option<RateLimitSettings>,
    /// How schemas are described.
    pub describe: DescribeSettings,
    /// What planning needs to know.
    pub planning: PlanSettings,
    /// How transactions end.
    pub transaction_mode: TransactionMode,
    /// Function that runs before every request's statement.
    pub pre_request: Option<QualifiedName>,
    /// Settings for SQL, with their whole names (`app.settings.…`).
    pub app_settings: Vec<(Box<str>, Box<str>)>,
    /// Whether the statements of requests are logged, with the severity of their status.
    pub log_query: bool,
    /// Whether replies carry `Server-Timing`.
    pub server_timing: bool,
    /// How much errors say.
    pub verbosity: Verbosity,
}
