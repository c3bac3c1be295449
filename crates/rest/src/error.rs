//! Why a request of the surface fails, and the table of what each failure says.
//!
//! Codes, statuses and texts are `PostgREST`'s (its reference, "Errors").

mod batch;
mod parse;
mod plan;
mod relationship;
mod routine;
mod update;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use passerelle_identity::TokenError;
use passerelle_pg::{ErrorReply, error_reply};
use passerelle_planner::PlanError;
use passerelle_sql::RefusedOperation;
use passerelle_surface::{Details, ErrorBody, HttpLimits, RequestId, SessionRefusal};
use passerelle_syntax::{ParseError, PayloadError};
use passerelle_wire::{PoolError, WireError};
use thiserror::Error;

pub(crate) use self::parse::{accept_query, range as range_body};
use crate::batch::{BatchError, ReferenceError};
use passerelle_surface::body::BodyError;

/// Names the item that a batch failed at.
pub(crate) const BATCH_ITEM: HeaderName = HeaderName::from_static("batch-item");

/// Why a request fails.
#[derive(Debug, Error)]
pub(crate) enum RestError {
    /// There is no catalogue yet (PGRST002).
    #[error("there is no catalogue yet")]
    NoCatalog,
    /// The caller is not known (PGRST300 to 303).
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The caller's session is over, or cannot be looked at (PSR301, PSR302).
    #[error("the session is not taken")]
    Session(#[from] SessionRefusal),
    /// The caller has made too many requests (429).
    #[error("too many requests")]
    RateLimited(Box<ErrorBody>),
    /// The request is not understood (PGRST100 and others).
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The body cannot be read (413 and 400).
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The body is not understood (PGRST102).
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The request cannot be done with this database (PGRST200 and others).
    #[error(transparent)]
    Plan(Box<PlanError>),
    /// No connection was to be had (PGRST000, PGRST003).
    #[error("no connection to the database")]
    Pool(#[from] PoolError),
    /// The flight failed (an SQLSTATE, or PGRST001).
    #[error("the database refused or failed")]
    Flight {
        /// Why.
        #[source]
        source: WireError,
        /// The caller's role is not the anonymous one.
        authenticated: bool,
    },
    /// A batch is not understood (PSR620 and others).
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// An item of a batch failed.
    #[error("item {index}")]
    Item {
        /// Which, from 0.
        index: usize,
        /// Why.
        #[source]
        source: Box<RestError>,
    },
    /// What the database answered cannot be sent.
    #[error(transparent)]
    Reply(#[from] ReplyError),
}

/// Why an answer of the database cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ReplyError {
    /// A single object was asked for (PGRST116).
    #[error("{rows} rows are not a single object")]
    NotSingular {
        /// Rows there are.
        rows: u64,
    },
    /// A PUT does not write the row that it addresses (PGRST115).
    #[error("the row is not the one that was addressed")]
    PutMismatch,
    /// More rows than `max-affected` allows (PGRST124).
    #[error("{rows} rows are more than allowed")]
    TooManyAffected {
        /// Rows there are.
        rows: u64,
    },
    /// Several rows of the body have the same key (PSR603).
    #[error("rows have the same key")]
    DuplicateKeys {
        /// Such keys, as JSON.
        keys: String,
    },
    /// A row of the body would change several rows (PSR607).
    #[error("rows of the relation have the same key")]
    AmbiguousKeys {
        /// Such keys, as JSON.
        keys: String,
    },
    /// Rows of the body found no row to change (PSR604).
    #[error("{rows} rows were not found")]
    Unmatched {
        /// How many.
        rows: u64,
        /// Their keys, as JSON.
        keys: String,
    },
    /// `response.headers` is not what it should be (PGRST111).
    #[error("response.headers is malformed")]
    Headers,
    /// `response.status` is no status (PGRST112).
    #[error("response.status is malformed")]
    Status,
    /// The read would cost more than the role may ask for (PSR422).
    #[error("the plan costs {cost}, and no more than {limit} is allowed")]
    TooCostly {
        /// What PostgreSQL expects, rounded.
        cost: u64,
        /// What the role may ask for.
        limit: u64,
    },
    /// The statement did not return its one row.
    #[error("the statement returned no row")]
    NoRow,
}

impl From<ReferenceError> for RestError {
    fn from(error: ReferenceError) -> Self {
        Self::Batch(error.into())
    }
}

impl From<PlanError> for RestError {
    fn from(error: PlanError) -> Self {
        Self::Plan(Box::new(error))
    }
}

impl RestError {
    /// What the client is told. `request_id` stands in for what it is not told.
    pub(crate) fn body(
        &self,
        request_id: &RequestId,
        retry_after: u64,
        limits: &HttpLimits,
    ) -> ErrorBody {
        let body = match self {
            Self::Item { index, source } => {
                let body = match &**source {
                    Self::Batch(error) => batch::of_item(*index, error),
                    other => other.body(request_id, retry_after, limits),
                };
                return body.with_header(BATCH_ITEM, HeaderValue::from(*index));
            }
            Self::Batch(error) => batch::body(error),
            Self::NoCatalog => database(ErrorReply::no_catalog()),
            Self::Token(error) => token(error),
            Self::Session(refusal) => session(*refusal),
            Self::RateLimited(body) => ErrorBody::clone(body),
            Self::Parse(error) => parse::body(error),
            Self::Body(BodyError::TooLarge { limit }) => {
                let body_bytes = *limit;
                HttpLimits {
                    body_bytes,
                    ..*limits
                }
                .body_too_large()
            }
            Self::Body(BodyError::Incomplete(_)) => {
                invalid_body("The request body is incomplete".to_owned())
            }
            Self::Body(BodyError::Late) => ErrorBody::new(
                StatusCode::REQUEST_TIMEOUT,
                "PSR408",
                "The request body did not arrive in time",
            ),
            Self::Payload(error) => payload(error),
            Self::Plan(error) => plan::body(error),
            Self::Pool(error) => database(pool(error)),
            Self::Flight {
                source,
                authenticated,
            } => flight(source, *authenticated, request_id),
            Self::Reply(error) => reply(error, request_id),
        };
        if body.status == StatusCode::SERVICE_UNAVAILABLE {
            body.with_header(RETRY_AFTER, HeaderValue::from(retry_after))
        } else {
            body
        }
    }
}

fn session(refusal: SessionRefusal) -> ErrorBody {
    match refusal {
        SessionRefusal::Ended => ErrorBody::new(
            StatusCode::UNAUTHORIZED,
            "PSR401",
            "The session of the token has ended",
        )
        .with_hint("Sign in again")
        .with_header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static(
                "Bearer error=\"invalid_token\", error_description=\"The session has ended\"",
            ),
        ),
        SessionRefusal::Unknown => ErrorBody::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "PSR503",
            "It cannot be told whether the session of the token goes on",
        )
        .with_hint("Try again in a moment"),
    }
}

