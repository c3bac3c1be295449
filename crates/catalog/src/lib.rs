//! The exposed database as an immutable value: tables, columns, keys, relationships, routines.
//!
//! A [`Catalog`] is read once from PostgreSQL and shared by all requests until the next one
//! replaces it. This crate also infers relationships; it does not read anything itself.

mod assemble;
mod by_name;
mod fuzzy;
mod name;
mod raw;
mod relationship;
mod routine;
mod similar;
mod table;

use std::collections::HashMap;
use std::sync::Arc;

use by_name::ByName;
pub use name::QualifiedName;
pub use raw::*;
pub use relationship::*;
pub use routine::*;
pub use table::*;

/// Settings as name and value.
type Settings = Vec<(Box<str>, Box<str>)>;

/// The exposed database at one moment.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    version: u64,
    schemas: Vec<Arc<str>>,
    tables: ByName<Table>,
    /// By origin, in the order in which candidates are listed.
    relationships: ByName<Vec<Arc<Relationship>>>,
    routines: ByName<Vec<Routine>>,
    /// By source type, then by target type.
    representations: HashMap<Arc<str>, HashMap<Arc<str>, Representation>>,
    media_handlers: Vec<MediaHandler>,
    role_settings: HashMap<Arc<str>, Settings>,
    role_isolation: HashMap<Arc<str>, Box<str>>,
}

impl Catalog {
    /// Number of this catalogue; later ones of the same process have higher numbers.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Exposed schemas, the default first.
    pub fn schemas(&self) -> &[Arc<str>] {
        &self.schemas
    }

    /// The relation of that name.
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.find_table(&name.schema, &name.name)
    }

    /// The relation of that schema and name; allocates nothing.
    pub fn find_table(&self, schema: &str, name: &str) -> Option<&Table> {
        self.tables.get(schema, name)
    }

    /// All relations, in no order.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// Relationships from `origin` that are found in the schema `target_schema`: by keys to its
    /// relations, or by its functions.
    pub fn relationships<'a>(
        &'a self,
        origin: &QualifiedName,
        target_schema: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Relationship>> {
        self.relationships
            .get(&origin.schema, &origin.name)
            .into_iter()
            .flatten()
            .filter(move |relationship| relationship.search_schema() == target_schema)
    }

    /// Functions of that name, those with the fewest parameters first.
    pub fn routines(&self, name: &QualifiedName) -> &[Routine] {
        self.find_routines(&name.schema, &name.name)
    }

    /// Functions of that schema and name; allocates nothing.
    pub fn find_routines(&self, schema: &str, name: &str) -> &[Routine] {
        self.routines.get(schema, name).map_or(&[], Vec::as_slice)
    }

    /// All functions, in no order.
    pub fn all_routines(&self) -> impl Iterator<Item = &Routine> {
        self.routines.values().flatten()
    }

    /// The function that casts `source` to `target` for this API.
    pub fn representation(&self, source: &str, target: &str) -> Option<&Representation> {
        self.representations.get(source)?.get(target)
    }

    /// Functions and aggregates that produce media types.
    pub fn media_handlers(&self) -> &[MediaHandler] {
        &self.media_handlers
    }

    /// Settings of a role, to be applied before the role is taken.
    pub fn role_settings(&self, role: &str) -> &[(Box<str>, Box<str>)] {
        self.role_settings.get(role).map_or(&[], Vec::as_slice)
    }

    /// Isolation level of a role's transactions (`ALTER ROLE … SET
    /// default_transaction_isolation`).
    pub fn role_isolation(&self, role: &str) -> Option<&str> {
        self.role_isolation.get(role).map(|level| &**level)
    }

    /// How much there is, for logs and metrics.
    pub fn size(&self) -> CatalogSize {
        CatalogSize {
            relations: self.tables.len(),
            relationships: self.relationships.values().map(Vec::len).sum(),
            routines: self.routines.values().map(Vec::len).sum(),
        }
    }
}

/// How much a catalogue holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CatalogSize {
    /// Tables and views.
    pub relations: usize,
    /// Relationships in both directions.
    pub relationships: usize,
    /// Functions, each overload counted.
    pub routines: usize,
}
