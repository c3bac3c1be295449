//! What is said of a request that cannot be done with this database (codes from PGRST107).

use actix_web::http::StatusCode;
use passerelle_planner::PlanError;
use passerelle_surface::{Details, ErrorBody};

use super::parse::unsupported_method;
use super::{relationship, routine, update};

/// What the client is told.
pub(super) fn body(error: &PlanError) -> ErrorBody {
    match error {
        PlanError::TableNotFound {
            schema,
            relation,
            similar,
        } => table_not_found(schema, relation, similar.as_deref()),
        PlanError::RoutineNotFound(missing) => routine::not_found(missing),
        PlanError::AmbiguousRoutine(candidates) => routine::ambiguous(candidates),
        PlanError::ColumnNotFound { relation, column } => ErrorBody::new(
            StatusCode::BAD_REQUEST,
            "PGRST204",
            format!("Could not find the '{column}' column of '{relation}' in the schema cache"),
        ),
        PlanError::NoRelationship {
            schema,
            origin,
            target,
            hint,
            similar,
        } => {
            let similar = similar
                .as_deref()
                .map(|(name, of)| (name.as_str(), of.as_str()));
            no_relationship(schema, origin, target, hint.as_deref(), similar)
        }
        PlanError::AmbiguousRelationship {
            origin,
            target,
            candidates,
        } => {
            let message = format!(
                "Could not embed because more than one relationship was found for '{origin}' and \
                 '{target}'"
            );
            let mut body = ErrorBody::new(StatusCode::MULTIPLE_CHOICES, "PGRST201", message);
            body.details = Some(Details::Json(relationship::details(candidates)));
            body.with_hint(relationship::hint(target, candidates))
        }
        PlanError::AmbiguousIndex {
            relation,
            columns,
            candidates,
        } => ambiguous_index(relation, columns, candidates),
        PlanError::NoUniqueKey { .. }
        | PlanError::KeyNotInBody { .. }
        | PlanError::NothingBesideKey { .. }
        | PlanError::OperationOnKey { .. }
        | PlanError::UnsuitableOperation { .. } => update::body(error),
        PlanError::UnsupportedMethod(method) => unsupported_method(method),
        other => of_the_request(other),
    }
}

fn table_not_found(schema: &str, relation: &str, similar: Option<&str>) -> ErrorBody {
    let message = format!("Could not find the table '{schema}.{relation}' in the schema cache");
    let body = ErrorBody::new(StatusCode::NOT_FOUND, "PGRST205", message);
    match similar {
        Some(similar) => {
            body.with_hint(format!("Perhaps you meant the table '{schema}.{similar}'"))
        }
        None => body,
    }
}

/// Predicates are not told: they may hold values of rows that the caller does not see.
fn ambiguous_index(relation: &str, columns: &[String], candidates: &[String]) -> ErrorBody {
    let message = format!(
        "More than one partial unique index of '{relation}' is on ({})",
        columns.join(", ")
    );
    let body = ErrorBody::new(StatusCode::MULTIPLE_CHOICES, "PSR605", message);
    if candidates.is_empty() {
        return body.with_hint("Name one of them as on_conflict");
    }
    let names: Vec<String> = candidates.iter().map(|name| format!("'{name}'")).collect();
    body.with_hint(format!(
        "Name one of them as on_conflict: {}",
        names.join(", ")
    ))
}

fn no_relationship(
    schema: &str,
    origin: &str,
    target: &str,
    hint: Option<&str>,
    similar: Option<(&str, &str)>,
) -> ErrorBody {
    let message = format!(
        "Could not find a relationship between '{origin}' and '{target}' in the schema cache"
    );
    let using = hint.map_or_else(String::new, |hint| format!("' using the hint '{hint}"));
    let details = format!(
        "Searched for a foreign key relationship between '{origin}' and '{target}{using}' in the \
         schema '{schema}', but no matches were found."
    );
    let body = ErrorBody::new(StatusCode::BAD_REQUEST, "PGRST200", message).with_details(details);
    match similar {
        Some((similar, of)) => {
            body.with_hint(format!("Perhaps you meant '{similar}' instead of '{of}'."))
        }
        None => body,
    }
}

/// Errors that lie in the request and not in the database.
fn of_the_request(error: &PlanError) -> ErrorBody {
    let bad = StatusCode::BAD_REQUEST;
    match error {
        PlanError::NotEmbedded { target, legacy } => not_embedded(target, legacy.as_ref()),
        PlanError::PutFilters => ErrorBody::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "PGRST105",
            "Filters must include all and only primary key columns with 'eq' operators",
        ),
        PlanError::MaxAffectedOnSingle => ErrorBody::new(
            bad,
            "PGRST128",
            "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
        ),
        PlanError::RelatedOrderNotToOne { origin, target } => ErrorBody::new(
            bad,
            "PGRST118",
            format!("A related order on '{target}' is not possible"),
        )
        .with_details(format!(
            "'{origin}' and '{target}' do not form a many-to-one or one-to-one relationship"
        )),
        PlanError::AggregatesNotAllowed => {
            ErrorBody::new(bad, "PGRST123", "Use of aggregate functions is not allowed")
        }
        PlanError::NotImplemented(details) => {
            ErrorBody::new(bad, "PGRST127", "Feature not implemented").with_details(*details)
        }
        PlanError::NotAcceptable(media_types) => ErrorBody::new(
            StatusCode::NOT_ACCEPTABLE,
            "PGRST107",
            format!(
                "None of these media types are available: {}",
                media_types.join(", ")
            ),
        ),
        PlanError::InvalidPreferences(preferences) => ErrorBody::new(
            bad,
            "PGRST122",
            "Invalid preferences given with handling=strict",
        )
        .with_details(format!("Invalid preferences: {}", preferences.join(", "))),
        _ => ErrorBody::new(bad, "PGRST100", error.to_string()),
    }
}

fn not_embedded(target: &str, legacy: Option<&(String, String)>) -> ErrorBody {
    let body = ErrorBody::new(
        StatusCode::BAD_REQUEST,
        "PGRST108",
        format!("'{target}' is not an embedded resource in this request"),
    );
    match legacy {
        None => body.with_hint(format!(
            "Verify that '{target}' is included in the 'select' query parameter."
        )),
        Some((relation, alias)) => body
            .with_details("Target names are not allowed in filters if they have an alias")
            .with_hint(format!(
                "Change '{relation}' to '{alias}' in filters, orders or limits."
            )),
    }
}
