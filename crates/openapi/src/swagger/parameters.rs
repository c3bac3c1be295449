//! Parameters of requests: those that all relations share, and those of each.

use passerelle_catalog::{Column, Parameter, Table};

use crate::object::{Object, reference};
use crate::types;

pub(super) fn parameters(tables: &[&Table]) -> Object {
    let mut parameters = shared();
    for table in tables {
        let name = &*table.name.name;
        parameters.put(format!("body.{name}"), body(name));
        for column in &table.columns {
            parameters.put(filter_key(table, column), filter(column));
        }
    }
    parameters
}

fn shared() -> Object {
    const RETURN: [&str; 3] = ["return=representation", "return=minimal", "return=none"];
    const RESOLUTION: [&str; 2] = [
        "resolution=ignore-duplicates",
        "resolution=merge-duplicates",
    ];
    let paging = "Limiting and Pagination";
    Object::new()
        .with("preferParams", prefer(&[]))
        .with("preferReturn", prefer(&RETURN))
        .with("preferCount", prefer(&["count=none"]))
        .with("preferPost", prefer(&[&RETURN[..], &RESOLUTION].concat()))
        .with("select", text("select", "query", "Filtering Columns"))
        .with("on_conflict", text("on_conflict", "query", "On Conflict"))
        .with("order", text("order", "query", "Ordering"))
        .with("range", text("Range", "header", paging))
        .with(
            "rangeUnit",
            text("Range-Unit", "header", paging).with("default", "items"),
        )
        .with("offset", text("offset", "query", paging))
        .with("limit", text("limit", "query", paging))
}

/// An optional parameter that is a string.
fn text(name: &str, place: &str, description: &str) -> Object {
    Object::new()
        .with("name", name)
        .with("in", place)
        .with("description", description)
        .with("required", false)
        .with("type", "string")
}

fn prefer(values: &[&str]) -> Object {
    text("Prefer", "header", "Preference").with_filled("enum", values.to_vec())
}

fn body(table: &str) -> Object {
    Object::new()
        .with("name", table)
        .with("in", "body")
        .with("description", table)
        .with("required", false)
        .with("schema", reference(format!("#/definitions/{table}")))
}

fn filter_key(table: &Table, column: &Column) -> String {
    format!("rowFilter.{}.{}", table.name.name, column.name)
}

fn filter(column: &Column) -> Object {
    Object::new()
        .with("name", &*column.name)
        .with("in", "query")
        .with_some("description", column.description.as_deref())
        .with("required", false)
        .with("type", "string")
}

/// A reference to a parameter of the document.
pub(super) fn shared_parameter(key: &str) -> Object {
    reference(format!("#/parameters/{key}"))
}

/// References to the filters of a relation's columns.
pub(super) fn filters(table: &Table) -> impl Iterator<Item = Object> {
    table
        .columns
        .iter()
        .map(|column| shared_parameter(&filter_key(table, column)))
}

/// An argument of a function in the query. Arrays are written as PostgreSQL writes them, so they
/// are strings, except those of variadic parameters, which are repeated.
pub(super) fn argument(parameter: &Parameter, type_path: &[&str]) -> Object {
    let type_name = types::relative(&parameter.type_name, type_path);
    let json_type = types::json_type(type_name).unwrap_or("string");
    let argument = Object::new()
        .with("name", &*parameter.name)
        .with("in", "query")
        .with("required", parameter.required);
    if parameter.variadic {
        let element = types::element(type_name);
        return argument
            .with("type", json_type)
            .with("collectionFormat", "multi")
            .with(
                "items",
                types::elements(type_name).with("format", types::format(element)),
            );
    }
    let json_type = match json_type {
        "array" => "string",
        other => other,
    };
    argument
        .with("type", json_type)
        .with("format", types::format(type_name))
}
