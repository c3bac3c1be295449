//! Relations that can be read or written: tables, views, materialized views, foreign and
//! partitioned tables.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use crate::QualifiedName;

/// A relation and its columns.
#[derive(Clone, Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own in pg_class"
)]
pub struct Table {
    /// Schema and name.
    pub name: QualifiedName,
    /// Comment.
    pub description: Option<Box<str>>,
    /// A view or materialized view.
    pub is_view: bool,
    /// INSERT is possible, privileges aside.
    pub insertable: bool,
    /// UPDATE is possible, privileges aside.
    pub updatable: bool,
    /// DELETE is possible, privileges aside.
    pub deletable: bool,
    /// Primary key, its columns by name; of a view: the columns that show the keys below, in the
    /// order of these keys.
    pub primary_key: Box<[Arc<str>]>,
    /// Columns in their order.
    pub columns: Box<[Column]>,
    /// Columns that a role may read, for relations with privileges on single columns and roles
    /// that may not read all of them; indexes into `columns`. A role that is not named here reads
    /// all columns or has no right to the relation at all.
    pub readable: HashMap<Arc<str>, Box<[u16]>>,
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| &*column.name == name)
    }

    /// The columns that `*` stands for when `role` asks, or `None` when the role is under no
    /// restriction and `*` can stay.
    pub fn readable_by(&self, role: &str) -> Option<impl Iterator<Item = &Column>> {
        self.readable.get(role).map(|indexes| {
            indexes
                .iter()
                .map(|&index| &self.columns[usize::from(index)])
        })
    }
}

/// A column.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// Name.
    pub name: Arc<str>,
    /// Comment.
    pub description: Option<Box<str>>,
    /// Takes NULL.
    pub nullable: bool,
    /// Type with domains resolved, as `format_type` writes it without modifiers.
    pub base_type: Arc<str>,
    /// Type as declared: the domain's name where it is one.
    pub nominal_type: Arc<str>,
    /// Characters at most, for `varchar(n)` and the like.
    pub max_length: Option<i32>,
    /// Default or generation expression as SQL text.
    pub default: Option<Box<str>>,
    /// PostgreSQL always generates it (`GENERATED ALWAYS`): a row cannot be given a value for it.
    pub generated: bool,
    /// Labels of an enum type.
    pub enum_labels: Arc<[Box<str>]>,
}
