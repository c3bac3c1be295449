//! Responses, shared between operations.

use passerelle_catalog::Table;
use serde_json::{Value, json};

use super::key::key;
use super::{CSV, JSON, OBJECT, schemas};
use crate::object::{Object, reference};

pub(super) fn components(tables: &[&Table]) -> Object {
    let mut responses = Object::new()
        .with("Error", error_component())
        .with("NoContent", json!({ "description": "No Content" }));
    for table in tables {
        responses.put(rows_key(table), rows_component(table));
    }
    responses
}

/// A reference to the response of every request that fails.
pub(super) fn error() -> Value {
    reference("#/components/responses/Error").into()
}

/// A reference to the response without a body.
pub(super) fn no_content() -> Value {
    reference("#/components/responses/NoContent").into()
}

/// A reference to the response with rows of a relation.
pub(super) fn rows(table: &Table) -> Value {
    reference(format!("#/components/responses/{}", rows_key(table))).into()
}

fn rows_key(table: &Table) -> String {
    key(&["Rows", &table.name.name])
}

fn rows_component(table: &Table) -> Value {
    let row = Value::from(schemas::row(&table.name.name));
    json!({
        "description": "Rows",
        "headers": {
            "Content-Range": {
                "description": "First and last row, and how many there are if they were counted",
                "schema": { "type": "string" },
            },
        },
        "content": {
            JSON: { "schema": { "type": "array", "items": row } },
            OBJECT: { "schema": row },
            CSV: { "schema": { "type": "string" } },
        },
    })
}

fn error_component() -> Value {
    let text = json!({ "type": ["string", "null"] });
    json!({
        "description": "Error",
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "code": { "type": "string" },
                        "message": { "type": "string" },
                        "details": text,
                        "hint": text,
                    },
                    "required": ["code", "message", "details", "hint"],
                },
            },
        },
    })
}
