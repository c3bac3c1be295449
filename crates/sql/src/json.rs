//! Rows read from a JSON body that goes to PostgreSQL as it is.
//!
//! `json_to_record` gives each member the declared type of its column or parameter, limits of
//! length included, just as the column itself would take it.

use bytes::Bytes;
use passerelle_planner::{CallParameter, JsonBody, WriteColumn};

use crate::node::Separator;
use crate::writer::Writer;

/// Name of the rows of the body.
pub(crate) const BODY: &str = "pgrst_body";

/// Writes the rows of a body that is written to a relation, as an item of a `FROM`.
pub(crate) fn write_json_rows(
    sql: &mut Writer,
    columns: &[WriteColumn],
    body: &JsonBody,
    apply_defaults: bool,
) {
    if columns.is_empty() {
        return write_empty_rows(sql, body);
    }
    if columns.iter().all(|column| column.transform.is_none()) {
        write_record(sql, columns, body, apply_defaults);
        sql.push(" AS ");
        sql.push(BODY);
        return write_definitions(sql, columns);
    }
    let mut separator = Separator::new("(SELECT ", ", ");
    for column in columns {
        separator.write(sql);
        write_transformed(sql, column);
    }
    sql.push(" FROM ");
    write_record(sql, columns, body, apply_defaults);
    sql.push(" AS _");
    write_definitions(sql, columns);
    sql.push(") AS ");
    sql.push(BODY);
}

/// As many rows without columns as there are empty objects.
fn write_empty_rows(sql: &mut Writer, body: &JsonBody) {
    if body.is_object {
        sql.push("(SELECT)");
    } else {
        sql.push("json_array_elements(");
        sql.body_parameter(&body.bytes);
        sql.push("::json)");
    }
    sql.push(" AS ");
    sql.push(BODY);
}

fn write_transformed(sql: &mut Writer, column: &WriteColumn) {
    match &column.transform {
        None => sql.identifier(&column.name),
        Some(function) => {
            sql.push(function);
            sql.push("(");
            sql.identifier(&column.name);
            sql.push(")");
            sql.alias(&column.name);
        }
    }
}

fn write_record(sql: &mut Writer, columns: &[WriteColumn], body: &JsonBody, apply_defaults: bool) {
    match (apply_defaults, body.is_object) {
        (false, is_object) => {
            write_record_function(sql, is_object);
            sql.body_parameter(&body.bytes);
            sql.push("::json)");
        }
        (true, true) => {
            sql.push("jsonb_to_record(");
            write_defaults(sql, columns);
            sql.push(" || ");
            sql.body_parameter(&body.bytes);
            sql.push("::jsonb)");
        }
        (true, false) => {
            sql.push("jsonb_to_recordset((SELECT jsonb_agg(");
            write_defaults(sql, columns);
            sql.push(" || element) FROM jsonb_array_elements(");
            sql.body_parameter(&body.bytes);
            sql.push("::jsonb) AS element))");
        }
    }
}

fn write_record_function(sql: &mut Writer, is_object: bool) {
    sql.push(if is_object {
        "json_to_record("
    } else {
        "json_to_recordset("
    });
}

/// An object with the defaults; members of the body override its own.
fn write_defaults(sql: &mut Writer, columns: &[WriteColumn]) {
    sql.push("jsonb_build_object(");
    let mut separator = Separator::new("", ", ");
    for column in columns {
        if let Some(default) = &column.default {
            separator.write(sql);
            sql.literal(&column.name);
            sql.push(", ");
            sql.push(default);
        }
    }
    sql.push(")");
}

fn write_definitions(sql: &mut Writer, columns: &[WriteColumn]) {
    let mut separator = Separator::new("(", ", ");
    for column in columns {
        separator.write(sql);
        sql.identifier(&column.name);
        sql.push(" ");
        // An operation is an object whatever the column's type is.
        sql.push(match (&column.transform, &column.operation) {
            (None, None) => &column.type_name,
            _ => "json",
        });
    }
    sql.push(")");
}

/// Whether JSON is an object rather than an array.
pub(crate) fn is_object(json: &Bytes) -> bool {
    json.trim_ascii_start().first() == Some(&b'{')
}

/// Writes the row of arguments in a body, as an item of a `FROM`. Of an array, it is the first.
pub(crate) fn write_json_arguments(sql: &mut Writer, parameters: &[CallParameter], bytes: &Bytes) {
    let is_object = is_object(bytes);
    if !is_object {
        sql.push("(SELECT * FROM ");
    }
    write_record_function(sql, is_object);
    sql.body_parameter(bytes);
    sql.push("::json) AS ");
    sql.push(if is_object { BODY } else { "_" });
    let mut separator = Separator::new("(", ", ");
    for parameter in parameters {
        separator.write(sql);
        sql.identifier(&parameter.name);
        sql.push(" ");
        sql.push(&parameter.type_name);
    }
    sql.push(")");
    if !is_object {
        sql.push(" LIMIT 1) AS ");
        sql.push(BODY);
    }
}
