//! What a REST request asks for, before anything is known about the database.
//!
//! Names are `PostgREST`'s: a *field* is a column with an optional JSON path, an *embed path* says
//! which embedded resource of `select` a filter, order or range belongs to.

use crate::media::MediaType;
use crate::preferences::Preferences;

/// One request of the REST surface.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiRequest {
    /// What is to be done, and to what.
    pub action: Action,
    /// The schema the request addresses.
    pub schema: String,
    /// Whether replies name the schema in `Content-Profile`: a profile header chose it, or several
    /// schemas are exposed.
    pub negotiated_by_profile: bool,
    /// `select=`; the absent parameter is `*`.
    pub select: Vec<SelectItem>,
    /// Horizontal filters `[path.]column=op.value`, in the order of the query string.
    pub filters: Vec<(EmbedPath, Filter)>,
    /// `and=(…)`, `or=(…)`, `not.and=(…)`, each possibly on an embed.
    pub logic: Vec<(EmbedPath, LogicTree)>,
    /// `order=` of the root and of embeds.
    pub order: Vec<(EmbedPath, Vec<OrderTerm>)>,
    /// The rows asked for at the root: `limit`, `offset` and the `Range` header intersected.
    pub range: RowRange,
    /// `path.limit` and `path.offset` of embeds.
    pub embed_ranges: Vec<(EmbedPath, RowRange)>,
    /// `columns=` of an insert or update.
    pub columns: Option<Vec<String>>,
    /// `on_conflict=` of an upsert.
    pub on_conflict: Option<Vec<String>>,
    /// Parameters of a function called with GET or HEAD: those without an operator.
    pub arguments: Vec<(String, String)>,
    /// The query string in its canonical form: parameters sorted by name and re-encoded; for
    /// `Content-Location`. Absent where it came in a body and is too long for a URL.
    pub canonical_query: Option<String>,
    /// `Prefer`.
    pub preferences: Preferences,
    /// `Accept` in order of preference; never empty.
    pub accept: Vec<MediaType>,
    /// `Content-Type`; absent is `application/json`.
    pub content_type: MediaType,
}

/// What a request does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// GET, HEAD or QUERY on a table, view or the like.
    Read {
        /// Name of the relation in the request's schema.
        relation: String,
        /// HEAD: the body is left out.
        headers_only: bool,
    },
    /// POST, PUT, PATCH or DELETE on a relation.
    Mutate {
        /// Name of the relation in the request's schema.
        relation: String,
        /// Which kind of write.
        mutation: Mutation,
    },
    /// GET, HEAD or POST on `/rpc/<function>`.
    Call {
        /// Name of the function in the request's schema.
        function: String,
        /// How it was invoked.
        invocation: Invocation,
    },
    /// GET or HEAD on the root: the description of the schema.
    Describe {
        /// HEAD: the body is left out.
        headers_only: bool,
    },
    /// OPTIONS on a relation.
    RelationInfo {
        /// Name of the relation in the request's schema.
        relation: String,
    },
    /// OPTIONS on a function.
    RoutineInfo {
        /// Name of the function in the request's schema.
        function: String,
    },
    /// OPTIONS on the root.
    SchemaInfo,
}

/// Kind of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// POST.
    Create,
    /// PATCH.
    Update,
    /// PUT.
    SingleUpsert,
    /// DELETE.
    Delete,
}

/// How a function is invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// POST: arguments in the body.
    Post,
    /// GET: arguments in the query string, read-only.
    Get,
    /// HEAD: as GET, without a body.
    Head,
}

/// Names of embedded resources from the root downwards; empty is the root itself.
pub type EmbedPath = Vec<String>;

/// One item of `select`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectItem {
    /// `alias:field.aggregate()::cast`
    Field(SelectField),
    /// `alias:relation!hint!inner(…)`
    Embed(SelectEmbed),
    /// `...relation!hint!inner(…)`: the columns are spread into the parent. `alias` is absent.
    Spread(SelectEmbed),
}

/// A column of `select`; `*` is a field of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectField {
    /// The column and its JSON path. `count()` without a column is the field `*`.
    pub field: Field,
    /// `.sum()` and the like.
    pub aggregate: Option<AggregateFunction>,
    /// Cast of the aggregate's result.
    pub aggregate_cast: Option<String>,
    /// Cast of the column.
    pub cast: Option<String>,
    /// Name in the reply.
    pub alias: Option<String>,
}

/// An embedded resource of `select`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectEmbed {
    /// Table, view, foreign key, column or computed relationship that names the target.
    pub relation: String,
    /// Name in the reply.
    pub alias: Option<String>,
    /// `!hint` that tells several relationships apart.
    pub hint: Option<String>,
    /// `!inner` or `!left`.
    pub join: Option<JoinType>,
    /// What is selected of the target.
    pub select: Vec<SelectItem>,
}