fn payload(error: &PayloadError) -> ErrorBody {
    let code = match error {
        PayloadError::MixedOperations { .. } => "PSR612",
        PayloadError::Operand { .. } => "PSR613",
        _ => "PGRST102",
    };
    ErrorBody::new(StatusCode::BAD_REQUEST, code, error.to_string())
}

fn invalid_body(message: String) -> ErrorBody {
    ErrorBody::new(StatusCode::BAD_REQUEST, "PGRST102", message)
}

fn token(error: &TokenError) -> ErrorBody {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut body = ErrorBody::new(status, error.code(), error.message());
    if let Some(details) = error.details() {
        body = body.with_details(details);
    }
    if let Some(hint) = error.hint() {
        body = body.with_hint(hint);
    }
    let challenge = error.www_authenticate();
    match challenge.and_then(|challenge| HeaderValue::from_str(&challenge).ok()) {
        Some(challenge) => body.with_header(WWW_AUTHENTICATE, challenge),
        None => body,
    }
}

fn pool(error: &PoolError) -> ErrorReply {
    match error {
        PoolError::Timeout | PoolError::Crowded => ErrorReply::pool_timeout(),
        PoolError::Connect(_) | PoolError::Closed => ErrorReply::no_connection(),
    }
}

fn flight(error: &WireError, authenticated: bool, request_id: &RequestId) -> ErrorBody {
    if let WireError::Server(server) = error
        && let Some(refused) = RefusedOperation::read(&server.code, &server.message)
    {
        return update::refused(&refused);
    }
    match error {
        // The only text of a statement that a client writes are names, and only NUL cannot be
        // written; PostgreSQL says this of a parameter that has one.
        WireError::Encode(_) => ErrorBody::new(
            StatusCode::BAD_REQUEST,
            "22021",
            "invalid byte sequence for encoding \"UTF8\": 0x00",
        ),
        // A 503 would make clients try again what took too long.
        WireError::Timeout => ErrorBody::new(
            StatusCode::GATEWAY_TIMEOUT,
            "PSR504",
            "The database did not answer in time",
        ),
        WireError::ReplyTooLarge { .. } | WireError::Protocol(_) => ErrorBody::internal(request_id),
        WireError::Server(server) if speaks_of_itself(&server.code) => {
            let told = database(error_reply(error, authenticated));
            ErrorBody {
                status: told.status,
                code: told.code,
                ..ErrorBody::internal(request_id)
            }
        }
        _ => database(error_reply(error, authenticated)),
    }
}

