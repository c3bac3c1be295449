//! Both documents of a small catalogue.
#![expect(clippy::unwrap_used, reason = "tests say what is wrong by failing")]

mod catalog;
mod structure;
mod swagger;
mod v31;

use std::collections::HashSet;

use passerelle_catalog::{Catalog, Oid, QualifiedName};
use passerelle_openapi::{Description, RoutineChoice, ServerAddress, TableChoice};
use serde_json::Value;

/// The schema as somebody sees it who may see all but one relation and one function.
fn described<T>(render: impl FnOnce(&Description<'_>) -> T) -> T {
    let catalog = catalog::library();
    let (tables, routines) = accessible(&catalog);
    let server = ServerAddress::listening("localhost", 3000);
    render(&Description {
        catalog: &catalog,
        schema: "library",
        schema_comment: Some("Library\n\nBooks and\ntheir authors"),
        tables: TableChoice::Only(&tables),
        routines: RoutineChoice::Only(&routines),
        type_path: &["library"],
        version: "1.0",
        docs_version: "latest",
        server: &server,
        security_active: false,
    })
}

fn accessible(catalog: &Catalog) -> (HashSet<QualifiedName>, HashSet<Oid>) {
    let tables = catalog
        .tables()
        .map(|table| table.name.clone())
        .filter(|name| &*name.name != "secrets");
    let routines = catalog
        .all_routines()
        .filter(|routine| &*routine.name.name != "hidden")
        .map(|routine| routine.oid);
    (tables.collect(), routines.collect())
}

fn parse(document: &str) -> Value {
    serde_json::from_str(document).unwrap()
}

fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap()
}
