//! Paths: the root, the relations and the functions.

use passerelle_catalog::{Routine, Table, Volatility};
use serde_json::{Value, json};

use super::parameters::{argument, filters, shared_parameter};
use super::{JSON, OBJECT, STRIPPED_OBJECT, definitions};
use crate::Description;
use crate::comment::summary_and_description;
use crate::object::{Object, reference};

pub(super) fn paths(
    description: &Description<'_>,
    tables: &[&Table],
    routines: &[Vec<&Routine>],
) -> Object {
    let mut paths = Object::new().with("/", root());
    for table in tables {
        paths.put(format!("/{}", table.name.name), relation(table));
    }
    // A path has one operation for each method: of overloads, that with the most parameters.
    for routine in routines.iter().filter_map(|overloads| overloads.last()) {
        paths.put(
            format!("/rpc/{}", routine.name.name),
            function(routine, description.type_path),
        );
    }
    paths
}

fn root() -> Value {
    json!({
        "get": {
            "tags": ["Introspection"],
            "summary": "OpenAPI description (this document)",
            "produces": ["application/openapi+json", JSON],
            "responses": { "200": { "description": "OK" } },
        }
    })
}

fn operation(tag: &str, comment: Option<&str>) -> Object {
    let (summary, description) = summary_and_description(comment);
    Object::new()
        .with("tags", vec![tag])
        .with_some("summary", summary)
        .with_some("description", description)
}

fn relation(table: &Table) -> Object {
    let name = &*table.name.name;
    let operation = || operation(name, table.description.as_deref());
    let path = Object::new().with(
        "get",
        operation()
            .with("parameters", read_parameters(table))
            .with("responses", read_responses(name)),
    );
    if !(table.insertable || table.updatable || table.deletable) {
        return path;
    }
    let body = format!("body.{name}");
    let posted: Vec<Object> = [&*body, "select", "preferPost"]
        .map(shared_parameter)
        .into();
    let changed: Vec<Object> = filters(table)
        .chain([&*body, "preferReturn"].map(shared_parameter))
        .collect();
    let deleted: Vec<Object> = filters(table)
        .chain([shared_parameter("preferReturn")])
        .collect();
    path.with(
        "post",
        operation()
            .with("parameters", posted)
            .with("responses", json!({ "201": { "description": "Created" } })),
    )
    .with(
        "patch",
        operation()
            .with("parameters", changed)
            .with("responses", no_content()),
    )
    .with(
        "delete",
        operation()
            .with("parameters", deleted)
            .with("responses", no_content()),
    )
}

fn read_parameters(table: &Table) -> Vec<Object> {
    let shared = [
        "select",
        "order",
        "range",
        "rangeUnit",
        "offset",
        "limit",
        "preferCount",
    ];
    filters(table).chain(shared.map(shared_parameter)).collect()
}

fn read_responses(table: &str) -> Value {
    let row = Value::from(reference(format!("#/definitions/{table}")));
    json!({
        "200": { "description": "OK", "schema": { "type": "array", "items": row } },
        "206": { "description": "Partial Content" },
    })
}

fn no_content() -> Value {
    json!({ "204": { "description": "No Content" } })
}

fn function(routine: &Routine, type_path: &[&str]) -> Object {
    let operation = || {
        let tag = format!("(rpc) {}", routine.name.name);
        operation(&tag, routine.description.as_deref())
            .with("produces", json!([JSON, STRIPPED_OBJECT, OBJECT]))
            .with("responses", json!({ "200": { "description": "OK" } }))
    };
    let body = Object::new()
        .with("name", "args")
        .with("in", "body")
        .with("required", true)
        .with("schema", definitions::arguments(routine, type_path));
    let post = operation().with("parameters", vec![body, shared_parameter("preferParams")]);
    let path = Object::new().with("post", post);
    if routine.volatility == Volatility::Volatile {
        return path;
    }
    let arguments: Vec<Object> = routine
        .parameters
        .iter()
        .map(|parameter| argument(parameter, type_path))
        .collect();
    path.with("get", operation().with_filled("parameters", arguments))
}