/// A column with an optional JSON path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Column name.
    pub name: String,
    /// `->a->>b`; empty for the column itself.
    pub json_path: Vec<JsonStep>,
}

/// One arrow of a JSON path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JsonStep {
    /// `->>` (text) instead of `->` (JSON).
    pub as_text: bool,
    /// What the arrow points to.
    pub operand: JsonOperand,
}

/// Operand of a JSON arrow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JsonOperand {
    /// Key of an object.
    Key(String),
    /// Index of an array as written: optional sign and digits.
    Index(String),
}

/// `.sum()`, `.avg()`, `.max()`, `.min()`, `.count()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum AggregateFunction {
    Sum,
    Avg,
    Max,
    Min,
    Count,
}

/// How rows without a match in the embedded resource are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinType {
    /// Left out.
    Inner,
    /// Kept.
    Left,
}

/// A condition on one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The field.
    pub field: Field,
    /// Whether `not.` precedes the operator.
    pub negated: bool,
    /// Operator and value.
    pub operation: Operation,
}

/// Operator and value of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// An operator that takes no modifier.
    Simple(SimpleOperator, String),
    /// An operator that may be followed by `(any)` or `(all)`; the value is then an array literal
    /// in braces, as written.
    Quantified(QuantOperator, Option<Quantifier>, String),
    /// `in.(a,b)`
    In(Vec<String>),
    /// `is.null` and the like.
    Is(IsValue),
    /// `isdistinct.value`
    IsDistinctFrom(String),
    /// `fts(language).query` and its kin.
    FullText(FullTextOperator, Option<String>, String),
}

/// Operators without modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SimpleOperator {
    /// `neq`: `<>`
    NotEqual,
    /// `cs`: `@>`
    Contains,
    /// `cd`: `<@`
    Contained,
    /// `ov`: `&&`
    Overlap,
    /// `sl`: `<<`
    StrictlyLeft,
    /// `sr`: `>>`
    StrictlyRight,
    /// `nxr`: `&<`
    NotExtendsRight,
    /// `nxl`: `&>`
    NotExtendsLeft,
    /// `adj`: `-|-`
    Adjacent,
}

/// Operators that take `(any)` and `(all)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuantOperator {
    /// `eq`: `=`
    Equal,
    /// `gte`: `>=`
    GreaterThanEqual,
    /// `gt`: `>`
    GreaterThan,
    /// `lte`: `<=`
    LessThanEqual,
    /// `lt`: `<`
    LessThan,
    /// `like`: `LIKE`, with `*` for `%`
    Like,
    /// `ilike`: `ILIKE`, with `*` for `%`
    ILike,
    /// `match`: `~`
    Match,
    /// `imatch`: `~*`
    IMatch,
}

/// `(any)` or `(all)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// True if one element fits.
    Any,
    /// True if each element fits.
    All,
}

/// Right-hand side of `is`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum IsValue {
    Null,
    NotNull,
    True,
    False,
    Unknown,
}

/// Full-text operators by the function that reads the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FullTextOperator {
    /// `fts`: `to_tsquery`
    Query,
    /// `plfts`: `plainto_tsquery`
    Plain,
    /// `phfts`: `phraseto_tsquery`
    Phrase,
    /// `wfts`: `websearch_to_tsquery`
    Websearch,
}

/// A tree of conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogicTree {
    /// `and(…)` or `or(…)`, possibly negated.
    Branch {
        /// `not.` before it.
        negated: bool,
        /// Which.
        operator: LogicOperator,
        /// Its members, at least one.
        members: Vec<LogicTree>,
    },
    /// One condition.
    Leaf(Filter),
}

/// How the members of a branch combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogicOperator {
    And,
    Or,
}

/// One term of `order`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderTerm {
    /// The embedded to-one resource whose field decides, as in `order=clients(name)`.
    pub relation: Option<String>,
    /// The field.
    pub field: Field,
    /// `.asc` or `.desc`.
    pub direction: Option<OrderDirection>,
    /// `.nullsfirst` or `.nullslast`.
    pub nulls: Option<OrderNulls>,
}

/// Direction of an order term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum OrderDirection {
    Asc,
    Desc,
}

/// Place of nulls in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum OrderNulls {
    First,
    Last,
}

/// A window of rows. Both numbers fit PostgreSQL's `bigint` (0 to 2^63 - 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RowRange {
    /// Rows skipped.
    pub offset: u64,
    /// Rows at most; `None` is all. `Some(0)` asks for no rows and is legal.
    pub limit: Option<u64>,
}
