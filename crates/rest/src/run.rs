//! Runs a read: prelude and statement in one flight, or in an open transaction where the answer
//! needs a second statement.

mod cost;
mod export;
mod within;
mod write;

use bytes::Bytes;
use passerelle_planner::{CountSpec, OutcomeCheck};
use passerelle_sql::{ReadStatements, column};
use passerelle_statement::Statement;
use passerelle_syntax::Count;
use passerelle_wire::{OpenTransaction, Pool, PoolError, ResultSet, WireError};
use thiserror::Error;

pub(crate) use self::cost::afford;
pub(crate) use self::export::{Export, Flow, FlowHead, export};
pub(crate) use self::within::{read_within, write_within};
pub(crate) use self::write::{Written, conclude_batch, write};
use crate::course::Course;
use crate::error::ReplyError;
use passerelle_surface::Noted;

/// OID of the type `bytea`.
const BYTEA: u32 = 17;

/// What a read answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Rows there are without the window, where it was asked for and is known.
    pub(crate) total: Option<u64>,
    /// Rows of the page.
    pub(crate) page_count: u64,
    /// The body, sharing the memory of the connection's buffer.
    pub(crate) body: Bytes,
    /// `response.headers`
    pub(crate) response_headers: Option<Bytes>,
    /// `response.status`
    pub(crate) response_status: Option<Bytes>,
}

