//! The body of a request, as far as planning needs to know it.

use bytes::Bytes;
use thiserror::Error;

/// The body of a request. JSON is kept as it came: only the names of its members are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Payload {
    /// None, or one that is not looked at.
    #[default]
    None,
    /// An object, or an array of objects with the same members.
    Json {
        /// The body.
        bytes: Bytes,
        /// It is an object.
        is_object: bool,
        /// Names of the members, sorted; those of `columns=` where the request has it.
        keys: Vec<String>,
    },
    /// Names and values of a form, for a function.
    Form(Vec<(String, String)>),
    /// Bytes for the only parameter of a function.
    Raw(Bytes),
}

impl Payload {
    /// Names of the arguments or columns it gives, sorted and without duplicates.
    pub fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = match self {
            Self::None | Self::Raw(_) => Vec::new(),
            Self::Json { keys, .. } => keys.iter().map(String::as_str).collect(),
            Self::Form(pairs) => pairs.iter().map(|(name, _)| name.as_str()).collect(),
        };
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// Why a body cannot be taken (PGRST102).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PayloadError {
    /// It is not JSON, or empty.
    #[error("Empty or invalid json")]
    InvalidJson,
    /// Objects of an array have different members.
    #[error("All object keys must match")]
    DifferentKeys,
    /// Lines of a CSV file have different numbers of fields.
    #[error("All lines must have same number of fields")]
    RaggedCsv,
    /// It is not CSV.
    #[error("{0}")]
    InvalidCsv(String),
    /// The content type is not known here.
    #[error("Content-Type not acceptable: {0}")]
    ContentType(String),
}
