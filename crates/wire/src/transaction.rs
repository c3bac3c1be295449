//! A transaction left open so that its result can be looked at before it ends.

use passerelle_statement::Statement;

use crate::connection::Connection;
use crate::error::WireError;
use crate::flight::{End, Scope};
use crate::result::ResultSet;

/// An explicit transaction that waits for its end. Dropped without one, it takes its connection
/// with it, and the server rolls back.
#[derive(Debug)]
#[must_use = "a transaction that is not ended discards its connection"]
pub struct OpenTransaction<'a> {
    connection: &'a mut Connection,
    ended: bool,
}

impl<'a> OpenTransaction<'a> {
    pub(crate) fn new(connection: &'a mut Connection) -> Self {
        Self {
            connection,
            ended: false,
        }
    }

    /// Runs one more statement in the transaction. After an error the transaction is over: it has
    /// been rolled back.
    pub async fn run(
        &mut self,
        scope: &Scope,
        statement: &Statement,
    ) -> Result<ResultSet, WireError> {
        if self.ended {
            return Err(WireError::Closed);
        }
        let result = self.connection.continue_transaction(scope, statement).await;
        self.ended = result.is_err();
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
        if self.ended {
            return Err(WireError::Closed);
        }
        let result = self.connection.end_transaction(end).await;
        self.ended = true;
        result
    }
}

impl Drop for OpenTransaction<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.discard();
        }
    }
}
