//! Functions that can be called.

use std::sync::Arc;

use serde::Serialize;

use crate::{Oid, QualifiedName};

/// A function of the exposed schemas. Several may share a name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Routine {
    /// Identifier, which tells overloads apart.
    #[serde(skip)]
    pub oid: Oid,
    /// Schema and name.
    pub name: QualifiedName,
    /// Comment.
    pub description: Option<Box<str>>,
    /// Input parameters in their order.
    pub parameters: Box<[Parameter]>,
    /// What it returns.
    pub returns: Returns,
    /// Volatility.
    pub volatility: Volatility,
    /// The last parameter is variadic.
    pub variadic: bool,
    /// Settings of the function that are applied to the whole transaction.
    pub settings: Box<[(Box<str>, Box<str>)]>,
    /// `default_transaction_isolation` of the function.
    pub isolation: Option<Box<str>>,
}

/// An input parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Name; empty when it has none.
    pub name: Box<str>,
    /// Type.
    pub type_name: Box<str>,
    /// Type that takes any length: `character varying` for `character`, and so on.
    pub unbounded_type: Box<str>,
    /// Has no default.
    pub required: bool,
    /// Is variadic.
    pub variadic: bool,
}

/// Return type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Returns {
    /// A set of rows.
    pub set: bool,
    /// The type's rows have columns.
    pub composite: bool,
    /// The type is a domain over a composite type.
    pub composite_alias: bool,
    /// Name of the type, or of the relation for a row type.
    pub type_name: QualifiedName,
}

/// Volatility of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum Volatility {
    Volatile,
    Stable,
    Immutable,
}

/// What turns rows into a media type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MediaHandler {
    /// The media type as the domain's name says it, in lower case; `*/*` for any.
    pub media_type: Arc<str>,
    /// The aggregate; or the domain, when `target` is a function that returns it.
    pub function: QualifiedName,
    /// The relation whose rows an aggregate takes, or the function whose result already is of the
    /// media type; `None` is `anyelement`.
    pub target: Option<QualifiedName>,
}

/// Functions that cast between a domain and json or text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Representation {
    /// Type cast from.
    pub source: Arc<str>,
    /// Type cast to.
    pub target: Arc<str>,
    /// The function, qualified and quoted, ready for SQL.
    pub function: Arc<str>,
}
