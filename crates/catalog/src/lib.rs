//! The exposed database as an immutable value: tables, columns, keys, relationships, routines.
//!
//! A [`Catalog`] is read once from PostgreSQL and shared by all requests until the next one
//! replaces it. This crate also infers relationships; it does not read anything itself.

mod name;
mod relationship;
mod routine;
mod table;

use std::collections::HashMap;
use std::sync::Arc;

pub use name::QualifiedName;
pub use relationship::*;
pub use routine::*;
pub use table::*;

/// The exposed database at one moment.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    tables: HashMap<QualifiedName, Table>,
    /// By origin, then in the order of constraint and target names.
    relationships: HashMap<QualifiedName, Vec<Arc<Relationship>>>,
    routines: HashMap<QualifiedName, Vec<Routine>>,
    representations: HashMap<(Arc<str>, Arc<str>), Representation>,
    media_handlers: Vec<MediaHandler>,
    /// Settings of roles that are set before the role is (`ALTER ROLE … SET`).
    role_settings: HashMap<Arc<str>, Vec<(Box<str>, Box<str>)>>,
}

impl Catalog {
    /// The relation of that name.
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.get(name)
    }

    /// All relations, in no order.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// Relationships from `origin` to relations of the schema `target_schema`.
    pub fn relationships<'a>(
        &'a self,
        origin: &QualifiedName,
        target_schema: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Relationship>> {
        self.relationships
            .get(origin)
            .into_iter()
            .flatten()
            .filter(move |relationship| &*relationship.target().schema == target_schema)
    }

    /// Functions of that name.
    pub fn routines(&self, name: &QualifiedName) -> &[Routine] {
        self.routines.get(name).map_or(&[], Vec::as_slice)
    }

    /// All functions, in no order.
    pub fn all_routines(&self) -> impl Iterator<Item = &Routine> {
        self.routines.values().flatten()
    }

    /// The function that casts `source` to `target` for this API.
    pub fn representation(&self, source: &str, target: &str) -> Option<&Representation> {
        if self.representations.is_empty() {
            return None;
        }
        self.representations.get(&(Arc::from(source), Arc::from(target)))
    }

    /// Functions and aggregates that produce media types.
    pub fn media_handlers(&self) -> &[MediaHandler] {
        &self.media_handlers
    }

    /// Settings of a role, to be applied before the role is taken.
    pub fn role_settings(&self, role: &str) -> &[(Box<str>, Box<str>)] {
        self.role_settings.get(role).map_or(&[], Vec::as_slice)
    }
}
