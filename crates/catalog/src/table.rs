//! Relations that can be read or written: tables, views, materialized views, foreign and
//! partitioned tables.

use std::collections::{BTreeSet, HashMap};
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
    /// Unique indexes from which conflicts can be inferred, by name; of a view: none.
    pub unique_indexes: Box<[UniqueIndex]>,
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

    /// The unique index of that name.
    pub fn unique_index(&self, name: &str) -> Option<&UniqueIndex> {
        self.unique_indexes
            .iter()
            .find(|index| &*index.name == name)
    }

    /// Whether these columns, in any order, are the primary key or a unique one of all rows.
    pub fn is_unique_key(&self, columns: &[&str]) -> bool {
        let primary_key = self.primary_key.iter().map(AsRef::as_ref);
        (!self.primary_key.is_empty() && same_names(primary_key, columns))
            || self
                .unique_indexes
                .iter()
                .any(|index| index.predicate.is_none() && index.is_on(columns))
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

/// A unique index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UniqueIndex {
    /// Its name.
    pub name: Box<str>,
    /// What is unique.
    pub keys: Box<[IndexKey]>,
    /// Which rows are indexed, as SQL; all where absent.
    pub predicate: Option<Arc<str>>,
    /// Of a partial one: roles that may know of it, as they may insert into the table.
    pub writers: Box<[Arc<str>]>,
}

/// A part of the key of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum IndexKey {
    /// A column.
    Column(Arc<str>),
    /// An expression as SQL, ready to be inferred from.
    Expression(Arc<str>),
}

impl UniqueIndex {
    /// Whether its key is these columns, in any order, and no expression.
    pub fn is_on(&self, columns: &[&str]) -> bool {
        let names: Option<Vec<&str>> = self
            .keys
            .iter()
            .map(|key| match key {
                IndexKey::Column(name) => Some(&**name),
                IndexKey::Expression(_) => None,
            })
            .collect();
        names.is_some_and(|names| same_names(names, columns))
    }
}

fn same_names<'a>(one: impl IntoIterator<Item = &'a str>, other: &[&'a str]) -> bool {
    let one: BTreeSet<&str> = one.into_iter().collect();
    one == other.iter().copied().collect()
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
    /// Its collation as SQL, where texts that differ can be equal by it; otherwise equality is that
    /// of the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collation: Option<Arc<str>>,
    /// It is an array whose elements can be told apart: their type has an equality of its own.
    pub comparable_elements: bool,
    /// Characters at most, for `varchar(n)` and the like.
    pub max_length: Option<i32>,
    /// Default or generation expression as SQL text.
    pub default: Option<Box<str>>,
    /// PostgreSQL always generates it (`GENERATED ALWAYS`): a row cannot be given a value for it.
    pub generated: bool,
    /// Labels of an enum type.
    pub enum_labels: Arc<[Box<str>]>,
}
