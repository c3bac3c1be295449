//! How relations can be embedded in one another.

use std::sync::Arc;

use serde::Serialize;

use crate::QualifiedName;

/// A way from one relation to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Relationship {
    /// Follows a foreign key, or two through a junction.
    Key(KeyRelationship),
    /// Follows a function that takes a row of the origin.
    Computed(ComputedRelationship),
}

/// A relationship by foreign keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyRelationship {
    /// Where it starts.
    pub origin: QualifiedName,
    /// Where it leads.
    pub target: QualifiedName,
    /// Origin and target are the same relation.
    pub is_self: bool,
    /// How many rows of the target belong to one of the origin, and through which columns.
    pub cardinality: Cardinality,
    /// The origin is a view.
    pub origin_is_view: bool,
    /// The target is a view.
    pub target_is_view: bool,
}

/// A relationship by a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComputedRelationship {
    /// The function; its name is the name of the relationship.
    pub function: QualifiedName,
    /// Relation whose row it takes.
    pub origin: QualifiedName,
    /// Relation whose rows it returns.
    pub target: QualifiedName,
    /// Returns at most one row (`ROWS 1`, or no set).
    pub to_one: bool,
    /// Origin and target are the same relation.
    pub is_self: bool,
}

/// Column of the origin and column of the target (or of the junction) that are equal.
pub type ColumnPair = (Arc<str>, Arc<str>);

/// How many rows belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Cardinality {
    /// One row of the origin has many of the target, whose foreign key points to it.
    OneToMany(ForeignKey),
    /// The origin has a foreign key to the target.
    ManyToOne(ForeignKey),
    /// As many-to-one, with a unique key on the foreign key's columns.
    OneToOne {
        /// The foreign key.
        key: ForeignKey,
        /// The origin is the side that is pointed to.
        is_parent: bool,
    },
    /// A third relation has foreign keys to both, as part of its primary key.
    ManyToMany(Junction),
}

/// A foreign key seen from the origin of a relationship.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForeignKey {
    /// Name of the constraint.
    pub constraint: Arc<str>,
    /// Column of the origin, column of the target.
    pub columns: Box<[ColumnPair]>,
}

/// The relation in the middle of a many-to-many relationship.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Junction {
    /// Its name.
    pub table: QualifiedName,
    /// Constraint that points to the origin.
    pub origin_constraint: Arc<str>,
    /// Constraint that points to the target.
    pub target_constraint: Arc<str>,
    /// Column of the origin, column of the junction.
    pub origin_columns: Box<[ColumnPair]>,
    /// Column of the target, column of the junction.
    pub target_columns: Box<[ColumnPair]>,
}

impl Relationship {
    /// Where it leads.
    pub fn target(&self) -> &QualifiedName {
        match self {
            Self::Key(key) => &key.target,
            Self::Computed(computed) => &computed.target,
        }
    }

    /// Where it starts.
    pub fn origin(&self) -> &QualifiedName {
        match self {
            Self::Key(key) => &key.origin,
            Self::Computed(computed) => &computed.origin,
        }
    }

    /// Schema in which it is looked for: the target's, or the function's for a computed one.
    pub fn search_schema(&self) -> &str {
        match self {
            Self::Key(key) => &key.target.schema,
            Self::Computed(computed) => &computed.function.schema,
        }
    }

    /// At most one row of the target belongs to one of the origin.
    pub fn is_to_one(&self) -> bool {
        match self {
            Self::Key(key) => {
                matches!(
                    key.cardinality,
                    Cardinality::ManyToOne(_) | Cardinality::OneToOne { .. }
                )
            }
            Self::Computed(computed) => computed.to_one,
        }
    }
}
