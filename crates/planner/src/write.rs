//! What is going to be written, and what is shown of it.

use std::sync::Arc;

use bytes::Bytes;
use passerelle_catalog::QualifiedName;
use passerelle_syntax::{Mutation, Resolution, ValueOperation};

use crate::{ColumnRef, Condition, Handler, ReadNode, ReplySpec, TransactionSpec};

/// A write to one relation, and the read of the rows it touched.
#[derive(Clone, Debug, PartialEq)]
pub struct MutatePlan {
    /// The relation.
    pub target: QualifiedName,
    /// What is done to it.
    pub write: Write,
    /// Columns the write returns, for the read and for `Location`; empty: only how many rows.
    pub returning: Vec<ColumnRef>,
    /// The read of the rows written: its root's source is [`Source::Written`](crate::Source). Not
    /// rendered when the handler is [`Handler::None`].
    pub read: ReadNode,
    /// What turns the rows into a body; [`Handler::None`] unless the representation was asked for.
    pub handler: Handler,
    /// How the transaction runs.
    pub transaction: TransactionSpec,
    /// What the reply says beside the body.
    pub reply: ReplySpec,
    /// What the outcome has to be for the transaction to be committed.
    pub check: OutcomeCheck,
    /// Which kind of write it was, for status and headers.
    pub mutation: Mutation,
    /// Primary key columns whose values become `Location`; empty when none is told.
    pub location_columns: Vec<Arc<str>>,
    /// How many rows were written is told in `Content-Range`.
    pub counted: bool,
}

/// What is done to a relation.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Rows are inserted.
    Insert {
        /// Columns given; empty: rows of defaults.
        columns: Vec<WriteColumn>,
        /// The rows.
        body: JsonBody,
        /// Columns that are missing in a row get their default instead of null.
        apply_defaults: bool,
        /// What happens to rows that are there already.
        conflict: Option<Conflict>,
        /// PUT: only a row that satisfies these is inserted.
        conditions: Vec<Condition>,
    },
    /// Rows are changed.
    Update {
        /// Columns set; empty: nothing is changed and no row is touched.
        columns: Vec<WriteColumn>,
        /// Columns in which a row of the body and the row that it changes are equal; empty: any row
        /// of the body is for any row.
        keys: Vec<WriteColumn>,
        /// The values.
        body: JsonBody,
        /// Columns that are missing get their default instead of null.
        apply_defaults: bool,
        /// Which rows.
        filters: Vec<Condition>,
    },
    /// Rows are deleted.
    Delete {
        /// Which rows.
        filters: Vec<Condition>,
    },
}

/// What an insert does with rows that are there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Ignored or merged.
    pub resolution: Resolution,
    /// The unique key, possibly none: then conflicts are errors.
    pub keys: Vec<ConflictKey>,
    /// Which rows the unique index is on, as SQL of the catalogue.
    pub predicate: Option<Arc<str>>,
}

/// A part of a unique key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConflictKey {
    /// A column, by a name that may be the request's.
    Column(Arc<str>),
    /// An expression, as SQL of the catalogue.
    Expression(Arc<str>),
}

/// A column that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteColumn {
    /// Its name.
    pub name: Arc<str>,
    /// Its type as declared, as PostgreSQL writes it.
    pub type_name: Arc<str>,
    /// Its collation as SQL, where texts that differ can be equal by it.
    pub collation: Option<Arc<str>>,
    /// Function of a domain representation from JSON; the JSON value is then passed as `json`.
    pub transform: Option<Arc<str>>,
    /// Its default as SQL, from the catalogue.
    pub default: Option<Box<str>>,
    /// What is done to what the column holds, with the value as operand; otherwise the value takes
    /// its place.
    pub operation: Option<ColumnOperation>,
}

/// What is done to what a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnOperation {
    /// What.
    pub operation: ValueOperation,
    /// What the column is to it.
    pub on: OperatedType,
    /// Type of the column, domains resolved and without modifiers.
    pub type_name: Arc<str>,
}

/// What a column is to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatedType {
    /// A number.
    Number,
    /// `json` or `jsonb`.
    Json,
    /// An array.
    Array,
}

/// JSON that came in and goes to PostgreSQL as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonBody {
    /// The bytes.
    pub bytes: Bytes,
    /// An object; otherwise an array of objects.
    pub is_object: bool,
}

/// What the outcome has to be for the transaction to be committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeCheck {
    /// Exactly one row (PGRST116).
    pub singular: bool,
    /// At most so many rows (PGRST124).
    pub max_affected: Option<u64>,
    /// PUT: the row is the one that was addressed (PGRST115).
    pub put: bool,
    /// What is asked of rows that are matched by key.
    pub keys: Option<KeyCheck>,
}

/// What is asked of rows of a body that are matched by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCheck {
    /// No two have the same key (PSR603).
    Distinct,
    /// Besides, each finds its row (PSR604).
    DistinctAndMatched,
}

impl OutcomeCheck {
    /// Nothing can be wrong: the transaction may be committed unseen.
    pub fn is_void(self) -> bool {
        self == Self::default()
    }
}
