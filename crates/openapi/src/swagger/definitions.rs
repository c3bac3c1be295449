//! Schemas of rows and of arguments.

use passerelle_catalog::{Catalog, Column, Parameter, Routine, Table};

use crate::column;
use crate::object::Object;
use crate::types;

pub(super) fn definitions(catalog: &Catalog, tables: &[&Table]) -> Object {
    tables
        .iter()
        .map(|table| (&*table.name.name, row(catalog, table)))
        .collect()
}

fn row(catalog: &Catalog, table: &Table) -> Object {
    let required: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| !column.nullable)
        .map(|column| &*column.name)
        .collect();
    let properties: Object = table
        .columns
        .iter()
        .map(|column| (&*column.name, property(catalog, table, column)))
        .collect();
    Object::new()
        .with("type", "object")
        .with_some("description", table.description.as_deref())
        .with_filled("properties", properties)
        .with_filled("required", required)
}

fn property(catalog: &Catalog, table: &Table, column: &Column) -> Object {
    column::property(catalog, table, column)
        .with_some("default", column::described_default(column))
        .with_filled("enum", column::labels(column))
}

/// Schema of the object that a function takes as the body.
pub(super) fn arguments(routine: &Routine, type_path: &[&str]) -> Object {
    let required: Vec<&str> = routine
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .map(|parameter| &*parameter.name)
        .collect();
    let properties: Object = routine
        .parameters
        .iter()
        .map(|parameter| (&*parameter.name, argument(parameter, type_path)))
        .collect();
    Object::new()
        .with("type", "object")
        .with_some("description", routine.description.as_deref())
        .with_filled("properties", properties)
        .with_filled("required", required)
}

fn argument(parameter: &Parameter, type_path: &[&str]) -> Object {
    types::schema(types::relative(&parameter.type_name, type_path))
}