/// Why a read did not run.
#[derive(Debug, Error)]
pub(crate) enum RunError {
    /// No connection was to be had.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The flight failed.
    #[error(transparent)]
    Flight(#[from] WireError),
    /// The statement did not answer as its form says.
    #[error(transparent)]
    Reply(#[from] ReplyError),
}

/// Runs a read or a call and finds its total. The transaction stays open until its outcome was
/// looked at only where that can make a difference.
pub(crate) async fn run(
    pool: &Pool,
    course: &Course,
    statements: &ReadStatements,
    (count, check): (Option<CountSpec>, OutcomeCheck),
    noted: &mut Option<Noted>,
) -> Result<Answer, RunError> {
    let mut connection = pool.acquire(course.scope.role()).await?;
    if let Some(limit) = course.cost_limit {
        return cost::run(&mut connection, course, statements, (count, check), limit).await;
    }
    let flight = course.flight(&statements.main);
    let unseen = course.read_only || (check.is_void() && !course.rollback);
    if statements.explain.is_none() && unseen {
        let result = connection.fly(&flight).await?;
        *noted = Noted::read(&result);
        let answer = answer(&result)?;
        write::refuse(check, answer.page_count)?;
        return Ok(answer);
    }
    let (result, transaction) = connection.open(&flight).await?;
    *noted = Noted::read(&result);
    conclude(transaction, course, statements, (count, check), &result).await
}

/// Finds the total of what was answered, and ends the transaction.
async fn conclude(
    mut transaction: OpenTransaction<'_>,
    course: &Course,
    statements: &ReadStatements,
    (count, check): (Option<CountSpec>, OutcomeCheck),
    result: &ResultSet,
) -> Result<Answer, RunError> {
    let mut answer = match answer(result) {
        Ok(answer) => answer,
        Err(error) => return write::end(transaction, course, Err(error)).await,
    };
    if let Some(explain) = &statements.explain
        && needs_estimate(count, answer.total)
    {
        let estimated = transaction.run(&course.scope, explain).await?;
        answer.total = estimated_total(count, answer.total, &estimated);
    }
    let outcome = write::refuse(check, answer.page_count).map(|()| answer);
    write::end(transaction, course, outcome).await
}

/// Runs a statement that explains another; its rows are the lines of a plan. An explanation that
/// analyses runs the other, too.
pub(crate) async fn explain(
    pool: &Pool,
    course: &Course,
    statement: &Statement,
    noted: &mut Option<Noted>,
) -> Result<Bytes, RunError> {
    let mut connection = pool.acquire(course.scope.role()).await?;
    let result = connection.fly(&course.flight(statement)).await?;
    *noted = Noted::read(&result);
    let mut plan = Vec::new();
    for row in result.rows() {
        plan.extend_from_slice(row.value(0).unwrap_or_default());
        plan.push(b'\n');
    }
    Ok(Bytes::from(plan))
}

fn answer(result: &ResultSet) -> Result<Answer, ReplyError> {
    if result.is_empty() {
        return Err(ReplyError::NoRow);
    }
    let number = |column| result.text(0, column).and_then(|text| text.parse().ok());
    Ok(Answer {
        total: number(column::TOTAL),
        page_count: number(column::PAGE_COUNT).ok_or(ReplyError::NoRow)?,
        body: body_of(result, column::BODY),
        response_headers: result.bytes(0, column::RESPONSE_HEADERS),
        response_status: result.bytes(0, column::RESPONSE_STATUS),
    })
}

/// The body's bytes. `bytea` comes as text, too, and is the only type whose text is not its value.
fn body_of(result: &ResultSet, column: usize) -> Bytes {
    let body = result.bytes(0, column).unwrap_or_default();
    let is_bytea = result
        .columns()
        .get(column)
        .is_some_and(|body| body.type_oid == BYTEA);
    match body.strip_prefix(b"\\x") {
        Some(digits) if is_bytea => Bytes::from(decode_hex(digits)),
        _ => body,
    }
}

/// Bytes of pairs of hexadecimal digits, as PostgreSQL writes them.
fn decode_hex(digits: &[u8]) -> Vec<u8> {
    let nibble = |digit: u8| match digit {
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'0') & 0xf,
    };
    digits
        .chunks_exact(2)
        .map(|pair| nibble(pair[0]) << 4 | nibble(pair[1]))
        .collect()
}

/// An estimated count is exact as long as it stays within `max-rows`.
fn needs_estimate(count: Option<CountSpec>, total: Option<u64>) -> bool {
    match count {
        Some(CountSpec {
            kind: Count::Estimated,
            max_rows: Some(max_rows),
            ..
        }) => total.is_some_and(|total| total > max_rows),
        Some(CountSpec {
            kind: Count::Planned | Count::Estimated,
            ..
        }) => true,
        _ => false,
    }
}

/// The total where the planner's estimate counts.
fn estimated_total(
    count: Option<CountSpec>,
    counted: Option<u64>,
    estimated: &ResultSet,
) -> Option<u64> {
    let estimate = estimate(estimated);
    match count.map(|count| count.kind) {
        Some(Count::Planned) => estimate,
        _ => counted.max(estimate),
    }
}

/// The planner's estimate in the output of `EXPLAIN (FORMAT JSON)`.
fn estimate(result: &ResultSet) -> Option<u64> {
    of_plan(result, "Plan Rows")?.as_u64()
}

/// What the output of `EXPLAIN (FORMAT JSON)` says of the whole plan.
fn of_plan(result: &ResultSet, name: &str) -> Option<serde_json::Value> {
    let plan: serde_json::Value = serde_json::from_slice(result.value(0, 0)?).ok()?;
    plan.get(0)?.get("Plan")?.get(name).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_bytes() {
        assert_eq!(decode_hex(b"00ff0a7e"), [0x00, 0xff, 0x0a, 0x7e]);
        assert!(decode_hex(b"").is_empty());
    }

    #[test]
    fn when_an_estimate_is_needed() {
        let count = |kind, max_rows| {
            Some(CountSpec {
                kind,
                separate: true,
                max_rows,
            })
        };
        assert!(!needs_estimate(None, None));
        assert!(!needs_estimate(count(Count::Exact, None), Some(5)));
        assert!(needs_estimate(count(Count::Planned, None), None));
        assert!(needs_estimate(count(Count::Estimated, None), Some(5)));
        assert!(!needs_estimate(count(Count::Estimated, Some(5)), Some(5)));
        assert!(needs_estimate(count(Count::Estimated, Some(5)), Some(6)));
    }
}
