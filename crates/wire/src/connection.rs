//! One session with PostgreSQL, used directly by the task that holds it.
//! It has no background task, never runs two flights at once, and never answers before
//! `ReadyForQuery`, unless it is asked for rows while they arrive.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_statement::{Param, Statement};
use postgres_protocol::message::frontend;

use crate::cancel::Canceller;
use crate::endpoint::{Endpoint, Place};
use crate::error::{ServerError, WireError};
use crate::flight::{Begin, End, Flight, Scope, Transaction};
use crate::inbound::{Reply, Shape, Status};
use crate::line::Line;
use crate::outbound::Outbound;
use crate::prepared::PreparedStatements;
use crate::result::ResultSet;
use crate::startup::Session;
use crate::transaction::OpenTransaction;

/// How connections behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// How many prepared statements each connection keeps; `None` prepares anew for every flight,
    /// for servers behind a pooler that does not follow prepared statements.
    pub prepared_statements: Option<NonZeroUsize>,
    /// The largest reply to one flight, in bytes, below four gigabytes.
    pub max_reply: usize,
    /// The longest that one flight may take. A connection whose flight takes longer is closed.
    pub flight_timeout: Option<Duration>,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            prepared_statements: NonZeroUsize::new(256),
            max_reply: 1 << 30,
            flight_timeout: None,
        }
    }
}

/// An established session.
#[derive(Debug)]
pub struct Connection {
    line: Line,
    outbound: Outbound,
    prepared: Option<PreparedStatements>,
    settings: ConnectionSettings,
    session: Session,
    /// Taken when the connection is dropped.
    canceller: Option<Canceller>,
    last_role: Option<Arc<str>>,
    opened: Instant,
    /// Set before the first byte of a flight is written and cleared once `ReadyForQuery` reports
    /// an idle session; whoever finds it set must discard the connection.
    unusable: bool,
    /// Whether the last error came before its statement ran.
    failed_at_bind: bool,
}

impl Connection {
    /// Connects to the first of the endpoint's hosts that answers.
    pub async fn connect(
        endpoint: &Endpoint,
        settings: &ConnectionSettings,
    ) -> Result<Self, WireError> {
        endpoint
            .first_of_places(|place| Self::connect_to(endpoint, place, settings))
            .await
    }

    async fn connect_to(
        endpoint: &Endpoint,
        place: &Place,
        settings: &ConnectionSettings,
    ) -> Result<Self, WireError> {
        let (line, session) = Line::open(endpoint, place, settings.max_reply).await?;
        endpoint.check_session(session.in_hot_standby || session.default_read_only)?;
        Ok(Self {
            line,
            outbound: Outbound::default(),
            prepared: settings.prepared_statements.map(PreparedStatements::new),
            settings: *settings,
            session,
            canceller: Some(Canceller::new(endpoint, place, session)),
            last_role: None,
            opened: Instant::now(),
            unusable: false,
            failed_at_bind: false,
        })
    }

    /// Sends the flight in one write and reads its answer. An error means that nothing of it was
    /// committed, unless [`WireError::is_outcome_unknown`].
    ///
    /// A future that is dropped before its end leaves the connection unusable.
    pub async fn fly(&mut self, flight: &Flight<'_>) -> Result<ResultSet, WireError> {
        match self.fly_once(flight).await {
            Err(WireError::Server(error)) if self.is_stale(&error) => self.fly_once(flight).await,
            other => other,
        }
    }

    /// Sends the flight behind an explicit `BEGIN` and leaves its transaction open, so that the
    /// result can be looked at before the commit. [`Transaction::Implicit`] begins with the
    /// session's defaults; the end that the flight names is not used.
    pub async fn open(
        &mut self,
        flight: &Flight<'_>,
    ) -> Result<(ResultSet, OpenTransaction<'_>), WireError> {
        let result = match self.open_once(flight).await {
            Err(WireError::Server(error)) if self.is_stale(&error) => self.open_once(flight).await,
            other => other,
        }?;
        Ok((result, OpenTransaction::new(self)))
    }

