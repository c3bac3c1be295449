//! What is said of a request that is not understood (codes from PGRST100).

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use passerelle_surface::{ErrorBody, HttpLimits};
use passerelle_syntax::{ParseError, QueryBodyError, RangeFault};

/// What the client is told.
pub(super) fn body(error: &ParseError) -> ErrorBody {
    let bad = StatusCode::BAD_REQUEST;
    match error {
        ParseError::Query { message, details } => {
            ErrorBody::new(bad, "PGRST100", message.clone()).with_details(details.clone())
        }
        ParseError::UnacceptableSchema { schema, exposed } => ErrorBody::new(
            StatusCode::NOT_ACCEPTABLE,
            "PGRST106",
            format!("Invalid schema: {schema}"),
        )
        .with_hint(format!(
            "Only the following schemas are exposed: {}",
            exposed.join(", ")
        )),
        ParseError::InvalidRange(fault) => range(*fault),
        ParseError::InvalidPath => ErrorBody::new(
            StatusCode::NOT_FOUND,
            "PGRST125",
            "Invalid path specified in request URL",
        ),
        ParseError::UnsupportedMethod(method) => unsupported_method(method),
        ParseError::InvalidRoutineMethod(method) => ErrorBody::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "PGRST101",
            format!("Cannot use the {method} method on RPC"),
        ),
        ParseError::PutLimit => ErrorBody::new(
            bad,
            "PGRST114",
            "limit/offset querystring parameters are not allowed for PUT",
        ),
        ParseError::RootDisabled => ErrorBody::new(
            StatusCode::NOT_FOUND,
            "PGRST126",
            "Root endpoint metadata is disabled",
        ),
        ParseError::QueryTooLong { limit } => {
            ErrorBody::new(StatusCode::URI_TOO_LONG, "PSR414", "URI too long")
                .with_details(format!("The query string exceeds {limit} bytes"))
        }
        ParseError::QueryBody(error) => query_body(error),
        ParseError::TooComplex { what, limit } => {
            ErrorBody::new(bad, "PGRST100", "The request is too complex")
                .with_details(format!("{what} exceeds the limit of {limit}"))
        }
    }
}

/// A QUERY whose body is not understood (RFC 10008, section 2).
fn query_body(error: &QueryBodyError) -> ErrorBody {
    let status = match error {
        QueryBodyError::TooLong { limit } => {
            let body_bytes = *limit as u64;
            return HttpLimits {
                body_bytes,
                ..HttpLimits::default()
            }
            .body_too_large();
        }
        QueryBodyError::ContentType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        QueryBodyError::NoContentType | QueryBodyError::NotText | QueryBodyError::NotParameters => {
            StatusCode::BAD_REQUEST
        }
    };
    let (name, value) = accept_query();
    ErrorBody::new(status, "PGRST102", error.to_string()).with_header(name, value)
}

/// The header that says what the body of a QUERY may be (RFC 10008, section 3).
pub(crate) fn accept_query() -> (HeaderName, HeaderValue) {
    (
        HeaderName::from_static("accept-query"),
        HeaderValue::from_static("application/x-www-form-urlencoded, application/json"),
    )
}

/// A method that is not known on a relation (PGRST117).
pub(super) fn unsupported_method(method: &str) -> ErrorBody {
    ErrorBody::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "PGRST117",
        format!("Unsupported HTTP method: {method}"),
    )
}

/// A range that cannot be satisfied (PGRST103).
pub(crate) fn range(fault: RangeFault) -> ErrorBody {
    let body = ErrorBody::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "PGRST103",
        "Requested range not satisfiable",
    );
    match fault {
        RangeFault::NegativeLimit => {
            body.with_details("Limit should be greater than or equal to zero.")
        }
        RangeFault::LowerAboveUpper => body.with_details(
            "The lower boundary must be lower than or equal to the upper boundary in the Range \
             header.",
        ),
        RangeFault::OutOfBounds { lower, total } => body.with_details(format!(
            "An offset of {lower} was requested, but there are only {total} rows."
        )),
    }
}
