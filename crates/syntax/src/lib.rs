//! The raw parts of a REST request turned into an [`ApiRequest`], and back.
//!
//! Pure: no clock, no database, no configuration beyond [`Exposure`] and [`Limits`]. The grammar
//! is `PostgREST`'s; errors carry its texts.

mod decode;
mod error;
mod extension;
mod grammar;
mod media;
mod parse;
mod payload;
mod preferences;
mod print;
mod query;
mod query_body;
mod range;
mod request;
mod scanner;
mod target;

pub use error::*;
pub use extension::{Extension, Extensions};
pub use media::*;
pub use parse::parse;
pub use payload::*;
pub use preferences::*;
pub use print::{Printed, print};
pub use query_body::{QueryBodyError, parse_query};
pub use request::*;

/// The parts of an HTTP request that the grammar reads.
#[derive(Clone, Debug)]
pub struct Head<'a> {
    /// `GET`, `HEAD`, …
    pub method: &'a str,
    /// Path below the surface's prefix, percent-encoded as it came: `/projects`, `/`, `/rpc/add`.
    pub path: &'a str,
    /// Query string without the question mark, as it came.
    pub query: &'a str,
    /// Header lines in their order, names lower-cased.
    pub headers: &'a [(&'a str, &'a str)],
}

/// Which part of the database the surface exposes.
#[derive(Clone, Debug)]
pub struct Exposure {
    /// Exposed schemas; the first is the default. Never empty.
    pub schemas: Vec<String>,
    /// Whether the root path is answered.
    pub root: bool,
    /// Whether `Prefer: tx=` is honoured.
    pub allow_transaction_override: bool,
    /// What clients may ask for beyond `PostgREST`.
    pub extensions: Extensions,
}

/// Bounds on what a request may hold.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of the query string.
    pub query_bytes: usize,
    /// Bytes of the body of a QUERY.
    pub query_body_bytes: usize,
    /// Levels of nested embeds.
    pub embed_depth: usize,
    /// Levels of nested `and`/`or`.
    pub logic_depth: usize,
    /// Select items, filters, order terms: each, over the whole request.
    pub items: usize,
}
