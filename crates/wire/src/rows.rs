//! Rows that are used while they arrive: the answer to a flight that is too large to be held.
//! It never holds more than was read at once, and it reads only when it is asked to.

use std::time::Instant;

use passerelle_statement::Statement;

use crate::error::WireError;
use crate::flight::Flight;
use crate::inbound::{Progress, Reply, Status};
use crate::pool::PooledConnection;
use crate::result::{Column, ResultSet};
use crate::transaction::within;

/// What is read at once, in bytes, if the server has as much.
const READ: usize = 64 * 1024;

/// A flight whose statement streams, between others whose rows are kept.
#[derive(Clone, Copy, Debug)]
pub struct StreamedFlight<'a> {
    /// The flight.
    pub flight: Flight<'a>,
    /// Statements run in order between the prelude and the statement.
    pub before: &'a [Statement],
    /// Statements run in order after the statement.
    pub after: &'a [Statement],
}

/// The rows of a [`StreamedFlight`]. Dropped before their end, they take their connection with
/// them, and the server is asked to stop.
#[derive(Debug)]
#[must_use = "rows that are not read to their end discard their connection"]
pub struct RowStream {
    connection: PooledConnection,
    reply: Reply,
    /// Which of the statements whose rows are kept streams.
    streamed: usize,
    kept: Vec<ResultSet>,
    columns: Vec<Column>,
    first: Option<ResultSet>,
    ended: bool,
    deadline: Option<Instant>,
}

impl PooledConnection {
    /// Sends the flight in one write, and reads until rows have come or there are none. The
    /// connection returns to its pool after the last row.
    ///
    /// The time limit of flights holds until [`RowStream::limit_to`] sets another one.
    pub async fn stream(mut self, flight: &StreamedFlight<'_>) -> Result<RowStream, WireError> {
        let around = (flight.before, flight.after);
        let shape = self.load_whole(&flight.flight, around)?;
        let mut rows = RowStream::new(self, Reply::new(shape), flight.before.len());
        match rows.begin().await {
            Err(WireError::Server(error)) if rows.connection.is_stale(&error) => {
                let shape = rows.connection.load_whole(&flight.flight, around)?;
                rows.reply = Reply::new(shape);
                rows.restart();
                rows.begin().await?;
            }
            other => other?,
        }
        Ok(rows)
    }
}

impl RowStream {
    fn new(connection: PooledConnection, reply: Reply, streamed: usize) -> Self {
        let limit = connection.flight_timeout();
        Self {
            connection,
            reply,
            streamed,
            kept: Vec::new(),
            columns: Vec::new(),
            first: None,
            ended: false,
            deadline: limit.and_then(|limit| Instant::now().checked_add(limit)),
        }
    }

    fn restart(&mut self) {
        self.kept.clear();
        self.columns.clear();
        self.ended = false;
    }

    async fn begin(&mut self) -> Result<(), WireError> {
        let deadline = self.deadline;
        within(deadline, self.connection.send_loaded()).await?;
        self.first = within(deadline, self.advance()).await?;
        Ok(())
    }

    /// The next rows; `None` after the last one, when the whole answer has been read and its
    /// transaction has ended. Rows that came together with an error are lost, a future that is
    /// dropped loses none.
    pub async fn next(&mut self) -> Result<Option<ResultSet>, WireError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        within(self.deadline, self.advance()).await
    }

    /// Limits the time of the whole flight anew.
    pub fn limit_to(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// The columns of the rows, if the flight asked for them.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The results of the statements before the one that streams.
    pub fn before(&self) -> &[ResultSet] {
        self.kept.get(..self.streamed).unwrap_or(&self.kept)
    }

    /// The results of the statements after the one that streams; there once it has ended.
    pub fn after(&self) -> &[ResultSet] {
        self.kept.get(self.streamed..).unwrap_or_default()
    }

    async fn advance(&mut self) -> Result<Option<ResultSet>, WireError> {
        while !self.ended {
            let kept = self.reply.kept_statement();
            let line = self.connection.line();
            match self.reply.step(&line.inbound)? {
                Some(Progress::Within) => {}
                Some(Progress::Complete) => {
                    let result = self.take();
                    if kept != Some(self.streamed) {
                        self.kept.push(result);
                    } else if !result.is_empty() {
                        return Ok(Some(result));
                    }
                }
                Some(Progress::Ended(status)) => {
                    line.end();
                    self.ended = true;
                    let reply = &mut self.reply;
                    self.connection
                        .conclude(reply, status, Status::Idle)
                        .await?;
                    self.reply.release(&mut self.connection.line().inbound);
                }
                None if kept == Some(self.streamed) && self.reply.has_rows() => {
                    return Ok(Some(self.take()));
                }
                None => line.receive(&mut self.reply, READ).await?,
            }
        }
        Ok(None)
    }

    fn take(&mut self) -> ResultSet {
        let result = self.reply.take(&mut self.connection.line().inbound);
        if !result.columns.is_empty() {
            self.columns.clone_from(&result.columns);
        }
        result
    }
}
