//! What is going to be done, in terms of the database. Later stages see a plan and nothing else.
//!
//! Every identifier in a plan that names a database object comes from the catalogue, or is an
//! identifier of the request that rendering quotes. User text is only found in values.

use std::sync::Arc;

use passerelle_catalog::{ColumnPair, MediaHandler, QualifiedName};
use passerelle_syntax::{
    AggregateFunction, Count, JsonStep, LogicOperator, MediaType, Operation, OrderDirection,
    OrderNulls, PlanOption, RowRange, TransactionEnd,
};

use crate::{CallPlan, MutatePlan};

/// What a request comes down to.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// Rows are read.
    Read(Box<ReadPlan>),
    /// The methods a relation allows are told; nothing is asked of the database.
    RelationInfo(AllowedMethods),
    /// Rows are written.
    Mutate(Box<MutatePlan>),
    /// A function is called.
    Call(Box<CallPlan>),
    /// The methods a function allows are told; nothing is asked of the database.
    RoutineInfo {
        /// It may write, so that GET is not allowed.
        volatile: bool,
    },
    /// OPTIONS on the root; nothing is asked of the database.
    SchemaInfo,
    /// The schema is described.
    Describe(DescribePlan),
}

/// A description of the exposed schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribePlan {
    /// The schema.
    pub schema: String,
    /// HEAD: no body.
    pub headers_only: bool,
    /// `Content-Profile`, when the schema was negotiated.
    pub profile: Option<String>,
    /// The media type it is written in.
    pub media_type: MediaType,
}

/// What can be done with a relation, privileges aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each method is allowed or not"
)]
pub struct AllowedMethods {
    /// POST.
    pub insert: bool,
    /// PATCH.
    pub update: bool,
    /// DELETE.
    pub delete: bool,
    /// PUT: inserts, updates and has a primary key.
    pub upsert: bool,
}

/// A read of one relation and of what is embedded in it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadPlan {
    /// The root of the tree.
    pub root: ReadNode,
    /// How the total is found, when it was asked for.
    pub count: Option<CountSpec>,
    /// What turns the rows into a body.
    pub handler: Handler,
    /// How the transaction runs.
    pub transaction: TransactionSpec,
    /// What the reply says beside the body.
    pub reply: ReplySpec,
}

/// The statement is not run but explained.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExplainSpec {
    /// As JSON instead of text.
    pub json: bool,
    /// Options of EXPLAIN.
    pub options: Vec<PlanOption>,
}

/// One relation of a read: its rows, restricted, ordered and cut, with what is embedded in them.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadNode {
    /// Where the rows come from.
    pub source: Source,
    /// Columns of the relation itself. Empty together with `embeds`: all columns.
    pub select: Vec<SelectColumn>,
    /// Embedded relations, in the order of the request.
    pub embeds: Vec<Embed>,
    /// Columns that are equal to those of the parent.
    pub joins: Vec<JoinCondition>,
    /// Conditions, all of which hold.
    pub filters: Vec<Condition>,
    /// Order of the rows.
    pub order: Vec<OrderBy>,
    /// Which of the rows.
    pub range: RowRange,
}

/// Where the rows of a node come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A relation.
    Relation {
        /// Its name.
        name: QualifiedName,
        /// Its alias in the statement; the root has none.
        alias: Option<Arc<str>>,
        /// The relation in the middle of a many-to-many relationship, and its alias.
        junction: Option<(QualifiedName, Arc<str>)>,
    },
    /// The rows that a write or a function returned: the root of their read.
    Written {
        /// The relation's or function's name, which is their alias.
        alias: Arc<str>,
    },
    /// A function that takes a row of the parent.
    Computed {
        /// The function.
        function: QualifiedName,
        /// How the parent's row is called in the statement.
        parent: Qualifier,
        /// The parent relation: the type of the argument, which picks the overload.
        parent_type: QualifiedName,
        /// Alias of the function's rows.
        alias: Arc<str>,
    },
}

/// What stands before the dot of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Qualifier {
    /// An alias.
    Alias(Arc<str>),
    /// A relation without an alias.
    Relation(QualifiedName),
}

impl Source {
    /// What qualifies the columns of this source.
    pub fn qualifier(&self) -> Qualifier {
        match self {
            Self::Relation {
                alias: Some(alias), ..
            }
            | Self::Written { alias }
            | Self::Computed { alias, .. } => Qualifier::Alias(Arc::clone(alias)),
            Self::Relation {
                name, alias: None, ..
            } => Qualifier::Relation(name.clone()),
        }
    }
}

/// Equality of a column of a node (or of its junction) with one of its parent (or junction).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinCondition {
    /// Qualifier of the first column of each pair.
    pub left: Qualifier,
    /// Qualifier of the second column of each pair.
    pub right: Qualifier,
    /// The columns.
    pub columns: Box<[ColumnPair]>,
}

/// A column that is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectColumn {
    /// What is selected.
    pub field: PlanField,
    /// Aggregate over it.
    pub aggregate: Option<Aggregate>,
    /// Type it is cast to, before the aggregate. A type name checked by the grammar, not quoted.
    pub cast: Option<String>,
    /// Name in the result.
    pub alias: Option<String>,
}

/// An aggregate and the type its result is cast to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// Which.
    pub function: AggregateFunction,
    /// A type name checked by the grammar, not quoted.
    pub cast: Option<String>,
}

