//! The rows that become the body, and where a statement reads them from.

use passerelle_planner::{Handler, ReadNode};

use crate::body::{NAMED_ROWS, ROWS, needs_named_rows};
use crate::node::{WRITTEN, write_node};
use crate::writer::Writer;

/// Columns that hold what the database says about the reply. A setting may be an empty string
/// after a transaction that set it locally.
pub(crate) const RESPONSE_SETTINGS: &str = ", nullif(current_setting('response.headers', true), ''), \
     nullif(current_setting('response.status', true), '')";

/// Writes the rows as a common table expression, where the handler reads them twice. `before` is
/// what comes before it.
pub(crate) fn write_named_rows(sql: &mut Writer, before: &str, handler: &Handler, node: &ReadNode) {
    if !needs_named_rows(handler) {
        return;
    }
    sql.push(before);
    sql.push(NAMED_ROWS);
    sql.push(" AS (");
    write_node(sql, node, &[]);
    sql.push(") ");
}

/// Writes the rows as what is read from.
pub(crate) fn write_from_rows(sql: &mut Writer, handler: &Handler, node: &ReadNode) {
    sql.push(" FROM ");
    if needs_named_rows(handler) {
        sql.push(NAMED_ROWS);
    } else {
        sql.push("(");
        write_node(sql, node, &[]);
        sql.push(")");
    }
    sql.push(" AS ");
    sql.push(ROWS);
}

/// Writes what a write or a function returned as what is read from, as it is.
pub(crate) fn write_from_written(sql: &mut Writer) {
    sql.push(" FROM ");
    sql.push(WRITTEN);
    sql.push(" AS ");
    sql.push(ROWS);
}
