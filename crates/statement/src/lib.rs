//! One SQL statement as a value: its text and its untyped parameters.
//!
//! A statement never knows where it came from or what its rows mean. User text lives in
//! [`Statement::params`] only, so the text is the same for every value and PostgreSQL's prepared
//! statements are reused.

use bytes::Bytes;

/// One parameter as PostgreSQL reads it: text of unknown type, or SQL `NULL`.
pub type Param = Option<Bytes>;

/// One SQL statement with the parameters `$1`, `$2`, … it refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The SQL text. It holds identifiers and keywords, never user text.
    pub text: String,
    /// The values of `$1`, `$2`, …, in order.
    pub params: Vec<Param>,
}

impl Statement {
    /// A statement without parameters.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            params: Vec::new(),
        }
    }
}
