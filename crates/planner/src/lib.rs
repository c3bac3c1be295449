//! [`ApiRequest`](passerelle_syntax::ApiRequest) and [`Catalog`](passerelle_catalog::Catalog)
//! turned into a [`Plan`] that holds all that later stages need.
//!
//! Pure. After this stage nobody sees the request again.

mod error;
mod plan;

use std::sync::Arc;

pub use error::PlanError;
use passerelle_catalog::Catalog;
use passerelle_syntax::ApiRequest;
pub use plan::*;

/// What the configuration says about planning.
#[derive(Clone, Debug)]
pub struct PlanSettings {
    /// Rows of a reply at most, on every level.
    pub max_rows: Option<u64>,
    /// Aggregate functions may be used.
    pub aggregates_enabled: bool,
    /// Embeds with an alias may be addressed by their relation's name in filters and the like
    /// (`url-use-legacy-target-names`).
    pub legacy_target_names: bool,
    /// `*` stands for the columns the role may read, not for all.
    pub expand_star: bool,
    /// `application/vnd.pgrst.plan` may be asked for.
    pub plan_enabled: bool,
}

/// Plans a request for `role`.
///
/// # Errors
/// [`PlanError`] when the database has no such relation or relationship, or the request asks for
/// what is not allowed.
pub fn plan(
    request: &ApiRequest,
    catalog: &Catalog,
    settings: &PlanSettings,
    role: &Arc<str>,
) -> Result<Plan, PlanError> {
    let _ = (request, catalog, settings, role);
    Err(PlanError::UnsupportedMethod("GET"))
}
