//! Schemas of rows: `name` for what is read, `name.values` for what is written.

use passerelle_catalog::{Catalog, Column, Table};
use serde_json::Value;

use super::key::key;
use crate::column;
use crate::object::{Object, reference};
use crate::types;

pub(super) fn rows(catalog: &Catalog, tables: &[&Table]) -> Object {
    let mut schemas = Object::new();
    for table in tables {
        let name = &*table.name.name;
        let values = values(catalog, table);
        let required = names(table, |column| !column.nullable);
        let row = values
            .clone()
            .with_some("description", table.description.as_deref())
            .with_filled("required", required);
        schemas.put(key(&[name]), row);
        if table.insertable || table.updatable {
            schemas.put(key(&[name, "values"]), values);
        }
    }
    schemas
}

/// A row as it is read.
pub(super) fn row(table: &str) -> Object {
    reference(format!("#/components/schemas/{}", key(&[table])))
}

/// Values for some columns of a row.
pub(super) fn change(table: &Table) -> Object {
    let key = key(&[&table.name.name, "values"]);
    reference(format!("#/components/schemas/{key}"))
}

/// Values for a new row: columns without a default must be given.
pub(super) fn insert(table: &Table) -> Object {
    let required = names(table, |column| {
        !column.nullable && column.default.is_none() && !column.generated
    });
    change(table).with_filled("required", required)
}

fn names(table: &Table, chosen: impl Fn(&Column) -> bool) -> Vec<&str> {
    table
        .columns
        .iter()
        .filter(|column| chosen(column))
        .map(|column| &*column.name)
        .collect()
}

fn values(catalog: &Catalog, table: &Table) -> Object {
    let properties: Object = table
        .columns
        .iter()
        .map(|column| (&*column.name, property(catalog, table, column)))
        .collect();
    Object::new()
        .with("type", "object")
        .with_filled("properties", properties)
}

fn property(catalog: &Catalog, table: &Table, column: &Column) -> Object {
    let mut labels = column::labels(column);
    if column.nullable && !labels.is_empty() {
        labels.push(Value::Null);
    }
    let json_type = types::json_type(&column.base_type);
    let property = column::property(catalog, table, column)
        .with_some("default", column::constant_default(column))
        .with_filled("enum", labels)
        .with_some("readOnly", column.generated.then_some(true));
    match json_type {
        Some(json_type) if column.nullable => property.with("type", vec![json_type, "null"]),
        _ => property,
    }
}
