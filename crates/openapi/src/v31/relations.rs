//! Paths and request bodies of relations.

use passerelle_catalog::Table;
use serde_json::{Value, json};

use super::key::key;
use super::parameters::{filters, shared_parameter};
use super::{CSV, JSON, URL_ENCODED, responses, schemas};
use crate::comment::summary_and_description;
use crate::object::{Object, reference};

pub(super) fn path(table: &Table) -> Object {
    let mut path = Object::new().with("get", read(table));
    if table.insertable {
        path = path.with("post", insert(table));
    }
    if table.updatable {
        path = path.with("patch", update(table));
    }
    if table.deletable {
        path = path.with("delete", delete(table));
    }
    path
}

fn operation(table: &Table, parameters: Vec<Object>, answers: Value) -> Object {
    let (summary, description) = summary_and_description(table.description.as_deref());
    Object::new()
        .with("tags", vec![&*table.name.name])
        .with_some("summary", summary)
        .with_some("description", description)
        .with("parameters", parameters)
        .with("responses", answers)
}

fn read(table: &Table) -> Object {
    let shared = [
        "select",
        "order",
        "limit",
        "offset",
        "range",
        "rangeUnit",
        "prefer",
    ];
    let parameters = filters(table).chain(shared.map(shared_parameter)).collect();
    let rows = responses::rows(table);
    let answers = json!({ "200": rows, "206": rows, "default": responses::error() });
    operation(table, parameters, answers)
}

fn insert(table: &Table) -> Object {
    let parameters = ["select", "columns", "on_conflict", "prefer"]
        .map(shared_parameter)
        .into();
    let rows = responses::rows(table);
    let answers = json!({ "200": rows, "201": rows, "default": responses::error() });
    operation(table, parameters, answers)
        .with("requestBody", body(&key(&["insert", &table.name.name])))
}

fn update(table: &Table) -> Object {
    operation(table, change_parameters(table), change_answers(table))
        .with("requestBody", body(&key(&["update", &table.name.name])))
}

fn delete(table: &Table) -> Object {
    operation(table, change_parameters(table), change_answers(table))
}

fn change_parameters(table: &Table) -> Vec<Object> {
    let shared = ["select", "prefer"];
    filters(table).chain(shared.map(shared_parameter)).collect()
}

fn change_answers(table: &Table) -> Value {
    json!({
        "200": responses::rows(table),
        "204": responses::no_content(),
        "default": responses::error(),
    })
}

fn body(key: &str) -> Object {
    reference(format!("#/components/requestBodies/{key}"))
}

pub(super) fn request_bodies(tables: &[&Table]) -> Object {
    let mut bodies = Object::new();
    for table in tables {
        let name = &*table.name.name;
        if table.insertable {
            bodies.put(key(&["insert", name]), insert_body(table));
        }
        if table.updatable {
            let row = Value::from(schemas::change(table));
            let content = json!({ JSON: { "schema": row }, URL_ENCODED: { "schema": row } });
            bodies.put(
                key(&["update", name]),
                json!({ "required": true, "content": content }),
            );
        }
    }
    bodies
}

/// One row or several; as CSV, the first line names the columns.
fn insert_body(table: &Table) -> Value {
    let row = Value::from(schemas::insert(table));
    json!({
        "required": true,
        "content": {
            JSON: { "schema": { "anyOf": [row, { "type": "array", "items": row }] } },
            URL_ENCODED: { "schema": row },
            CSV: { "schema": { "type": "string" } },
        },
    })
}
