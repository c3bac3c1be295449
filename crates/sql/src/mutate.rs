//! The statement of a write: one row with the representation and what the reply says about it.

use std::sync::Arc;

use passerelle_planner::{Conflict, Handler, MutatePlan, ResultKind, Write};
use passerelle_statement::Statement;

use crate::body::write_body;
use crate::by_key::ByKey;
use crate::explain::write_explain;
use crate::node::{Separator, WRITTEN};
use crate::rows::{RESPONSE_SETTINGS, write_from_rows, write_from_written, write_named_rows};
use crate::write::{merges, write_write};
use crate::writer::Writer;

/// Positions of the columns of the only row of a write.
pub mod write_column {
    /// Number of rows written, as far as they are shown.
    pub const PAGE_COUNT: usize = 0;
    /// The representation; empty when there is none.
    pub const BODY: usize = 1;
    /// The setting `response.headers`, or null.
    pub const RESPONSE_HEADERS: usize = 2;
    /// The setting `response.status`, or null.
    pub const RESPONSE_STATUS: usize = 3;
    /// Primary key of the only row, or null when it is not told or there are more or fewer rows: a
    /// JSON array of pairs `[name, value]`, in the order of the row's columns. A value is a string,
    /// the text of the column's JSON, or null.
    pub const LOCATION: usize = 4;
    /// Number of rows that an upsert inserted rather than changed, or null: nothing was to be
    /// merged, or the body had no row.
    pub const INSERTED: usize = 5;
    /// Of an update by key: keys that several rows of the body have, as a JSON array of objects, or
    /// null. Other writes do not have this column, nor those that follow.
    pub const DUPLICATE_KEYS: usize = 6;
    /// Number of rows of the body that changed nothing.
    pub const UNMATCHED: usize = 7;
    /// Their keys, as a JSON array of objects: the first hundred.
    pub const UNMATCHED_KEYS: usize = 8;
    /// Keys that several rows of the relation have, likewise, or null.
    pub const AMBIGUOUS_KEYS: usize = 9;
}

/// Renders a write. The statement has one row with the columns of [`write_column`], or the lines of
/// a plan where it is explained.
pub fn render_mutate(plan: &MutatePlan) -> Statement {
    let mut sql = Writer::new();
    write_explain(&mut sql, plan.reply.explain.as_ref());
    sql.push("WITH ");
    let by_key = ByKey::of(plan);
    if let Some(by_key) = &by_key {
        by_key.write(&mut sql);
    } else {
        sql.push(WRITTEN);
        sql.push(" AS (");
        write_write(&mut sql, plan);
        sql.push(")");
    }
    write_named_rows(&mut sql, ", ", &plan.handler, &plan.read);
    sql.push(" SELECT count(*), ");
    write_body(&mut sql, &plan.handler, ResultKind::SetOfComposite);
    sql.push(RESPONSE_SETTINGS);
    sql.push(", ");
    write_location(&mut sql, &plan.location_columns);
    sql.push(", ");
    write_inserted(&mut sql, &plan.write);
    if let Some(by_key) = &by_key {
        by_key.write_key_columns(&mut sql);
    }
    if plan.handler == Handler::None {
        // Columns of the read are not returned, hence cannot be read.
        write_from_written(&mut sql);
    } else {
        write_from_rows(&mut sql, &plan.handler, &plan.read);
    }
    sql.finish()
}

/// Values are told as JSON has them, which is not always how PostgreSQL writes them as text.
fn write_location(sql: &mut Writer, columns: &[Arc<str>]) {
    if columns.is_empty() {
        return sql.push("NULL");
    }
    // The row may have columns of these names, too: theirs are qualified, and `r.*` is the row and no column.
    sql.push(
        "CASE WHEN count(*) = 1 THEN (SELECT json_agg(json_build_array(pair.key, pair.value)) FROM ",
    );
    sql.push(WRITTEN);
    sql.push(" AS r, json_each_text(row_to_json(r.*)) AS pair WHERE pair.key");
    let mut separator = Separator::new(" IN (", ", ");
    for column in columns {
        separator.write(sql);
        sql.literal(column);
    }
    sql.push(")) END");
}

fn write_inserted(sql: &mut Writer, write: &Write) {
    let conflict: Option<&Conflict> = match write {
        Write::Insert { conflict, .. } => conflict.as_ref(),
        Write::Update { .. } | Write::Delete { .. } => None,
    };
    sql.push(if conflict.is_some_and(merges) {
        "nullif(current_setting('pgrst.inserted', true), '')"
    } else {
        "NULL"
    });
}
