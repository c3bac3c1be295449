//! A bounded set of connections that prefers to give a role the connection it used last.
//!
//! PostgreSQL replans a prepared statement on tables with row policies whenever the role differs
//! from the one it was planned for, so which connection a flight gets matters more than that it
//! gets one at once. General-purpose pools hand out whatever is next; this one chooses twice: who
//! asks gets an idle connection of its role, and who returns a connection hands it to a waiter of
//! the same role, within bounds that keep everyone's wait finite.
//! It never talks to the server but to connect.

mod state;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::oneshot;

use self::state::{Choice, HandOver, Limits, Returned, State};
use crate::connection::{Connection, ConnectionSettings};
use crate::endpoint::Endpoint;
use crate::error::WireError;

/// How a pool behaves.
#[derive(Clone, Copy, Debug)]
pub struct PoolSettings {
    /// The most connections open at the same time, at least 1.
    pub max_size: usize,
    /// The most callers waiting for a connection; further ones are refused at once.
    pub max_waiting: usize,
    /// The longest wait for a connection.
    pub acquisition_timeout: Option<Duration>,
    /// The age at which a connection is replaced, less up to a tenth of it so that connections
    /// opened together do not end together.
    pub max_lifetime: Option<Duration>,
    /// How long a connection may stay unused.
    pub max_idle: Option<Duration>,
    /// How its connections behave.
    pub connection: ConnectionSettings,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            max_size: 10,
            max_waiting: 4096,
            acquisition_timeout: Some(Duration::from_secs(10)),
            max_lifetime: Some(Duration::from_mins(30)),
            max_idle: Some(Duration::from_secs(30)),
            connection: ConnectionSettings::default(),
        }
    }
}

/// Why no connection could be had.
#[derive(Debug, Error)]
pub enum PoolError {
    /// None became free in time.
    #[error("no connection became free in time")]
    Timeout,
    /// Too many callers are waiting already.
    #[error("too many callers wait for a connection")]
    Crowded,
    /// A new connection could not be made.
    #[error("a connection could not be made")]
    Connect(#[source] WireError),
    /// The pool has been closed.
    #[error("the pool is closed")]
    Closed,
}

/// The counters of a pool at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatus {
    /// Connections open or being opened.
    pub size: usize,
    /// Connections that nobody uses.
    pub idle: usize,
    /// Callers waiting.
    pub waiting: usize,
    /// The most connections there may be.
    pub max_size: usize,
    /// Callers so far for whom none became free in time.
    pub timeouts: u64,
}

/// A pool of connections to one endpoint. Clones share it.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    settings: PoolSettings,
    /// How connections behave that are made from now on.
    connection: Mutex<ConnectionSettings>,
    state: Mutex<State<Box<Connection>, oneshot::Sender<Slot>>>,
}

impl Pool {
    /// A pool that opens connections as they are needed.
    pub fn new(endpoint: Endpoint, settings: PoolSettings) -> Self {
        let limits = Limits {
            connections: settings.max_size.max(1),
            waiters: settings.max_waiting,
            idle_time: settings.max_idle,
        };
        let state = Mutex::new(State::new(limits));
        Self {
            shared: Arc::new(Shared {
                endpoint,
                connection: Mutex::new(settings.connection),
                settings,
                state,
            }),
        }
    }

    /// A connection for one or more flights of `role`: an idle one that served the role last, else
    /// a new one, else the one that has been idle for longest, else one that is returned.
    ///
    /// Those who wait are served in order, save that up to 16 others of a returned connection's
    /// role may be served before one who came earlier.
    pub async fn acquire(&self, role: &str) -> Result<PooledConnection, PoolError> {
        match self.shared.choose(role)? {
            Chosen::Slot(slot) => slot.connected().await,
            Chosen::Queued(receiver) => {
                let mut waiting = Waiting {
                    shared: &self.shared,
                    receiver: Some(receiver),
                };
                waiting
                    .slot(self.shared.settings.acquisition_timeout)
                    .await?
                    .connected()
                    .await
            }
        }
    }

    /// Replaces every connection from now on, those in use when they are returned.
    pub fn renew(&self) {
        let dropped = self.shared.lock().renew();
        drop(dropped);
    }

    /// Changes how connections behave; those that behave otherwise are replaced.
    pub fn reconfigure(&self, settings: ConnectionSettings) {
        let known = self.shared.connection.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if *known != settings {
            *known = settings;
            drop(known);
            self.renew();
        }
    }

    /// Closes connections that have been unused or open for too long. Acquiring does this as well;
    /// a pool that nobody asks needs a timer.
    pub fn prune(&self) {
        let dropped = self.shared.lock().prune(Instant::now());
        drop(dropped);
    }

    /// Closes idle connections and refuses callers, present and future ones. Connections in use
    /// are closed when they are returned.
    pub fn close(&self) {
        let dropped = self.shared.lock().close();
        drop(dropped);
    }

    /// The counters of this moment.
    pub fn status(&self) -> PoolStatus {
        self.shared.lock().status()
    }

    /// The most connections there may be.
    pub fn max_size(&self) -> usize {
        self.shared.settings.max_size.max(1)
    }

