//! What a client is told when PostgreSQL, or the way to it, fails.
//!
//! Owns the mapping of SQLSTATE to HTTP (PostgREST, "Errors"); it never writes a body.

mod raise;
mod status;

#[cfg(test)]
mod tests;

use passerelle_wire::{ServerError, WireError};

pub use self::raise::RaiseError;

/// The parts of a server's error report that a client may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlError {
    /// SQLSTATE.
    pub code: String,
    /// Primary message.
    pub message: String,
    /// Further explanation.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl From<&ServerError> for SqlError {
    fn from(error: &ServerError) -> Self {
        Self {
            code: error.code.clone(),
            message: error.message.clone(),
            detail: error.detail.clone(),
            hint: error.hint.clone(),
        }
    }
}

impl From<&tokio_postgres::error::DbError> for SqlError {
    fn from(error: &tokio_postgres::error::DbError) -> Self {
        Self {
            code: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
        }
    }
}

/// An error as the REST surface reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorReply {
    /// HTTP status from 100 to 999.
    pub status: u16,
    /// Reason phrase, when SQL chose one.
    pub reason: Option<String>,
    /// SQLSTATE, `PGRST…`, or what SQL chose.
    pub code: String,
    /// Message.
    pub message: String,
    /// Details.
    pub details: Option<String>,
    /// Hint.
    pub hint: Option<String>,
    /// Further headers; names and values as SQL gave them, so they may be invalid.
    pub headers: Vec<(String, String)>,
}

impl ErrorReply {
    fn plain(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
            ..Self::default()
        }
    }

    /// No connection to PostgreSQL could be made (PGRST000).
    pub fn no_connection() -> Self {
        Self::plain(503, "PGRST000", "Database connection error.")
    }

    /// The connection failed while it was used (PGRST001).
    pub fn connection_lost() -> Self {
        Self::plain(
            503,
            "PGRST001",
            "Database client error. Retrying the connection.",
        )
    }

    /// There is no catalogue yet (PGRST002).
    pub fn no_catalog() -> Self {
        Self::plain(
            503,
            "PGRST002",
            "Could not query the database for the schema cache. Retrying.",
        )
    }

    /// No connection became free in time (PGRST003).
    pub fn pool_timeout() -> Self {
        Self::plain(
            504,
            "PGRST003",
            "Timed out acquiring connection from connection pool.",
        )
    }

    /// What the server reported. `authenticated` is false for the anonymous role, which is asked
    /// to sign in where others are refused.
    pub fn from_sql(error: &SqlError, authenticated: bool) -> Self {
        if error.code == "PGRST" {
            return raise::reply(error);
        }
        let status = status::of(error, authenticated);
        Self {
            status: status.code,
            reason: status.reason.map(str::to_owned),
            code: error.code.clone(),
            message: error.message.clone(),
            details: error.detail.clone(),
            hint: error.hint.clone(),
            headers: challenge(status.code),
        }
    }
}

/// What a failed flight means to the client.
pub fn error_reply(error: &WireError, authenticated: bool) -> ErrorReply {
    match error {
        WireError::Server(error) => ErrorReply::from_sql(&SqlError::from(&**error), authenticated),
        WireError::Auth(_) | WireError::Tls { .. } => ErrorReply::no_connection(),
        WireError::Encode(_) => ErrorReply::plain(
            400,
            "PGRST102",
            "The request holds more values, or other characters, than PostgreSQL takes",
        ),
        WireError::ReplyTooLarge { .. } => ErrorReply::plain(
            500,
            "PGRSTX00",
            "The result exceeds the limit of this server",
        ),
        _ => ErrorReply::connection_lost(),
    }
}

fn challenge(status: u16) -> Vec<(String, String)> {
    if status == 401 {
        vec![("WWW-Authenticate".to_owned(), "Bearer".to_owned())]
    } else {
        Vec::new()
    }
}