/// A column, or a place inside its JSON value, as an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanField {
    /// Which column.
    pub column: ColumnRef,
    /// Arrows applied to it.
    pub json_path: Vec<JsonStep>,
    /// Whether `to_jsonb` comes before the arrows: the column is not JSON itself.
    pub to_json: bool,
    /// Whether it is searched as text: `to_tsvector`, with the configuration if one is given.
    pub to_tsvector: Option<Option<String>>,
    /// Function of a domain representation that is applied: to the column where it is selected,
    /// to the value where it is compared. Qualified and quoted, from the catalogue.
    pub transform: Option<Arc<str>>,
}

/// Which column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnRef {
    /// `*`
    All,
    /// The whole row as one value; what `count()` counts in a spread.
    WholeRow,
    /// A column by name.
    Named(Arc<str>),
}

/// A node of a condition tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Several conditions combined.
    Branch {
        /// Negated as a whole.
        negated: bool,
        /// How they combine.
        operator: LogicOperator,
        /// The conditions; never empty.
        members: Vec<Condition>,
    },
    /// A comparison of a field with a value.
    Compare {
        /// The field.
        field: PlanField,
        /// Negated.
        negated: bool,
        /// Operator and value.
        operation: Operation,
    },
    /// Whether an embed of this node has rows.
    EmbedIsNull {
        /// Alias of the embed ([`Embed::alias`]).
        embed: Arc<str>,
        /// `not.is.null`: it has rows.
        negated: bool,
    },
}

/// One term of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBy {
    /// Alias of the embed the field belongs to ([`Embed::alias`]); absent for the node's own.
    pub embed: Option<Arc<str>>,
    /// The field.
    pub field: PlanField,
    /// Direction.
    pub direction: Option<OrderDirection>,
    /// Place of nulls.
    pub nulls: Option<OrderNulls>,
}

/// A relation inside another.
#[derive(Clone, Debug, PartialEq)]
pub struct Embed {
    /// Alias of the lateral join, unique in the statement and at most 63 bytes.
    pub alias: Arc<str>,
    /// Key in the reply. Not used by spreads.
    pub name: String,
    /// Rows of the parent without a match are left out.
    pub inner: bool,
    /// How it appears in the parent's rows.
    pub shape: EmbedShape,
    /// Its own rows.
    pub node: ReadNode,
}

/// How an embed appears in its parent's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbedShape {
    /// A to-one relationship: an object, or null.
    Object {
        /// Nothing is selected of it (`rel()`): it restricts and orders but is not shown.
        hidden: bool,
    },
    /// A to-many relationship: an array of objects.
    Array {
        /// Nothing is selected of it (`rel()`): it restricts but is not shown.
        hidden: bool,
    },
    /// A to-one relationship whose columns become the parent's.
    SpreadRow(Vec<SpreadColumn>),
    /// A to-many relationship whose columns become arrays of the parent.
    SpreadArrays {
        /// The columns.
        columns: Vec<SpreadColumn>,
        /// What the arrays are ordered by, selected beside the node's own columns.
        keys: Vec<SpreadOrderKey>,
    },
}

/// A column of a spread embed as it appears in the parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpreadColumn {
    /// Its name in the embed's rows; `*` for all of them.
    pub name: String,
    /// An aggregate that was lifted from the embed to the parent.
    pub aggregate: Option<Aggregate>,
    /// Name in the parent's rows.
    pub alias: Option<String>,
}

/// An order term of a spread to-many embed: selected under an alias inside, ordered by outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpreadOrderKey {
    /// What is selected; its `embed` is an embed of the spread node.
    pub term: OrderBy,
    /// The alias, at most 63 bytes.
    pub alias: Arc<str>,
}

/// How the total number of rows is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountSpec {
    /// What was asked for.
    pub kind: Count,
    /// Whether the rows of the page are not all rows, so that a count of its own is needed.
    pub separate: bool,
    /// `max-rows`: an estimated count is exact up to it.
    pub max_rows: Option<u64>,
}

/// What turns rows into a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handler {
    /// A JSON array.
    Json,
    /// A JSON array whose objects lack the keys that are null.
    JsonStripped,
    /// The JSON object of the only row.
    SingularJson {
        /// Without the keys that are null.
        strip: bool,
    },
    /// CSV with a header line.
    Csv,
    /// A GeoJSON feature collection (needs `PostGIS`).
    GeoJson,
    /// A function or aggregate of the database.
    Custom(MediaHandler),
    /// No body (HEAD).
    None,
}

/// How the transaction of a plan runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionSpec {
    /// Nothing may be written.
    pub read_only: bool,
    /// `Prefer: timezone=`, as written.
    pub timezone: Option<String>,
    /// `Prefer: tx=`, where allowed.
    pub end: Option<TransactionEnd>,
}

/// What a reply says beside its body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplySpec {
    /// The statement's plan is the body instead of its rows.
    pub explain: Option<ExplainSpec>,
    /// Media type of the body.
    pub media_type: MediaType,
    /// Exactly one row has to come, or it is PGRST116.
    pub singular: bool,
    /// HEAD: no body.
    pub headers_only: bool,
    /// The window asked for at the root, before `max-rows` cut it; for `Content-Range`.
    pub range: RowRange,
    /// `Content-Location` of a read: `/relation?canonical`.
    pub location: Option<String>,
    /// `Content-Profile`, when the schema was negotiated.
    pub profile: Option<String>,
    /// Values of `Preference-Applied`, in the order they are written.
    pub applied: Vec<String>,
    /// Embeds that were addressed by their relation's name although they have an alias:
    /// (relation, alias). Deprecated in `PostgREST` 16; told in a `Warning` header.
    pub legacy_targets: Vec<(String, String)>,
}