    /// Begins a transaction with the first flight that runs in it. The time limit of a flight is
    /// that of the whole transaction.
    pub fn begin(&mut self, begin: Begin) -> OpenTransaction<'_> {
        OpenTransaction::unsent(self, begin)
    }

    /// Whether what an error of a transaction says about statements prepared earlier has been
    /// heeded, so that the transaction, which was rolled back, may be tried once more.
    pub fn may_retry(&mut self, error: &WireError) -> bool {
        error.server().is_some_and(|error| self.is_stale(error))
    }

    async fn fly_once(&mut self, flight: &Flight<'_>) -> Result<ResultSet, WireError> {
        let shape = self.load_whole(flight, (&[], &[]))?;
        self.exchange(shape, Status::Idle).await
    }

    async fn open_once(&mut self, flight: &Flight<'_>) -> Result<ResultSet, WireError> {
        let begin = match flight.transaction {
            Transaction::Implicit => Begin::default(),
            Transaction::Explicit { begin, .. } => begin,
        };
        let shape = self.load(flight, (&[], &[]), Some(begin.sql()), None)?;
        self.exchange(shape, Status::InTransaction).await
    }

    /// Puts the messages of a flight from its beginning to its end into the outbound buffer.
    pub(crate) fn load_whole(
        &mut self,
        flight: &Flight<'_>,
        around: (&[Statement], &[Statement]),
    ) -> Result<Shape, WireError> {
        let (begin, end) = match flight.transaction {
            Transaction::Implicit => (None, None),
            Transaction::Explicit { begin, end } => (Some(begin.sql()), Some(end)),
        };
        self.load(flight, around, begin, end)
    }

    /// Puts the messages of a flight into the outbound buffer, with statements before and after
    /// its own whose rows are kept as well.
    fn load(
        &mut self,
        flight: &Flight<'_>,
        (before, after): (&[Statement], &[Statement]),
        begin: Option<&'static str>,
        end: Option<End>,
    ) -> Result<Shape, WireError> {
        self.begin_load()?;
        if self.last_role.as_ref() != Some(flight.scope.role()) {
            self.last_role = Some(Arc::clone(flight.scope.role()));
        }
        if let Some(text) = begin {
            self.add(None, text, &[], false)?;
        }
        self.add_all(flight.scope, flight.prelude)?;
        let scope = flight.scope;
        self.add_all(scope, before)?;
        let Statement { text, params } = flight.statement;
        self.add(Some(scope), text, params, flight.describe)?;
        self.add_all(scope, after)?;
        self.add_all(scope, flight.epilogue)?;
        self.add_all(scope, flight.closing)?;
        if let Some(end) = end {
            self.add(None, end.sql(), &[], false)?;
        }
        self.outbound.sync();
        Ok(Shape {
            begin: begin.is_some(),
            prelude: flight.prelude.len(),
            kept: before.len() + 1 + after.len(),
            unkept: flight.epilogue.len(),
            closing: flight.closing.len(),
        })
    }

    fn add_all(&mut self, scope: &Scope, statements: &[Statement]) -> Result<(), WireError> {
        statements
            .iter()
            .try_for_each(|one| self.add(Some(scope), &one.text, &one.params, false))
    }

    fn begin_load(&mut self) -> Result<(), WireError> {
        if self.unusable {
            return Err(WireError::Closed);
        }
        // Until the answer is complete: a flight that cannot be encoded has told the cache to
        // forget names that the server was not told to close.
        self.unusable = true;
        self.outbound
            .begin(self.prepared.as_mut())
            .map_err(WireError::Encode)
    }

    fn add(
        &mut self,
        scope: Option<&Scope>,
        text: &str,
        params: &[Param],
        describe: bool,
    ) -> Result<(), WireError> {
        self.outbound
            .statement(self.prepared.as_mut(), scope, (text, params), describe)
    }

    /// Runs a flight inside an open transaction, or begins one with it.
    pub(crate) async fn continue_transaction(
        &mut self,
        flight: &Flight<'_>,
        begin: Option<Begin>,
    ) -> Result<ResultSet, WireError> {
        let shape = self.load(flight, (&[], &[]), begin.map(Begin::sql), None)?;
        self.exchange(shape, Status::InTransaction).await
    }

    /// Ends an open transaction.
    pub(crate) async fn end_transaction(&mut self, end: End) -> Result<(), WireError> {
        self.begin_load()?;
        self.add(None, end.sql(), &[], false)?;
        self.outbound.sync();
        self.exchange(Shape::ALONE, Status::Idle).await.map(drop)
    }

    /// Sends what is loaded, reads up to `ReadyForQuery`, and sees to it that the session is in
    /// the `expected` state, or idle after an error.
    async fn exchange(&mut self, shape: Shape, expected: Status) -> Result<ResultSet, WireError> {
        let (mut reply, status) = self.round_trip(shape).await?;
        self.conclude(&mut reply, status, expected).await?;
        Ok(reply.into_result(&mut self.line.inbound))
    }

    /// Takes note of an answer that was read to its end, whose bytes may still be in the buffer.
    pub(crate) async fn conclude(
        &mut self,
        reply: &mut Reply,
        status: Status,
        expected: Status,
    ) -> Result<(), WireError> {
        if let Some(prepared) = &mut self.prepared {
            self.outbound.confirm(reply.parsed, prepared);
        }
        if let Some(error) = reply.error.take() {
            self.failed_at_bind = reply.failed_at_bind();
            reply.release(&mut self.line.inbound);
            if status == Status::Idle {
                self.unusable = false;
            } else {
                self.roll_back().await?;
            }
            return Err(WireError::Server(error));
        }
        if status != expected {
            return Err(WireError::Protocol(
                "the transaction was ended or begun by a statement",
            ));
        }
        self.unusable = false;
        Ok(())
    }

    /// Leaves an aborted or open transaction block, so that the session is idle again.
    async fn roll_back(&mut self) -> Result<(), WireError> {
        let reused = std::mem::take(&mut self.outbound.reused);
        self.outbound.reset();
        frontend::query(End::Rollback.sql(), &mut self.outbound.buffer)
            .map_err(WireError::Encode)?;
        let (reply, status) = self.round_trip(Shape::ALONE).await?;
        reply.release(&mut self.line.inbound);
        self.outbound.reused = reused;
        if let Some(error) = reply.error {
            return Err(WireError::Server(error));
        }
        if status != Status::Idle {
            return Err(WireError::Protocol(
                "a rollback that leaves the transaction open",
            ));
        }
        self.unusable = false;
        Ok(())
    }

    /// Sends what is loaded.
    pub(crate) async fn send_loaded(&mut self) -> Result<(), WireError> {
        self.line.begin(&self.outbound.buffer).await?;
        self.outbound.trim();
        Ok(())
    }

    async fn round_trip(&mut self, shape: Shape) -> Result<(Reply, Status), WireError> {
        let round_trip = self.line.round_trip(&self.outbound.buffer, shape);
        let answered = match self.settings.flight_timeout {
            None => round_trip.await?,
            Some(limit) => tokio::time::timeout(limit, round_trip)
                .await
                .map_err(|_| WireError::Timeout)??,
        };
        self.outbound.trim();
        Ok(answered)
    }

    /// Whether the error says that a statement prepared earlier is gone or has changed its shape,
    /// and has been forgotten, so that the flight may be sent once more: nothing of it has
    /// happened.
    pub(crate) fn is_stale(&mut self, error: &ServerError) -> bool {
        let Some(prepared) = &mut self.prepared else {
            return false;
        };
        if self.unusable || !self.failed_at_bind || self.outbound.reused.is_empty() {
            return false;
        }
        match error.code.as_str() {
            // invalid_sql_statement_name: someone has deallocated what the session had prepared.
            "26000" => prepared.clear(),
            // feature_not_supported, "cached plan must not change result type".
            "0A000" if error.routine.as_deref() == Some("RevalidateCachedQuery") => {
                for key in self.outbound.reused.drain(..) {
                    prepared.remove(key);
                }
            }
            _ => return false,
        }
        true
    }

    /// Whether the next flight may use this connection. Costs no round trip.
    pub fn is_usable(&self) -> bool {
        !self.unusable && self.line.is_quiet()
    }

    /// Leaves the connection unusable, so that its pool discards it.
    pub fn discard(&mut self) {
        self.unusable = true;
    }

    pub(crate) fn line(&mut self) -> &mut Line {
        &mut self.line
    }

    pub(crate) fn flight_timeout(&self) -> Option<Duration> {
        self.settings.flight_timeout
    }

    pub(crate) fn is_discarded(&self) -> bool {
        self.unusable
    }

    /// The role of the last flight.
    pub fn last_role(&self) -> Option<&Arc<str>> {
        self.last_role.as_ref()
    }

    /// The server's process of this session.
    pub fn process_id(&self) -> i32 {
        self.session.process_id
    }

    /// How many statements the server has prepared for this session.
    pub fn prepared_count(&self) -> usize {
        self.prepared.as_ref().map_or(0, PreparedStatements::len)
    }

    /// When the connection was made.
    pub(crate) fn opened(&self) -> Instant {
        self.opened
    }
}

impl Drop for Connection {
    /// In the middle of a flight, the server is asked to stop.
    fn drop(&mut self) {
        if !self.unusable {
            self.line.say_goodbye();
        } else if self.line.is_in_flight()
            && let Some(canceller) = self.canceller.take()
        {
            canceller.detach();
        }
    }
}
