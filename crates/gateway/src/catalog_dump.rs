//! The catalogue as JSON, for people who look for a fault. Its structure may change at any time.

use std::collections::BTreeSet;

use passerelle_catalog::{Catalog, MediaHandler, QualifiedName, Relationship, Routine, Table};
use serde::Serialize;

/// The parts, named as those of PostgREST's schema cache.
#[derive(Serialize)]
struct Dump<'a> {
    #[serde(rename = "dbMediaHandlers")]
    media_handlers: &'a [MediaHandler],
    #[serde(rename = "dbRelationships")]
    relationships: Vec<(&'a QualifiedName, Vec<&'a Relationship>)>,
    #[serde(rename = "dbRoutines")]
    routines: Vec<&'a Routine>,
    #[serde(rename = "dbTables")]
    tables: Vec<&'a Table>,
}

/// All there is, in the order of names.
pub(crate) fn json(catalog: &Catalog) -> String {
    let mut tables: Vec<&Table> = catalog.tables().collect();
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    let mut routines: Vec<&Routine> = catalog.all_routines().collect();
    routines.sort_by(|one, other| one.name.cmp(&other.name));
    let exposed = catalog.schemas().iter();
    let schemas: BTreeSet<&str> = exposed
        .chain(tables.iter().map(|table| &table.name.schema))
        .map(|schema| &**schema)
        .collect();
    let relationships = tables.iter().map(|table| {
        let found = schemas
            .iter()
            .flat_map(|schema| catalog.relationships(&table.name, schema))
            .map(|relationship| &**relationship);
        (&table.name, found.collect::<Vec<_>>())
    });
    let dump = Dump {
        media_handlers: catalog.media_handlers(),
        relationships: relationships
            .filter(|(_, found)| !found.is_empty())
            .collect(),
        routines,
        tables,
    };
    // Names and numbers can always be written.
    serde_json::to_string(&dump).unwrap_or_default()
}
