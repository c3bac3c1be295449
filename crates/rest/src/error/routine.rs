//! What is said of a function that cannot be found, or not told from others.

use actix_web::http::StatusCode;
use passerelle_planner::MissingRoutine;
use passerelle_surface::ErrorBody;
use passerelle_syntax::MediaType;

/// PGRST202
pub(super) fn not_found(missing: &MissingRoutine) -> ErrorBody {
    let MissingRoutine {
        schema,
        function,
        arguments,
        ..
    } = missing;
    let name = format!("{schema}.{function}");
    let list = arguments.join(", ");
    // A body that is no JSON can only be the one parameter of a function.
    let only_parameter = match missing.posted {
        Some(MediaType::Plain) => Some("text"),
        Some(MediaType::Xml) => Some("xml"),
        Some(MediaType::OctetStream) => Some("bytea"),
        _ => None,
    };
    let called = match (only_parameter, arguments.as_slice()) {
        (Some(_), _) => String::new(),
        (None, []) => " without parameters".to_owned(),
        (None, _) => format!("({list})"),
    };
    let wanted = match (only_parameter, arguments.as_slice()) {
        (Some(only), _) => format!(" with a single unnamed {only} parameter"),
        (None, []) => " without parameters".to_owned(),
        (None, [one]) => format!(" with parameter {one}"),
        (None, _) => format!(" with parameters {list}"),
    };
    let or_json = match missing.posted {
        Some(MediaType::Json) => " or with a single unnamed json/jsonb parameter",
        _ => "",
    };
    let message = format!("Could not find the function {name}{called} in the schema cache");
    let details = format!(
        "Searched for the function {name}{wanted}{or_json}, but no matches were found in the \
         schema cache."
    );
    let body = ErrorBody::new(StatusCode::NOT_FOUND, "PGRST202", message).with_details(details);
    match &missing.similar {
        Some(similar) if only_parameter.is_none() => body.with_hint(format!(
            "Perhaps you meant to call the function {schema}.{similar}"
        )),
        _ => body,
    }
}

/// PGRST203
pub(super) fn ambiguous(candidates: &[String]) -> ErrorBody {
    let message = format!(
        "Could not choose the best candidate function between: {}",
        candidates.join(", ")
    );
    let hint = "Try renaming the parameters or the function itself in the database so function \
                overloading can be resolved";
    ErrorBody::new(StatusCode::MULTIPLE_CHOICES, "PGRST203", message).with_hint(hint)
}
