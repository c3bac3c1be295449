//! What introspection reads, as flat rows that refer to one another by object identifier.
//!
//! Rows may come in any order and may cover schemas that are not exposed: keys of hidden tables
//! are needed to see through the views over them.

use std::sync::Arc;

use crate::{Column, ComputedRelationship, MediaHandler, QualifiedName, Representation, Routine};

/// Object identifier of a relation or function.
pub type Oid = u32;

/// Number of a column within its relation, from 1.
pub type AttributeNumber = i16;

/// The rows from which a [`Catalog`](crate::Catalog) is assembled.
#[derive(Debug, Default)]
pub struct RawCatalog {
    /// Number of this catalogue; later ones have higher numbers.
    pub version: u64,
    /// Exposed schemas, the default first.
    pub schemas: Vec<Arc<str>>,
    /// Relations of the exposed schemas.
    pub relations: Vec<RawRelation>,
    /// Columns of these relations.
    pub columns: Vec<RawColumn>,
    /// Primary and unique keys of all schemas.
    pub keys: Vec<RawKey>,
    /// Unique indexes of the relations from which conflicts can be inferred.
    pub unique_indexes: Vec<RawUniqueIndex>,
    /// Foreign keys of all schemas, without those that partitions inherit.
    pub foreign_keys: Vec<RawForeignKey>,
    /// Columns of views that show a column of another relation as it is.
    pub view_columns: Vec<ViewColumn>,
    /// Functions from a row to rows.
    pub computed_relationships: Vec<ComputedRelationship>,
    /// Functions of the exposed schemas.
    pub routines: Vec<Routine>,
    /// Casts between domains and `json` or `text`.
    pub representations: Vec<Representation>,
    /// Functions and aggregates that produce media types.
    pub media_handlers: Vec<MediaHandler>,
    /// Settings of roles, `default_transaction_isolation` among them.
    pub role_settings: Vec<RoleSetting>,
    /// Restrictions to single columns.
    pub readable_columns: Vec<ReadableColumns>,
}

/// A relation.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own in pg_class"
)]
pub struct RawRelation {
    /// Identifier.
    pub oid: Oid,
    /// Schema and name.
    pub name: QualifiedName,
    /// Comment.
    pub description: Option<Box<str>>,
    /// A view or materialized view.
    pub is_view: bool,
    /// INSERT is possible.
    pub insertable: bool,
    /// UPDATE is possible.
    pub updatable: bool,
    /// DELETE is possible.
    pub deletable: bool,
}

/// A column.
#[derive(Debug)]
pub struct RawColumn {
    /// Its relation.
    pub relation: Oid,
    /// Its number.
    pub number: AttributeNumber,
    /// What is kept of it.
    pub column: Column,
}

/// A primary or unique key.
#[derive(Debug)]
pub struct RawKey {
    /// Its relation.
    pub relation: Oid,
    /// The primary key.
    pub is_primary: bool,
    /// Columns in the order of the key.
    pub columns: Box<[AttributeNumber]>,
}

/// A unique index.
#[derive(Debug)]
pub struct RawUniqueIndex {
    /// Its relation.
    pub relation: Oid,
    /// Its name.
    pub name: Box<str>,
    /// What is unique.
    pub keys: Box<[RawIndexKey]>,
    /// Which rows are indexed, as SQL.
    pub predicate: Option<Arc<str>>,
    /// Of a partial one: roles that may insert into the relation.
    pub writers: Box<[Arc<str>]>,
}

/// A part of the key of an index.
#[derive(Debug)]
pub enum RawIndexKey {
    /// A column.
    Column(AttributeNumber),
    /// An expression as SQL, ready to be inferred from.
    Expression(Arc<str>),
}

/// A foreign key.
#[derive(Debug)]
pub struct RawForeignKey {
    /// Name of the constraint.
    pub constraint: Arc<str>,
    /// The relation that has it.
    pub origin: Oid,
    /// The relation it points to.
    pub target: Oid,
    /// Columns of the origin in the order of the key.
    pub origin_columns: Box<[AttributeNumber]>,
    /// Columns of the target, likewise.
    pub target_columns: Box<[AttributeNumber]>,
}

/// A column of a view that shows a column of another relation as it is.
#[derive(Clone, Copy, Debug)]
pub struct ViewColumn {
    /// The view.
    pub view: Oid,
    /// Its column.
    pub column: AttributeNumber,
    /// The relation below, which may be a view again.
    pub source: Oid,
    /// The column there.
    pub source_column: AttributeNumber,
}

/// A setting of a role.
#[derive(Debug)]
pub struct RoleSetting {
    /// Role.
    pub role: Arc<str>,
    /// Name of the setting.
    pub name: Box<str>,
    /// Value.
    pub value: Box<str>,
}

/// The columns that a role may read of a relation that it may not read as a whole.
#[derive(Debug)]
pub struct ReadableColumns {
    /// The relation.
    pub relation: Oid,
    /// The role.
    pub role: Arc<str>,
    /// Columns it may read.
    pub columns: Vec<AttributeNumber>,
}
