//! What can go wrong on a connection, and the server's own error report.
//! It never decides which HTTP status or which retry an error deserves.

use std::io;

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{ErrorFields, ErrorResponseBody, NoticeResponseBody};
use thiserror::Error;

/// Why a flight, or the making of a connection, failed.
#[derive(Debug, Error)]
pub enum WireError {
    /// PostgreSQL refused or failed something.
    #[error(transparent)]
    Server(Box<ServerError>),
    /// The socket failed.
    #[error("the connection to PostgreSQL failed")]
    Io(#[source] io::Error),
    /// The flight, or the making of the connection, took longer than its limit.
    #[error("PostgreSQL did not answer in time")]
    Timeout,
    /// The server closed the connection, or an earlier flight left it unusable.
    #[error("the connection to PostgreSQL is closed")]
    Closed,
    /// The server said something the protocol does not allow here.
    #[error("unexpected message from PostgreSQL: {0}")]
    Protocol(&'static str),
    /// The statement cannot be put on the wire (a NUL in its text, more than 65,535 parameters).
    #[error("the statement cannot be encoded")]
    Encode(#[source] io::Error),
    /// The reply is larger than the configured limit in bytes.
    #[error("the reply exceeds {limit} bytes")]
    ReplyTooLarge {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// The server asks for credentials that are not configured, or does not prove its own.
    #[error("authentication failed: {0}")]
    Auth(&'static str),
    /// TLS was asked for and could not be established.
    #[error("TLS could not be established: {reason}")]
    Tls {
        /// What went wrong.
        reason: &'static str,
        /// The cause, where there is one.
        #[source]
        source: Option<io::Error>,
    },
}

impl WireError {
    /// The server's report, when it was the server that refused.
    pub fn server(&self) -> Option<&ServerError> {
        match self {
            Self::Server(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the flight may have been committed all the same: the connection ended, or was given
    /// up, before `ReadyForQuery`.
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Server(error) => error.is_fatal() && error.origin != Origin::Startup,
            Self::Io(_)
            | Self::Timeout
            | Self::Closed
            | Self::Protocol(_)
            | Self::ReplyTooLarge { .. } => true,
            Self::Encode(_) | Self::Auth(_) | Self::Tls { .. } => false,
        }
    }

    /// Whether the server, or the way to it, is not there: another attempt later may succeed.
    pub fn is_connection_lost(&self) -> bool {
        match self {
            Self::Server(error) => error.is_fatal() && error.origin != Origin::Startup,
            Self::Io(_) | Self::Closed => true,
            _ => false,
        }
    }
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

/// The part of a flight that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Before the first flight: start-up and authentication.
    #[default]
    Startup,
    /// The explicit `BEGIN`.
    Begin,
    /// The prelude statement at this index.
    Prelude(usize),
    /// The statement itself.
    Statement,
    /// The end of the transaction, such as a deferred constraint.
    End,
}

/// An `ErrorResponse` with all of its fields (PostgreSQL protocol, "Error and Notice Message
/// Fields").
#[derive(Clone, Debug, Default, PartialEq, Eq, Error)]
#[error("{severity} {code}: {message}")]
pub struct ServerError {
    /// The part of the flight that failed.
    pub origin: Origin,
    /// `ERROR`, `FATAL` or `PANIC`, never translated.
    pub severity: String,
    /// The SQLSTATE.
    pub code: String,
    /// The primary message.
    pub message: String,
    /// Further explanation.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Character position in the statement text, from 1.
    pub position: Option<u32>,
    /// Character position in [`Self::internal_query`], from 1.
    pub internal_position: Option<u32>,
    /// The text of a failed command that the server generated.
    pub internal_query: Option<String>,
    /// The call stack ("where").
    pub context: Option<String>,
    /// The schema of the object concerned.
    pub schema: Option<String>,
    /// The table concerned.
    pub table: Option<String>,
    /// The column concerned.
    pub column: Option<String>,
    /// The data type concerned.
    pub data_type: Option<String>,
    /// The constraint concerned.
    pub constraint: Option<String>,
    /// The server's source file.
    pub file: Option<String>,
    /// The line in the server's source file.
    pub line: Option<u32>,
    /// The server's source routine.
    pub routine: Option<String>,
}

impl ServerError {
    pub(crate) fn read(body: &ErrorResponseBody, origin: Origin) -> io::Result<Self> {
        let mut error = Self {
            origin,
            ..Self::default()
        };
        error.fill(body.fields())?;
        Ok(error)
    }

    pub(crate) fn read_notice(body: &NoticeResponseBody) -> io::Result<Self> {
        let mut notice = Self::default();
        notice.fill(body.fields())?;
        Ok(notice)
    }

    fn fill(&mut self, mut fields: ErrorFields<'_>) -> io::Result<()> {
        while let Some(field) = fields.next()? {
            let text = String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'S' if self.severity.is_empty() => self.severity = text,
                b'V' => self.severity = text,
                b'C' => self.code = text,
                b'M' => self.message = text,
                b'D' => self.detail = Some(text),
                b'H' => self.hint = Some(text),
                b'P' => self.position = text.parse().ok(),
                b'p' => self.internal_position = text.parse().ok(),
                b'q' => self.internal_query = Some(text),
                b'W' => self.context = Some(text),
                b's' => self.schema = Some(text),
                b't' => self.table = Some(text),
                b'c' => self.column = Some(text),
                b'd' => self.data_type = Some(text),
                b'n' => self.constraint = Some(text),
                b'F' => self.file = Some(text),
                b'L' => self.line = text.parse().ok(),
                b'R' => self.routine = Some(text),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the server ends the connection with this error.
    pub fn is_fatal(&self) -> bool {
        matches!(self.severity.as_str(), "FATAL" | "PANIC")
    }
}
