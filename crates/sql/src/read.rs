//! The statements of a read, and what those of a call have in common with them: one row with the body and what the reply says about it.

use passerelle_planner::{CountSpec, ReadNode, ReadPlan, ResultKind};
use passerelle_statement::Statement;
use passerelle_syntax::Count;

use crate::body::write_body;
use crate::count::{write_one_per_row, write_row_count};
use crate::explain::write_explain;
use crate::rows::{RESPONSE_SETTINGS, write_from_rows, write_named_rows};
use crate::writer::Writer;

/// Positions of the columns of [`ReadStatements::main`].
pub mod column {
    /// Total number of rows, or null when it was not asked for or is not known.
    pub const TOTAL: usize = 0;
    /// Number of rows of the page.
    pub const PAGE_COUNT: usize = 1;
    /// The body.
    pub const BODY: usize = 2;
    /// The setting `response.headers`, or null.
    pub const RESPONSE_HEADERS: usize = 3;
    /// The setting `response.status`, or null.
    pub const RESPONSE_STATUS: usize = 4;
}

/// The statements of a read or of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadStatements {
    /// Has one row, with the columns of [`column`](mod@crate::column); the lines of a plan where the statement is
    /// explained.
    pub main: Statement,
    /// `EXPLAIN (FORMAT JSON)` of the rows without range, for planned and estimated counts.
    pub explain: Option<Statement>,
}

/// Renders a read.
pub fn render(plan: &ReadPlan) -> ReadStatements {
    ReadStatements {
        main: render_main(plan),
        explain: render_explain(plan),
    }
}

fn render_main(plan: &ReadPlan) -> Statement {
    let mut sql = Writer::new();
    write_explain(&mut sql, plan.reply.explain.as_ref());
    write_named_rows(&mut sql, "WITH ", &plan.handler, &plan.root);
    sql.push("SELECT ");
    write_total(&mut sql, plan.count, &plan.root);
    sql.push(", count(*), ");
    write_body(&mut sql, &plan.handler, ResultKind::SetOfComposite);
    sql.push(RESPONSE_SETTINGS);
    write_from_rows(&mut sql, &plan.handler, &plan.root);
    sql.finish()
}

fn write_total(sql: &mut Writer, count: Option<CountSpec>, root: &ReadNode) {
    match count {
        None
        | Some(CountSpec {
            kind: Count::Planned,
            ..
        }) => sql.push("NULL"),
        Some(CountSpec {
            separate: false, ..
        }) => sql.push("count(*)"),
        Some(CountSpec {
            kind: Count::Estimated,
            max_rows: Some(max_rows),
            ..
        }) => write_counted_to(sql, max_rows, root),
        Some(CountSpec {
            kind: Count::Exact | Count::Estimated,
            ..
        }) => {
            sql.push("(");
            write_row_count(sql, root);
            sql.push(")");
        }
    }
}

/// Writes the number of rows, as far as the setting lets count; one row more tells that there are
/// more.
pub(crate) fn write_counted_to(sql: &mut Writer, max_rows: u64, root: &ReadNode) {
    sql.push("(SELECT count(*) FROM (");
    write_one_per_row(sql, root);
    sql.push(" LIMIT ");
    sql.number(max_rows.saturating_add(1).min(i64::MAX.unsigned_abs()));
    sql.push(") AS counted)");
}

pub(crate) fn render_explain(plan: &ReadPlan) -> Option<Statement> {
    if !matches!(plan.count?.kind, Count::Planned | Count::Estimated) {
        return None;
    }
    let mut sql = Writer::new();
    sql.push("EXPLAIN (FORMAT JSON) ");
    write_one_per_row(&mut sql, &plan.root);
    Some(sql.finish())
}
