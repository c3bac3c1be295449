//! Statements whose plan is asked for instead of their rows.

use passerelle_planner::ExplainSpec;
use passerelle_syntax::PlanOption;

use crate::writer::Writer;

/// Writes what comes before a statement that is explained.
pub(crate) fn write_explain(sql: &mut Writer, explain: Option<&ExplainSpec>) {
    let Some(explain) = explain else {
        return;
    };
    sql.push(if explain.json {
        "EXPLAIN (FORMAT JSON"
    } else {
        "EXPLAIN (FORMAT TEXT"
    });
    for option in &explain.options {
        sql.push(match option {
            PlanOption::Analyze => ", ANALYZE",
            PlanOption::Verbose => ", VERBOSE",
            PlanOption::Settings => ", SETTINGS",
            PlanOption::Buffers => ", BUFFERS",
            PlanOption::Wal => ", WAL",
        });
    }
    sql.push(") ");
}
