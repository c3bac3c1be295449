//! Runs a write: in one flight where any outcome may be committed, else in an open transaction
//! that is committed after its outcome was looked at.

use bytes::Bytes;
use passerelle_planner::{KeyCheck, OutcomeCheck};
use passerelle_sql::write_column;
use passerelle_statement::Statement;
use passerelle_wire::{Flight, OpenTransaction, Pool, ResultSet, Scope, WireError};

use super::{RunError, body_of};
use crate::course::Course;
use crate::error::ReplyError;
use crate::keys;
use passerelle_surface::{Closing, Noted};

/// What a write answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Rows that were written.
    pub(crate) rows: u64,
    /// The representation.
    pub(crate) body: Bytes,
    /// `response.headers`
    pub(crate) response_headers: Option<Bytes>,
    /// `response.status`
    pub(crate) response_status: Option<Bytes>,
    /// Names and values of the primary key of the only row, as JSON.
    pub(crate) location: Option<Bytes>,
    /// Rows that an upsert inserted.
    pub(crate) inserted: Option<i64>,
    /// Keys that several rows of the body have, as JSON.
    pub(crate) duplicate_keys: Option<Bytes>,
    /// Keys that several rows of the relation have, as JSON.
    pub(crate) ambiguous_keys: Option<Bytes>,
    /// Rows of the body that changed nothing, where they were matched by key.
    pub(crate) unmatched: Option<Unmatched>,
}

/// Rows of a body that found no row to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unmatched {
    /// How many.
    pub(crate) rows: u64,
    /// The keys of the first of them, as JSON; none where there are none.
    pub(crate) keys: Option<Bytes>,
}

/// Runs a write.
pub(crate) async fn write(
    pool: &Pool,
    course: &Course,
    statement: &Statement,
    check: OutcomeCheck,
    noted: &mut Option<Noted>,
) -> Result<Written, RunError> {
    let mut connection = pool.acquire(course.scope.role()).await?;
    let flight = course.flight(statement);
    if check.is_void() && !course.rollback {
        let result = connection.fly(&flight).await?;
        *noted = Noted::read(&result);
        return Ok(written(&result)?);
    }
    let (result, transaction) = connection.open(&flight).await?;
    *noted = Noted::read(&result);
    let outcome = written(&result).and_then(|written| {
        refuse_keys(check, &written)?;
        refuse(check, written.rows)?;
        Ok(written)
    });
    end(transaction, course, outcome).await
}

/// Why an outcome is not committed.
pub(super) fn refuse(check: OutcomeCheck, rows: u64) -> Result<(), ReplyError> {
    if check.put && rows != 1 {
        return Err(ReplyError::PutMismatch);
    }
    if check.singular && rows != 1 {
        return Err(ReplyError::NotSingular { rows });
    }
    match check.max_affected {
        Some(most) if rows > most => Err(ReplyError::TooManyAffected { rows }),
        _ => Ok(()),
    }
}

/// Why rows that were matched by key are not committed.
pub(super) fn refuse_keys(check: OutcomeCheck, written: &Written) -> Result<(), ReplyError> {
    if let (Some(_), Some(keys)) = (check.keys, &written.duplicate_keys) {
        return Err(ReplyError::DuplicateKeys {
            keys: keys::bounded(keys, keys::IN_ERROR),
        });
    }
    if let (Some(_), Some(keys)) = (check.keys, &written.ambiguous_keys) {
        return Err(ReplyError::AmbiguousKeys {
            keys: keys::bounded(keys, keys::IN_ERROR),
        });
    }
    match (check.keys, &written.unmatched) {
        (Some(KeyCheck::DistinctAndMatched), Some(unmatched)) if unmatched.rows > 0 => {
            Err(ReplyError::Unmatched {
                rows: unmatched.rows,
                keys: keys::bounded(
                    unmatched.keys.as_deref().unwrap_or_default(),
                    keys::IN_ERROR,
                ),
            })
        }
        _ => Ok(()),
    }
}

/// Ends a transaction as its outcome and the course say.
pub(super) async fn end<T>(
    transaction: OpenTransaction<'_>,
    course: &Course,
    outcome: Result<T, ReplyError>,
) -> Result<T, RunError> {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            transaction.rollback().await?;
            return Err(error.into());
        }
    };
    conclude(transaction, &course.scope, course.rollback).await?;
    Ok(outcome)
}

/// Ends a transaction of several requests in which nothing failed; what it has noted, if it is
/// asked.
pub(crate) async fn conclude_batch(
    mut transaction: OpenTransaction<'_>,
    scope: &Scope,
    rollback: bool,
    closing: Option<Closing>,
) -> Result<Option<Noted>, WireError> {
    let mut noted = None;
    if let (Some(closing), false) = (closing, rollback) {
        let nothing = Statement::plain("select 1");
        let flight = Flight::new(&nothing, scope).closing(closing.statements());
        noted = Noted::read(&transaction.fly(&flight).await?);
    }
    conclude(transaction, scope, rollback).await?;
    Ok(noted)
}

/// Ends a transaction in which nothing failed.
async fn conclude(
    mut transaction: OpenTransaction<'_>,
    scope: &Scope,
    rollback: bool,
) -> Result<(), WireError> {
    if !rollback {
        return transaction.commit().await;
    }
    // What a commit would have found wrong is found wrong now.
    let check = Statement::plain("SET CONSTRAINTS ALL IMMEDIATE");
    transaction.run(scope, &check).await?;
    transaction.rollback().await
}

pub(super) fn written(result: &ResultSet) -> Result<Written, ReplyError> {
    if result.is_empty() {
        return Err(ReplyError::NoRow);
    }
    let text = |column| result.text(0, column);
    Ok(Written {
        rows: text(write_column::PAGE_COUNT)
            .and_then(|rows| rows.parse().ok())
            .ok_or(ReplyError::NoRow)?,
        body: body_of(result, write_column::BODY),
        response_headers: result.bytes(0, write_column::RESPONSE_HEADERS),
        response_status: result.bytes(0, write_column::RESPONSE_STATUS),
        location: result.bytes(0, write_column::LOCATION),
        inserted: text(write_column::INSERTED).and_then(|rows| rows.parse().ok()),
        duplicate_keys: result.bytes(0, write_column::DUPLICATE_KEYS),
        ambiguous_keys: result.bytes(0, write_column::AMBIGUOUS_KEYS),
        unmatched: text(write_column::UNMATCHED)
            .and_then(|rows| rows.parse().ok())
            .map(|rows| Unmatched {
                rows,
                keys: result.bytes(0, write_column::UNMATCHED_KEYS),
            }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_that_are_not_committed() {
        let singular = OutcomeCheck {
            singular: true,
            ..OutcomeCheck::default()
        };
        assert_eq!(refuse(singular, 1), Ok(()));
        assert_eq!(
            refuse(singular, 2),
            Err(ReplyError::NotSingular { rows: 2 })
        );
        let limited = OutcomeCheck {
            max_affected: Some(2),
            ..OutcomeCheck::default()
        };
        assert_eq!(refuse(limited, 2), Ok(()));
        assert_eq!(
            refuse(limited, 3),
            Err(ReplyError::TooManyAffected { rows: 3 })
        );
        let put = OutcomeCheck {
            put: true,
            ..OutcomeCheck::default()
        };
        assert_eq!(refuse(put, 0), Err(ReplyError::PutMismatch));
    }
}
