//! The body of a request, as far as planning needs to know it.
//!
//! Values of JSON are never looked at: what PostgreSQL refuses, such as the escape of NUL, is left
//! to PostgreSQL.

mod csv;
mod form;
mod json;
mod operations;
#[cfg(test)]
mod tests;

pub use operations::ValueOperation;

use crate::media::MediaType;
use crate::preferences::ValueForm;
use crate::request::{Action, ApiRequest, Invocation, Mutation};
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
        /// Members whose values are operations, where the request may have such.
        operations: Vec<(String, ValueOperation)>,
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

    /// The same with its operations.
    fn with_operations(self) -> Result<Self, PayloadError> {
        match self {
            Self::Json {
                bytes,
                is_object,
                keys,
                ..
            } => Ok(Self::Json {
                operations: operations::read(&bytes, is_object, &keys)?,
                bytes,
                is_object,
                keys,
            }),
            other => Ok(other),
        }
    }
}

/// Whether values of the body may be operations.
fn has_operations(request: &ApiRequest) -> bool {
    let is_update = matches!(
        request.action,
        Action::Mutate {
            mutation: Mutation::Update,
            ..
        }
    );
    is_update && request.preferences.values == Some(ValueForm::Operations)
}

/// What takes a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taker {
    Relation,
    Function,
}

/// Reads a body as its content type says; that of a request which takes none is not looked at.
///
/// JSON is read in one pass and handed on as it came, except that what is neither object nor array
/// becomes `[]`, and that no body at all is `{}` to a function. With `columns=` it is not even
/// read. Operations of an update are looked for in a pass of their own. CSV and forms for relations
/// become JSON with strings.
///
/// # Errors
/// [`PayloadError`] when the body is not what its content type says, objects of an array differ in
/// their members, or nothing takes a body of this content type.
pub fn read_payload(body: Bytes, request: &ApiRequest) -> Result<Payload, PayloadError> {
    let (taker, columns) = match &request.action {
        Action::Mutate { mutation, .. } => match mutation {
            Mutation::Delete => return Ok(Payload::None),
            Mutation::SingleUpsert => (Taker::Relation, None),
            Mutation::Create | Mutation::Update => (Taker::Relation, request.columns.as_deref()),
        },
        Action::Call {
            invocation: Invocation::Post,
            ..
        } => (Taker::Function, request.columns.as_deref()),
        Action::Read { .. }
        | Action::Call { .. }
        | Action::Describe { .. }
        | Action::RelationInfo { .. }
        | Action::RoutineInfo { .. }
        | Action::SchemaInfo => return Ok(Payload::None),
    };
    match (&request.content_type, taker) {
        (MediaType::Json, _) => {
            let payload = match columns {
                Some(columns) => json::unread(body, columns),
                None if body.is_empty() && taker == Taker::Function => {
                    json::read(Bytes::from_static(b"{}"))?
                }
                None => json::read(body)?,
            };
            if has_operations(request) {
                payload.with_operations()
            } else {
                Ok(payload)
            }
        }
        (MediaType::Csv, _) => csv::read(&body),
        (MediaType::UrlEncoded, Taker::Function) => form::read(&body).map(Payload::Form),
        (MediaType::UrlEncoded, Taker::Relation) => form::read(&body).map(form::into_object),
        (MediaType::Plain | MediaType::Xml | MediaType::OctetStream, Taker::Function) => {
            Ok(Payload::Raw(body))
        }
        (other, _) => Err(PayloadError::ContentType(other.mime().into_owned())),
    }
}

/// Appends `text` as a JSON string.
fn push_string(out: &mut Vec<u8>, text: &str) {
    // A string is always JSON, and a vector takes all that is written to it.
    let written = serde_json::to_writer(out, text);
    debug_assert!(written.is_ok());
}

/// Why a body cannot be taken (PGRST102 unless said otherwise).
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
    /// It is not a form in UTF-8.
    #[error("Invalid form: not UTF-8")]
    InvalidForm,
    /// What an operation is given is of another kind than it takes (PSR613).
    #[error("{} of column '{column}' takes {}", .operation.as_str(), .operation.operand())]
    Operand {
        /// The column.
        column: String,
        /// The operation.
        operation: ValueOperation,
    },
    /// A column has an operation in some rows, and another one or none in others (PSR612).
    #[error("All rows must have the same operation on column '{column}'")]
    MixedOperations {
        /// The column.
        column: String,
    },
    /// The content type is not known here.
    #[error("Content-Type not acceptable: {0}")]
    ContentType(String),
}
