//! What is said of updates by key and of operations that cannot be done (PSR601 to PSR614).

use actix_web::http::StatusCode;
use passerelle_planner::PlanError;
use passerelle_sql::RefusedOperation;
use passerelle_surface::ErrorBody;

/// What the client is told of an operation on a value that it is not for.
pub(super) fn refused(refused: &RefusedOperation<'_>) -> ErrorBody {
    let RefusedOperation { operation, column } = refused;
    let message = format!("Cannot apply {operation} to what column '{column}' holds");
    ErrorBody::new(StatusCode::BAD_REQUEST, "PSR614", message)
        .with_details("A value of a row is of another kind, or has other dimensions")
}

/// What the client is told.
pub(super) fn body(error: &PlanError) -> ErrorBody {
    let bad = |code: &'static str, message: String| {
        ErrorBody::new(StatusCode::BAD_REQUEST, code, message)
    };
    match error {
        PlanError::NoUniqueKey {
            relation,
            columns: None,
        } => bad("PSR601", format!("'{relation}' has no primary key"))
            .with_hint("Name the columns of a unique key as on_conflict"),
        PlanError::NoUniqueKey {
            relation,
            columns: Some(columns),
        } => {
            let columns = columns.join(", ");
            bad(
                "PSR601",
                format!("({columns}) is no unique key of '{relation}'"),
            )
        }
        PlanError::KeyNotInBody { column } => bad(
            "PSR602",
            format!("The rows of the body lack the key column '{column}'"),
        ),
        PlanError::NothingBesideKey { relation } => {
            let message = format!("The body sets no column of '{relation}' beside its key");
            bad("PSR606", message)
        }
        PlanError::OperationOnKey { column, operation } => {
            let operation = operation.as_str();
            bad(
                "PSR611",
                format!("Cannot apply {operation} to the key column '{column}'"),
            )
        }
        PlanError::UnsuitableOperation {
            column,
            operation,
            type_name,
        } => {
            let operation = operation.as_str();
            let message =
                format!("Cannot apply {operation} to column '{column}' of type {type_name}");
            bad("PSR611", message)
        }
        _ => bad("PGRST100", error.to_string()),
    }
}
