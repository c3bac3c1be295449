//! Why a request could not be understood.

use thiserror::Error;

use crate::QueryBodyError;

/// Why a request could not be understood. The REST surface maps each to status, code and texts.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// A parameter of the query string is malformed (PGRST100).
    #[error("{message}")]
    Query {
        /// What could not be parsed, with its position.
        message: String,
        /// What was found and what was expected.
        details: String,
    },
    /// The profile header names a schema that is not exposed (PGRST106).
    #[error("schema {schema:?} is not exposed")]
    UnacceptableSchema {
        /// The schema asked for.
        schema: String,
        /// Those exposed.
        exposed: Vec<String>,
    },
    /// The range is empty or negative (PGRST103).
    #[error("the requested range is not satisfiable")]
    InvalidRange(RangeFault),
    /// The path has more than the segments the surface knows (PGRST125).
    #[error("invalid path")]
    InvalidPath,
    /// The method is not known on a relation (PGRST117).
    #[error("method {0} is not supported")]
    UnsupportedMethod(String),
    /// The method is not allowed on a function (PGRST101).
    #[error("method {0} is not allowed on a function")]
    InvalidRoutineMethod(String),
    /// PUT with limit or offset (PGRST114).
    #[error("limit and offset are not allowed with PUT")]
    PutLimit,
    /// The description of the schema is switched off (PGRST126).
    #[error("the root endpoint is disabled")]
    RootDisabled,
    /// The query string is longer than allowed (414).
    #[error("the query string is longer than {limit} bytes")]
    QueryTooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// The body of a QUERY cannot be read (PGRST102).
    #[error(transparent)]
    QueryBody(#[from] QueryBodyError),
    /// A tree of the request is deeper, or has more members, than allowed (400).
    #[error("{what} exceeds the limit of {limit}")]
    TooComplex {
        /// What exceeds it: `select depth`, `filter count` and so on.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

/// What is wrong with a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeFault {
    /// Its lower end is above its upper end.
    LowerAboveUpper,
    /// A limit is below zero.
    NegativeLimit,
    /// It starts behind the last row.
    OutOfBounds {
        /// First row asked for.
        lower: u64,
        /// Rows there are.
        total: u64,
    },
}
