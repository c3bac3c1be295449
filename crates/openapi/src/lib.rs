//! The exposed schema described as a document: Swagger 2.0 as PostgREST 16 serves it, and
//! OpenAPI 3.1.
//!
//! Owns what the documents say. It asks no database: which relations and functions a role may see
//! is told by the caller, as are the comment of the schema and the address of the server.

mod choice;
mod column;
mod comment;
mod object;
mod server;
mod swagger;
mod types;
mod v31;

pub use choice::{RoutineChoice, TableChoice};
use passerelle_catalog::Catalog;
pub use server::ServerAddress;

/// What a document describes, and for whom.
#[derive(Clone, Debug)]
pub struct Description<'a> {
    /// The exposed database.
    pub catalog: &'a Catalog,
    /// The schema that is described.
    pub schema: &'a str,
    /// Comment of the schema: its first line is the title of the document.
    pub schema_comment: Option<&'a str>,
    /// Which relations are described.
    pub tables: TableChoice<'a>,
    /// Which functions are described.
    pub routines: RoutineChoice<'a>,
    /// Schemas whose types are named without schema in parameters of functions. PostgREST names
    /// them by the caller's search path under `openapi-mode = follow-privileges`, and always with
    /// their schema (an empty list here) under `ignore-privileges`.
    pub type_path: &'a [&'a str],
    /// Version of the API.
    pub version: &'a str,
    /// Version of PostgREST's documentation that is referred to: `latest`, `v16`.
    pub docs_version: &'a str,
    /// Where the API is reached.
    pub server: &'a ServerAddress,
    /// Says that a token is asked for (`openapi-security-active`).
    pub security_active: bool,
}

/// The description as Swagger 2.0, in JSON.
pub fn swagger(description: &Description<'_>) -> String {
    swagger::document(description).to_string()
}

/// The description as OpenAPI 3.1, in JSON.
pub fn openapi31(description: &Description<'_>) -> String {
    v31::document(description).to_string()
}