/// Whether an error of this SQLSTATE is about the server (its files, memory, peers and bugs) and not
/// about the statement. `PostgREST` tells its texts, too; they are for the log.
fn speaks_of_itself(code: &str) -> bool {
    let class = code.get(..2).unwrap_or_default();
    matches!(class, "08" | "53" | "58" | "F0" | "HV" | "XX") && code != "53400"
}

fn database(reply: ErrorReply) -> ErrorBody {
    let status = StatusCode::from_u16(reply.status).ok();
    let status = status.filter(|status| !status.is_informational());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut body = ErrorBody::new(status, reply.code, reply.message);
    body.details = reply.details.map(|details| Details::Text(details.into()));
    body.hint = reply.hint.map(Into::into);
    // SQL can raise any header; what is none is left out.
    body.headers = reply
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let name = HeaderName::try_from(name.as_str()).ok()?;
            Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
        })
        .collect();
    body
}

fn with_json(body: ErrorBody, details: &str) -> ErrorBody {
    ErrorBody {
        details: Some(Details::Json(details.to_owned())),
        ..body
    }
}

fn reply(error: &ReplyError, request_id: &RequestId) -> ErrorBody {
    let internal = StatusCode::INTERNAL_SERVER_ERROR;
    match error {
        ReplyError::NotSingular { rows } => ErrorBody::new(
            StatusCode::NOT_ACCEPTABLE,
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
        )
        .with_details(format!("The result contains {rows} rows")),
        ReplyError::PutMismatch => ErrorBody::new(
            StatusCode::BAD_REQUEST,
            "PGRST115",
            "Payload values do not match URL in primary key column(s)",
        ),
        ReplyError::TooManyAffected { rows } => ErrorBody::new(
            StatusCode::BAD_REQUEST,
            "PGRST124",
            "Query result exceeds max-affected preference constraint",
        )
        .with_details(format!("The query affects {rows} rows")),
        ReplyError::DuplicateKeys { keys } => {
            let bad = StatusCode::BAD_REQUEST;
            let body = ErrorBody::new(bad, "PSR603", "Several rows of the body have the same key");
            with_json(body, keys)
        }
        ReplyError::AmbiguousKeys { keys } => {
            let bad = StatusCode::BAD_REQUEST;
            let body = ErrorBody::new(bad, "PSR607", "Several rows have the same key");
            with_json(body, keys)
                .with_hint("These columns are no unique key of the relation: filter its rows")
        }
        ReplyError::Unmatched { rows, keys } => {
            let message = format!("Rows of the body that match no row: {rows}");
            with_json(
                ErrorBody::new(StatusCode::BAD_REQUEST, "PSR604", message),
                keys,
            )
            .with_hint("They do not exist, are filtered out, or may not be updated")
        }
        ReplyError::Headers => ErrorBody::new(
            internal,
            "PGRST111",
            "response.headers guc must be a JSON array composed of objects with a single key and \
             a string value",
        ),
        ReplyError::Status => ErrorBody::new(
            internal,
            "PGRST112",
            "response.status guc must be a valid status code",
        ),
        // What PostgreSQL expects would tell of rows that the caller may not see.
        ReplyError::TooCostly { .. } => ErrorBody::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "PSR422",
            "The database would have too much to do for this read",
        )
        .with_hint(
            "Filter or order by columns that have an index, embed less, or ask for fewer rows",
        ),
        ReplyError::NoRow => ErrorBody::internal(request_id),
    }
}

#[cfg(test)]
mod tests;
