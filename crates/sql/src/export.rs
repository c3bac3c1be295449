//! The statements of a read whose rows are sent on while they arrive: what the reply says about
//! them is asked for beside them, since nothing of it could come in a row before the first.

use passerelle_planner::{CountSpec, ReadNode, ReadPlan};
use passerelle_statement::Statement;
use passerelle_syntax::Count;

use crate::count::write_row_count;
use crate::node::{has_aggregate, write_node};
use crate::read::{render_explain, write_counted_to};
use crate::rows::RESPONSE_SETTINGS;
use crate::writer::Writer;

/// Positions of the columns of [`ExportStatements::head`] and [`ExportStatements::tail`].
pub mod export_column {
    /// Total number of rows, or null when it was not asked for or is not known.
    pub const TOTAL: usize = 0;
    /// The setting `response.headers`, or null.
    pub const RESPONSE_HEADERS: usize = 1;
    /// The setting `response.status`, or null.
    pub const RESPONSE_STATUS: usize = 2;
}

/// The statements of an export, to be run in one transaction and, if there is a total, one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportStatements {
    /// Has one row, with the columns of [`export_column`], before the rows are read.
    pub head: Statement,
    /// `EXPLAIN (FORMAT JSON)` of the rows without range, for planned and estimated counts.
    pub explain: Option<Statement>,
    /// The rows as they are.
    pub rows: Statement,
    /// Has one row like that of the head, without the total, after the rows were read.
    pub tail: Statement,
    /// The rows are as many as the total says, but for the range.
    pub total_counts_rows: bool,
}

/// Renders a read as an export.
pub fn render_export(plan: &ReadPlan) -> ExportStatements {
    let mut rows = Writer::new();
    write_node(&mut rows, &plan.root, &[]);
    ExportStatements {
        head: settings(plan.count, &plan.root),
        explain: render_explain(plan),
        rows: rows.finish(),
        tail: settings(None, &plan.root),
        total_counts_rows: !has_aggregate(&plan.root)
            || plan.count.is_some_and(|count| !count.separate),
    }
}

fn settings(count: Option<CountSpec>, root: &ReadNode) -> Statement {
    let mut sql = Writer::new();
    sql.push("SELECT ");
    match count {
        None
        | Some(CountSpec {
            kind: Count::Planned,
            ..
        }) => sql.push("NULL"),
        // Groups are the rows here, as long as all of them are shown.
        Some(CountSpec {
            separate: false, ..
        }) if has_aggregate(root) => {
            sql.push("(SELECT count(*) FROM (");
            write_node(&mut sql, root, &[]);
            sql.push(") AS counted)");
        }
        Some(CountSpec {
            separate: true,
            kind: Count::Estimated,
            max_rows: Some(max_rows),
        }) => write_counted_to(&mut sql, max_rows, root),
        Some(CountSpec {
            kind: Count::Exact | Count::Estimated,
            ..
        }) => {
            sql.push("(");
            write_row_count(&mut sql, root);
            sql.push(")");
        }
    }
    sql.push(RESPONSE_SETTINGS);
    sql.finish()
}
