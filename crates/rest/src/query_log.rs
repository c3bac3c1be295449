//! The statements of requests in the log (`log-query`): their text, which holds no value that a
//! client sent.

use actix_web::http::StatusCode;

/// Logs statements with the severity of their request's status, so that a level that leaves the
/// request out leaves them out as well.
pub(crate) fn write(statements: &[String], status: StatusCode) {
    for query in statements {
        match status.as_u16() {
            500.. => tracing::error!(query),
            400..500 => tracing::warn!(query),
            _ => tracing::info!(query),
        }
    }
}
