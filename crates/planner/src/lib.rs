//! [`ApiRequest`] and [`Catalog`]
//! turned into a [`Plan`] that holds all that later stages need.
//!
//! Pure. After this stage nobody sees the request again.

mod build;
mod call;
mod conflict;
mod context;
mod draft;
mod error;
mod footprint;
mod mutate;
mod negotiate;
mod plan;
mod read;
mod relate;
mod reply;
mod resolve;
mod routine;
mod spread;
mod update;
mod write;

use std::sync::Arc;

pub use call::*;
pub use error::{MissingRoutine, PlanError};
pub use footprint::{Footprint, Opaque};
use passerelle_catalog::Catalog;
use passerelle_syntax::{Action, ApiRequest, Invocation, Payload};
pub use plan::*;
pub use write::*;

use crate::context::Context;

/// What the configuration says about planning.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the configuration"
)]
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
    /// `on_conflict` finds partial unique indexes and takes names of unique indexes.
    pub index_conflict: bool,
}

/// Plans a request of `role` that has no body, or whose body says nothing.
///
/// # Errors
/// As for [`plan_with`].
pub fn plan(
    request: &ApiRequest,
    catalog: &Catalog,
    settings: &PlanSettings,
    role: &Arc<str>,
) -> Result<Plan, PlanError> {
    plan_with(request, &Payload::None, catalog, settings, role)
}

/// Plans a request of `role` with its body.
///
/// # Errors
/// [`PlanError`] when the database has no such relation, relationship, column or function, or the
/// request asks for what is not allowed.
pub fn plan_with(
    request: &ApiRequest,
    payload: &Payload,
    catalog: &Catalog,
    settings: &PlanSettings,
    role: &Arc<str>,
) -> Result<Plan, PlanError> {
    let context = Context {
        request,
        payload,
        catalog,
        settings,
        role,
    };
    match &request.action {
        Action::Read {
            relation,
            headers_only,
        } => Ok(Plan::Read(Box::new(context.read(relation, *headers_only)?))),
        Action::Mutate { relation, mutation } => {
            Ok(Plan::Mutate(Box::new(context.mutate(relation, *mutation)?)))
        }
        Action::Call {
            function,
            invocation,
        } => Ok(Plan::Call(Box::new(context.call(function, *invocation)?))),
        Action::RelationInfo { relation } => context.relation_info(relation),
        Action::RoutineInfo { function } => {
            let routine = context.routine(function, Invocation::Get)?;
            Ok(Plan::RoutineInfo {
                volatile: routine.volatility == passerelle_catalog::Volatility::Volatile,
            })
        }
        Action::SchemaInfo => Ok(Plan::SchemaInfo),
        Action::Describe { headers_only } => context.describe(*headers_only),
    }
}
