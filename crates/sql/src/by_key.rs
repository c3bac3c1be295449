//! An update in which each row of the body changes the row with its key.
//!
//! Rows of the body are numbered, and the update returns the numbers: that tells which rows found
//! none.

use passerelle_planner::{ColumnRef, JsonBody, MutatePlan, Write, WriteColumn};

use crate::json::{BODY, write_json_rows};
use crate::node::{Separator, WRITTEN};
use crate::write::{write_body_column, write_filters, write_set, write_target_columns};
use crate::writer::Writer;

/// Name of the common table expression of the update.
const UPDATED: &str = "pgrst_updated";

/// Name of the column with the number of the body's row.
const POSITION: &str = "pgrst_position";

/// Keys that are told at most.
const MOST_KEYS: u64 = 100;

/// Writes the common table expressions of the write, where it is an update by key; says whether it
/// is.
pub(crate) fn write_by_key(sql: &mut Writer, plan: &MutatePlan) -> bool {
    let Write::Update {
        columns,
        keys,
        body,
        apply_defaults,
        filters,
    } = &plan.write
    else {
        return false;
    };
    if keys.is_empty() || columns.is_empty() {
        return false;
    }
    write_numbered_rows(sql, keys, columns, body, *apply_defaults);
    sql.push(", ");
    sql.push(UPDATED);
    sql.push(" AS (");
    write_set(sql, &plan.target, columns);
    sql.push(" FROM ");
    sql.push(BODY);
    let mut separator = Separator::conditions();
    for key in keys {
        separator.write(sql);
        sql.qualified_name(&plan.target);
        sql.push(".");
        sql.identifier(&key.name);
        sql.push(" = ");
        write_body_column(sql, key);
    }
    write_filters(sql, &plan.target, filters, &mut separator);
    let mut separator = Separator::new(" RETURNING ", ", ");
    separator.write(sql);
    write_position(sql, BODY);
    write_target_columns(sql, &plan.target, &plan.returning, &mut separator);
    sql.push("), ");
    write_shown(sql, &plan.returning);
    true
}

fn write_numbered_rows(
    sql: &mut Writer,
    keys: &[WriteColumn],
    columns: &[WriteColumn],
    body: &JsonBody,
    apply_defaults: bool,
) {
    let all: Vec<WriteColumn> = keys.iter().chain(columns).cloned().collect();
    sql.push(BODY);
    sql.push(" AS (SELECT row_number() OVER () AS ");
    sql.push(POSITION);
    sql.push(", ");
    sql.push(BODY);
    sql.push(".* FROM ");
    write_json_rows(sql, &all, body, apply_defaults);
    sql.push(")");
}

fn write_position(sql: &mut Writer, qualifier: &str) {
    sql.push(qualifier);
    sql.push(".");
    sql.push(POSITION);
}

/// The rows of the update without their numbers.
fn write_shown(sql: &mut Writer, returning: &[ColumnRef]) {
    sql.push(WRITTEN);
    sql.push(" AS (SELECT");
    let mut separator = Separator::new(" ", ", ");
    for column in returning {
        if let ColumnRef::Named(name) = column {
            separator.write(sql);
            sql.identifier(name);
        }
    }
    sql.push(" FROM ");
    sql.push(UPDATED);
    sql.push(")");
}

/// Writes what is told of the keys: those that several rows have, or null; how many rows found
/// none; and their keys.
pub(crate) fn write_key_columns(sql: &mut Writer, write: &Write) {
    let Write::Update { keys, columns, .. } = write else {
        return;
    };
    if keys.is_empty() || columns.is_empty() {
        return;
    }
    sql.push(", (SELECT json_agg(k) FROM (SELECT ");
    write_keys(sql, keys, Separator::new("", ", "), "");
    sql.push(" FROM ");
    sql.push(BODY);
    // A key with a null in it is no other's.
    write_keys(sql, keys, Separator::conditions(), " IS NOT NULL");
    write_keys(sql, keys, Separator::new(" GROUP BY ", ", "), "");
    sql.push(" HAVING count(*) > 1 ORDER BY min(");
    write_position(sql, BODY);
    sql.push(") LIMIT ");
    sql.number(MOST_KEYS);
    sql.push(") AS k), (SELECT count(*)");
    write_from_unmatched(sql);
    sql.push("), (SELECT json_agg(k) FROM (SELECT ");
    write_keys(sql, keys, Separator::new("", ", "), "");
    write_from_unmatched(sql);
    sql.push(" ORDER BY ");
    write_position(sql, BODY);
    sql.push(" LIMIT ");
    sql.number(MOST_KEYS);
    sql.push(") AS k)");
}

fn write_keys(sql: &mut Writer, keys: &[WriteColumn], mut separator: Separator, after: &str) {
    for key in keys {
        separator.write(sql);
        write_body_column(sql, key);
        sql.push(after);
    }
}

fn write_from_unmatched(sql: &mut Writer) {
    sql.push(" FROM ");
    sql.push(BODY);
    sql.push(" WHERE NOT EXISTS (SELECT FROM ");
    sql.push(UPDATED);
    sql.push(" WHERE ");
    write_position(sql, UPDATED);
    sql.push(" = ");
    write_position(sql, BODY);
    sql.push(")");
}
