//! A transaction left open so that its results can be looked at before it ends.

use std::time::Instant;

use passerelle_statement::Statement;
use tokio::time::timeout_at;

use crate::connection::Connection;
use crate::error::WireError;
use crate::flight::{Begin, End, Flight, Scope};
use crate::result::ResultSet;

/// An explicit transaction that waits for its end. Dropped without one, it takes its connection
/// with it, and the server rolls back.
#[derive(Debug)]
#[must_use = "a transaction that is not ended discards its connection"]
pub struct OpenTransaction<'a> {
    connection: &'a mut Connection,
    state: State,
    /// When all of it has to be over.
    deadline: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The server does not know of it yet.
    Unsent(Begin),
    Open,
    Ended,
}

impl<'a> OpenTransaction<'a> {
    pub(crate) fn new(connection: &'a mut Connection) -> Self {
        Self {
            connection,
            state: State::Open,
            deadline: None,
        }
    }

    pub(crate) fn unsent(connection: &'a mut Connection, begin: Begin) -> Self {
        let limit = connection.flight_timeout();
        Self {
            connection,
            state: State::Unsent(begin),
            deadline: limit.and_then(|limit| Instant::now().checked_add(limit)),
        }
    }

    /// Runs one more statement in the transaction. After an error the transaction is over: it has
    /// been rolled back.
    pub async fn run(
        &mut self,
        scope: &Scope,
        statement: &Statement,
    ) -> Result<ResultSet, WireError> {
        self.fly(&Flight::new(statement, scope)).await
    }

    /// Runs a flight in the transaction; how its own would begin and end is not used. After an
    /// error the transaction is over: it has been rolled back.
    pub async fn fly(&mut self, flight: &Flight<'_>) -> Result<ResultSet, WireError> {
        let begin = match self.state {
            State::Unsent(begin) => Some(begin),
            State::Open => None,
            State::Ended => return Err(WireError::Closed),
        };
        // A future that is dropped before its end leaves a connection that nobody may use.
        self.state = State::Open;
        let flown = self.connection.continue_transaction(flight, begin);
        let result = within(self.deadline, flown).await;
        if result.is_err() {
            self.state = State::Ended;
        }
        result
    }

    /// Commits. An error such as that of a deferred constraint means that nothing was committed.
    pub async fn commit(self) -> Result<(), WireError> {
        self.end(End::Commit).await
    }

    /// Undoes everything.
    pub async fn rollback(self) -> Result<(), WireError> {
        self.end(End::Rollback).await
    }

    async fn end(mut self, end: End) -> Result<(), WireError> {
        match self.state {
            State::Unsent(_) => Ok(()),
            State::Ended => Err(WireError::Closed),
            State::Open => {
                let ended = self.connection.end_transaction(end);
                let result = within(self.deadline, ended).await;
                self.state = State::Ended;
                result
            }
        }
    }
}

impl Drop for OpenTransaction<'_> {
    fn drop(&mut self) {
        if matches!(self.state, State::Open) {
            self.connection.discard();
        }
    }
}

/// The outcome of what has to be over at `deadline`.
pub(crate) async fn within<T>(
    deadline: Option<Instant>,
    work: impl Future<Output = Result<T, WireError>>,
) -> Result<T, WireError> {
    match deadline {
        None => work.await,
        Some(deadline) => timeout_at(deadline.into(), work)
            .await
            .map_err(|_| WireError::Timeout)?,
    }
}
