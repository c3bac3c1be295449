//! [`ApiRequest`](passerelle_syntax::ApiRequest) and [`Catalog`](passerelle_catalog::Catalog)
//! turned into a [`Plan`] that holds all that later stages need.
//!
//! Pure. After this stage nobody sees the request again.

mod build;
mod draft;
mod error;
mod negotiate;
mod plan;
mod relate;
mod reply;
mod resolve;
mod spread;

use std::sync::Arc;

pub use error::PlanError;
use passerelle_catalog::{Catalog, QualifiedName, Table};
use passerelle_syntax::{Action, ApiRequest, Count, Handling, Mutation, RowRange};
pub use plan::*;

use crate::build::Builder;
use crate::draft::Draft;

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
    match &request.action {
        Action::Read {
            relation,
            headers_only,
        } => {
            let table = table(request, catalog, relation)?;
            let read = read_plan(request, catalog, settings, role, table, *headers_only)?;
            Ok(Plan::Read(Box::new(read)))
        }
        Action::RelationInfo { relation } => Ok(Plan::RelationInfo(allowed_methods(table(
            request, catalog, relation,
        )?))),
        Action::SchemaInfo => Ok(Plan::SchemaInfo),
        Action::Mutate { mutation, .. } => Err(PlanError::UnsupportedMethod(match mutation {
            Mutation::Create => "POST",
            Mutation::Update => "PATCH",
            Mutation::SingleUpsert => "PUT",
            Mutation::Delete => "DELETE",
        })),
        Action::Call { function, .. } | Action::RoutineInfo { function } => {
            Err(PlanError::RoutineNotFound {
                schema: request.schema.clone(),
                function: function.clone(),
                similar: None,
            })
        }
        Action::Describe { .. } => Err(PlanError::UnsupportedMethod("GET")),
    }
}

fn table<'c>(
    request: &ApiRequest,
    catalog: &'c Catalog,
    relation: &str,
) -> Result<&'c Table, PlanError> {
    let name = QualifiedName::new(request.schema.as_str(), relation);
    catalog
        .table(&name)
        .ok_or_else(|| PlanError::TableNotFound {
            schema: request.schema.clone(),
            relation: relation.to_owned(),
            similar: catalog.similar_table(&request.schema, relation),
        })
}

fn allowed_methods(table: &Table) -> AllowedMethods {
    AllowedMethods {
        insert: table.insertable,
        update: table.updatable,
        delete: table.deletable,
        upsert: table.insertable && table.updatable && !table.primary_key.is_empty(),
    }
}

fn read_plan(
    request: &ApiRequest,
    catalog: &Catalog,
    settings: &PlanSettings,
    role: &str,
    table: &Table,
    headers_only: bool,
) -> Result<ReadPlan, PlanError> {
    let draft = Draft::of(request, &table.name.name, settings.legacy_target_names)?;
    let mut builder = Builder {
        catalog,
        settings,
        role,
        schema: &request.schema,
        aliases: 0,
    };
    let root = builder.root(&draft, table)?;
    let star = draft.is_star();
    let (handler, media_type) = negotiate::handler(&request.accept, catalog, &table.name, star)?;
    let preferences = &request.preferences;
    if preferences.handling == Some(Handling::Strict) && !preferences.invalid.is_empty() {
        return Err(PlanError::InvalidPreferences(preferences.invalid.clone()));
    }
    Ok(ReadPlan {
        root,
        count: preferences
            .count
            .map(|kind| count_spec(kind, request.range, settings)),
        handler: if headers_only { Handler::None } else { handler },
        transaction: TransactionSpec {
            read_only: true,
            timezone: preferences.timezone.clone(),
            end: preferences.transaction,
        },
        reply: reply::of_read(request, &draft, media_type, headers_only),
    })
}

fn count_spec(kind: Count, range: RowRange, settings: &PlanSettings) -> CountSpec {
    CountSpec {
        kind,
        separate: settings.max_rows.is_some() || range != RowRange::default(),
        max_rows: settings.max_rows,
    }
}
