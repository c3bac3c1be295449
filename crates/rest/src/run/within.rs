//! Runs what a request asks in a transaction that it shares with others.

use passerelle_planner::{CountSpec, OutcomeCheck};
use passerelle_sql::ReadStatements;
use passerelle_statement::Statement;
use passerelle_wire::{Flight, OpenTransaction};

use super::write::{refuse, refuse_keys, written};
use super::{Answer, RunError, Written, answer, cost, estimated_total, needs_estimate};
use crate::course::Course;

/// Runs a read or a call, and finds its total.
pub(crate) async fn read_within(
    transaction: &mut OpenTransaction<'_>,
    course: &Course,
    statements: &ReadStatements,
    (count, check): (Option<CountSpec>, OutcomeCheck),
) -> Result<Answer, RunError> {
    let mut flight = course.flight(&statements.main);
    // What the course does before its statement is done once, and what it undoes at its end is what
    // further statements run under.
    if let Some(limit) = course.cost_limit {
        let explained = cost::explained(&statements.main);
        let asking = course.flight(&explained).epilogue(&[]);
        cost::within(&transaction.fly(&asking).await?, limit)?;
        flight = flight.prelude(&[]);
    }
    let answered = match &statements.explain {
        None => answer(&transaction.fly(&flight).await?)?,
        Some(explain) => {
            let mut answered = answer(&transaction.fly(&flight.epilogue(&[])).await?)?;
            let flight = Flight::new(explain, &course.scope).epilogue(&course.epilogue);
            let estimated = transaction.fly(&flight).await?;
            if needs_estimate(count, answered.total) {
                answered.total = estimated_total(count, answered.total, &estimated);
            }
            answered
        }
    };
    refuse(check, answered.page_count)?;
    Ok(answered)
}

/// Runs a write.
pub(crate) async fn write_within(
    transaction: &mut OpenTransaction<'_>,
    course: &Course,
    statement: &Statement,
    check: OutcomeCheck,
) -> Result<Written, RunError> {
    let written = written(&transaction.fly(&course.flight(statement)).await?)?;
    refuse_keys(check, &written)?;
    refuse(check, written.rows)?;
    Ok(written)
}
