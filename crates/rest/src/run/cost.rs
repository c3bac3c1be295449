//! Reads that run only if PostgreSQL expects them to cost no more than their role may ask for.

use passerelle_planner::{CountSpec, OutcomeCheck};
use passerelle_sql::ReadStatements;
use passerelle_statement::Statement;
use passerelle_wire::{Connection, Pool, ResultSet};

use super::{Answer, RunError, conclude, of_plan, write};
use crate::course::Course;
use crate::error::ReplyError;

/// The statement that tells how another would run.
pub(super) fn explained(statement: &Statement) -> Statement {
    Statement {
        text: format!("EXPLAIN (FORMAT JSON) {}", statement.text),
        params: statement.params.clone(),
    }
}

/// Whether a plan costs no more than is allowed.
pub(super) fn within(plan: &ResultSet, limit: u64) -> Result<(), ReplyError> {
    let cost = of_plan(plan, "Total Cost").and_then(|cost| cost.as_f64());
    let cost = cost.ok_or(ReplyError::NoRow)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "costs are positive, and a cast to an integer saturates"
    )]
    let cost = cost.ceil() as u64;
    if cost > limit {
        return Err(ReplyError::TooCostly { cost, limit });
    }
    Ok(())
}

/// Runs a read after its plan was looked at, both in one transaction, so that what precedes a statement
/// is done once.
pub(super) async fn run(
    connection: &mut Connection,
    course: &Course,
    statements: &ReadStatements,
    asked: (Option<CountSpec>, OutcomeCheck),
    limit: u64,
) -> Result<Answer, RunError> {
    let explained = explained(&statements.main);
    let mut retried = false;
    loop {
        let (plan, mut transaction) = connection.open(&course.flight(&explained)).await?;
        if let Err(error) = within(&plan, limit) {
            return write::end(transaction, course, Err(error)).await;
        }
        // What precedes a statement has been done.
        let main = course.flight(&statements.main).prelude(&[]);
        match transaction.fly(&main).await {
            Ok(result) => return conclude(transaction, course, statements, asked, &result).await,
            Err(error) => {
                drop(transaction);
                if retried || !connection.may_retry(&error) {
                    return Err(error.into());
                }
                retried = true;
            }
        }
    }
}

/// Refuses a statement that would cost too much, without running it.
pub(crate) async fn afford(
    pool: &Pool,
    course: &Course,
    statement: &Statement,
    limit: u64,
) -> Result<(), RunError> {
    let mut connection = pool.acquire(course.scope.role()).await?;
    let explained = explained(statement);
    let plan = connection.fly(&course.flight(&explained)).await?;
    Ok(within(&plan, limit)?)
}
