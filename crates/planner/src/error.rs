//! Why a request that was understood cannot be done with this database.

use passerelle_catalog::Relationship;
use std::sync::Arc;
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
    /// No such function (PGRST202).
    #[error("no function {schema}.{function}")]
    RoutineNotFound {
        /// Schema of the request.
        schema: String,
        /// The function asked for.
        function: String,
        /// A function with a similar name.
        similar: Option<String>,
    },
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
