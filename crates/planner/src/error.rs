//! Why a request that was understood cannot be done with this database.

use std::fmt;
use std::sync::Arc;

use passerelle_catalog::Relationship;
use passerelle_syntax::{MediaType, ValueOperation};
use thiserror::Error;

/// Why there is no plan. The REST surface maps each to status, code and texts.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PlanError {
    /// No such relation in the schema (PGRST205).
    #[error("no relation {schema}.{relation}")]
    TableNotFound {
        /// Schema of the request.
        schema: String,
        /// The relation asked for.
        relation: String,
        /// A relation with a similar name.
        similar: Option<String>,
    },
    /// No such function, or none that takes these arguments (PGRST202).
    #[error("no function {0}")]
    RoutineNotFound(Box<MissingRoutine>),
    /// Several functions take these arguments (PGRST203).
    #[error("several functions take these arguments")]
    AmbiguousRoutine(Vec<String>),
    /// No such column (PGRST204).
    #[error("no column {column} of {relation}")]
    ColumnNotFound {
        /// The relation.
        relation: String,
        /// The column asked for.
        column: String,
    },
    /// Several partial unique indexes are on the columns of `on_conflict` (PSR605).
    #[error("several unique indexes of {relation} are on these columns")]
    AmbiguousIndex {
        /// The relation.
        relation: String,
        /// The columns named.
        columns: Vec<String>,
        /// Names of the indexes; none where the role may not know of them.
        candidates: Vec<String>,
    },
    /// An update by key, where there is no such key (PSR601).
    #[error("{relation} has no such unique key")]
    NoUniqueKey {
        /// The relation.
        relation: String,
        /// The columns of `on_conflict`; absent: there is no primary key.
        columns: Option<Vec<String>>,
    },
    /// An update by key whose body lacks a part of it (PSR602).
    #[error("the body lacks the key column {column}")]
    KeyNotInBody {
        /// The column.
        column: String,
    },
    /// An update by key whose body has nothing else (PSR606).
    #[error("nothing is to be set")]
    NothingBesideKey {
        /// The relation.
        relation: String,
    },
    /// An operation on a column of the key of an update by key (PSR611).
    #[error("{} on the key column {column}", .operation.as_str())]
    OperationOnKey {
        /// The column.
        column: String,
        /// The operation.
        operation: ValueOperation,
    },
    /// An operation on a column whose type cannot do it (PSR611).
    #[error("{} on {column} of type {type_name}", .operation.as_str())]
    UnsuitableOperation {
        /// The column.
        column: String,
        /// The operation.
        operation: ValueOperation,
        /// Type of the column as declared.
        type_name: String,
    },
    /// PUT without exactly the primary key as its filters (PGRST105).
    #[error("filters are not the primary key")]
    PutFilters,
    /// `max-affected` on a function that returns one row (PGRST128).
    #[error("max-affected needs a function that returns a set")]
    MaxAffectedOnSingle,
    /// Nothing leads from one relation to the other (PGRST200).
    #[error("no relationship between {origin} and {target}")]
    NoRelationship {
        /// Schema of the request.
        schema: String,
        /// Where the embed stands.
        origin: String,
        /// The embed.
        target: String,
        /// Its hint.
        hint: Option<String>,
        /// A similar name and the one of the request it may stand for.
        similar: Option<Box<(String, String)>>,
    },
    /// Several relationships lead from one relation to the other (PGRST201).
    #[error("several relationships between {origin} and {target}")]
    AmbiguousRelationship {
        /// Where the embed stands.
        origin: String,
        /// The embed.
        target: String,
        /// All that fit, in the catalogue's order.
        candidates: Vec<Arc<Relationship>>,
    },
    /// A filter, order or range names something that is not embedded (PGRST108).
    #[error("{target} is not embedded")]
    NotEmbedded {
        /// What it names.
        target: String,
        /// The relation and its alias, when the alias should have been used.
        legacy: Option<(String, String)>,
    },
    /// An order by a related field follows a to-many relationship (PGRST118).
    #[error("{origin} has no to-one relationship with {target}")]
    RelatedOrderNotToOne {
        /// Where the order stands.
        origin: String,
        /// The embed.
        target: String,
    },
    /// Aggregates are switched off (PGRST123).
    #[error("aggregate functions are not allowed")]
    AggregatesNotAllowed,
    /// Aggregates inside a spread of a to-many relationship (PGRST127).
    #[error("{0}")]
    NotImplemented(&'static str),
    /// None of the accepted media types can be produced (PGRST107).
    #[error("none of the accepted media types can be produced")]
    NotAcceptable(Vec<String>),
    /// Preferences that are not known, under `handling=strict` (PGRST122).
    #[error("invalid preferences")]
    InvalidPreferences(Vec<String>),
    /// The surface does not do this (PGRST117).
    #[error("method {0} is not supported")]
    UnsupportedMethod(&'static str),
}

/// A function that was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingRoutine {
    /// Schema of the request.
    pub schema: String,
    /// The function asked for.
    pub function: String,
    /// Names of the arguments, sorted.
    pub arguments: Vec<String>,
    /// It was called by POST, with a body of this type, which may be its only parameter.
    pub posted: Option<MediaType>,
    /// A similar function: its name, or its name and parameters.
    pub similar: Option<String>,
}

impl fmt::Display for MissingRoutine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            schema,
            function,
            arguments,
            ..
        } = self;
        write!(f, "{schema}.{function}({})", arguments.join(", "))
    }
}