    /// The endpoint of its connections.
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pool")
            .field("endpoint", &self.shared.endpoint)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

enum Chosen {
    Slot(Slot),
    Queued(oneshot::Receiver<Slot>),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State<Box<Connection>, oneshot::Sender<Slot>>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connection(&self) -> ConnectionSettings {
        *self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A slot at once, or a place in the queue.
    fn choose(self: &Arc<Self>, role: &str) -> Result<Chosen, PoolError> {
        let mut state = self.lock();
        let expired = state.prune(Instant::now());
        let choice = loop {
            match state.choose(role) {
                // The socket is looked at while another choice is still possible.
                Choice::Idle(connection) if !connection.is_usable() => state.forget(),
                other => break other,
            }
        };
        let connection = match choice {
            Choice::Idle(connection) => Some(connection),
            Choice::Vacancy => None,
            Choice::Closed => return Err(PoolError::Closed),
            Choice::Wait => {
                let (sender, receiver) = oneshot::channel();
                let admitted = state.wait(role, sender);
                return if admitted {
                    Ok(Chosen::Queued(receiver))
                } else {
                    Err(PoolError::Crowded)
                };
            }
        };
        let generation = state.generation();
        drop(state);
        drop(expired);
        Ok(Chosen::Slot(Slot {
            pool: Some(Arc::clone(self)),
            connection,
            generation,
        }))
    }

    /// Takes a connection, or the place of one, back: to a waiter, to the idle ones, or away.
    fn give_back(self: Arc<Self>, connection: Option<Box<Connection>>, generation: u64) {
        let mut returned = connection.filter(|connection| !connection.is_discarded());
        let mut generation = generation;
        loop {
            let returning = returned.take().map(|connection| Returned {
                role: connection.last_role().cloned(),
                generation,
                expires: self.expiry(&connection),
                connection,
            });
            let mut dropped = None;
            let mut state = self.lock();
            let hand_over = state.give_back(returning, Instant::now(), &mut dropped);
            generation = state.generation();
            drop(state);
            drop(dropped);
            let Some(HandOver { handle, connection }) = hand_over else {
                return;
            };
            let slot = Slot {
                pool: Some(Arc::clone(&self)),
                connection,
                generation,
            };
            // A waiter that has just given up is not there to take it: the next one then.
            let Err(mut slot) = handle.send(slot) else {
                return;
            };
            returned = slot.connection.take();
            slot.pool = None;
        }
    }

    /// When the connection's lifetime ends: a part of it that differs from one connection to the
    /// next is left out, so that those opened together are not replaced together.
    fn expiry(&self, connection: &Connection) -> Option<Instant> {
        let lifetime = self.settings.max_lifetime?;
        let sixteenths = connection.process_id().unsigned_abs() % 16;
        connection
            .opened()
            .checked_add(lifetime / 160 * (160 - sixteenths))
    }
}

/// A place in the queue, left when dropped.
struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    receiver: Option<oneshot::Receiver<Slot>>,
}

impl Waiting<'_> {
    async fn slot(&mut self, limit: Option<Duration>) -> Result<Slot, PoolError> {
        let Some(receiver) = &mut self.receiver else {
            return Err(PoolError::Closed);
        };
        let outcome = match limit {
            None => receiver.await,
            Some(limit) => tokio::time::timeout(limit, receiver)
                .await
                .map_err(|_| self.shared.lock().time_out())?,
        };
        self.receiver = None;
        outcome.map_err(|_| PoolError::Closed)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(mut receiver) = self.receiver.take() {
            receiver.close();
            self.shared
                .lock()
                .retain_waiters(|sender| !sender.is_closed());
            // A slot that arrived meanwhile goes back as the receiver is dropped, after the lock.
        }
    }
}

/// A place in the pool, with or without a connection in it. Dropped, it goes back.
struct Slot {
    /// `None` once it has gone back.
    pool: Option<Arc<Shared>>,
    connection: Option<Box<Connection>>,
    generation: u64,
}

impl Slot {
    /// The slot with a connection in it, made now if there is none.
    async fn connected(mut self) -> Result<PooledConnection, PoolError> {
        if self.connection.is_none() {
            let Some(pool) = &self.pool else {
                return Err(PoolError::Closed);
            };
            let connection = Connection::connect(&pool.endpoint, &pool.connection())
                .await
                .map_err(PoolError::Connect)?;
            self.connection = Some(Box::new(connection));
        }
        Ok(PooledConnection { slot: self })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.give_back(self.connection.take(), self.generation);
        }
    }
}

/// A connection that returns to its pool when dropped.
pub struct PooledConnection {
    slot: Slot,
}

impl Deref for PooledConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match &self.slot.connection {
            Some(connection) => connection,
            None => unreachable!("a pooled connection holds one until it is dropped"),
        }
    }
}

impl DerefMut for PooledConnection {
    fn deref_mut(&mut self) -> &mut Connection {
        match &mut self.slot.connection {
            Some(connection) => connection,
            None => unreachable!("a pooled connection holds one until it is dropped"),
        }
    }
}

impl fmt::Debug for PooledConnection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PooledConnection")
            .field("process_id", &self.process_id())
            .finish_non_exhaustive()
    }
}
