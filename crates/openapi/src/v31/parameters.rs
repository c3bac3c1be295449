//! Parameters of requests: those that all relations share, and the filters of each.

use passerelle_catalog::{Column, Table};
use serde_json::{Value, json};

use super::key::key;
use crate::object::{Object, reference};

/// Names in the query that are no filters, whatever columns there are.
const RESERVED: [&str; 6] = [
    "select",
    "order",
    "limit",
    "offset",
    "on_conflict",
    "columns",
];

pub(super) fn components(tables: &[&Table]) -> Object {
    let mut parameters = shared();
    for table in tables {
        for column in filtered(table) {
            parameters.put(filter_key(table, column), filter(column));
        }
    }
    parameters
}

fn shared() -> Object {
    let text = json!({ "type": "string" });
    let count = json!({ "type": "integer", "minimum": 0 });
    let query = |name, about, schema: &Value| parameter(name, "query", about, schema.clone());
    let header = |name, about, schema: &Value| parameter(name, "header", about, schema.clone());
    Object::new()
        .with(
            "select",
            query("select", "Columns and embedded relations", &text),
        )
        .with("order", query("order", "Ordering", &text))
        .with("limit", query("limit", "Rows at most", &count))
        .with("offset", query("offset", "Rows to skip", &count))
        .with(
            "on_conflict",
            query(
                "on_conflict",
                "Unique columns that decide what exists already",
                &text,
            ),
        )
        .with(
            "columns",
            query("columns", "Keys of the body that are inserted", &text),
        )
        .with(
            "range",
            header("Range", "First and last row, from 0", &text),
        )
        .with(
            "rangeUnit",
            header("Range-Unit", "Unit of Range", &json!({ "const": "items" })),
        )
        .with("prefer", header("Prefer", "Preferences (RFC 7240)", &text))
}

fn parameter(name: &str, place: &str, description: &str, schema: Value) -> Object {
    Object::new()
        .with("name", name)
        .with("in", place)
        .with("description", description)
        .with("schema", schema)
}

/// A reference to a parameter that all relations share.
pub(super) fn shared_parameter(name: &str) -> Object {
    reference(format!("#/components/parameters/{name}"))
}

/// References to the filters of a relation's columns.
pub(super) fn filters(table: &Table) -> impl Iterator<Item = Object> {
    filtered(table).map(|column| shared_parameter(&filter_key(table, column)))
}

/// Columns whose names are not taken by other parameters: a name may occur once.
fn filtered(table: &Table) -> impl Iterator<Item = &Column> {
    table
        .columns
        .iter()
        .filter(|column| !RESERVED.contains(&&*column.name))
}

fn filter_key(table: &Table, column: &Column) -> String {
    key(&["rowFilter", &table.name.name, &column.name])
}

fn filter(column: &Column) -> Object {
    Object::new()
        .with("name", &*column.name)
        .with("in", "query")
        .with_some("description", column.description.as_deref())
        .with("schema", json!({ "type": "string" }))
}
