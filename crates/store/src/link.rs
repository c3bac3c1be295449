//! One connection that is kept: opened in the background, watched, and opened again.
//!
//! Whoever wants to send a command gets the connection that works, or hears at once that there is
//! none. Nobody but the keeper waits for a server that is gone.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::backoff::Backoff;
use crate::endpoint::{Endpoint, Opened, failure};
use crate::error::StoreError;
use crate::presence::{Presence, Sighting};

/// How often an idle connection is asked whether it is alive.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(1);
/// Every how many heartbeats the sentinels are asked, too.
pub(crate) const NAMED: u32 = 5;

/// A connection that is kept by a task of the runtime it was made in; a worker has one of its own,
/// because a connection that another thread drives wakes two threads for each answer.
#[derive(Debug)]
pub(crate) struct Link {
    shared: Arc<Shared>,
    keeper: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    endpoint: Arc<Endpoint>,
    presence: Arc<Presence>,
    current: ArcSwapOption<Live>,
    /// Whether the first try is over.
    tried: watch::Sender<bool>,
}

/// A connection that works as far as anybody knows.
struct Live {
    connection: MultiplexedConnection,
    /// Somebody saw it fail.
    failed: Notify,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Live")
    }
}

impl Link {
    /// Begins to connect; the current runtime does the work.
    pub(crate) fn start(endpoint: Arc<Endpoint>, presence: Arc<Presence>) -> Self {
        let shared = Arc::new(Shared {
            endpoint,
            presence,
            current: ArcSwapOption::empty(),
            tried: watch::Sender::new(false),
        });
        let keeper = tokio::spawn(keep(Arc::clone(&shared)));
        Self { shared, keeper }
    }

    /// Does something with the connection.
    pub(crate) async fn run<T>(
        &self,
        command: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, StoreError> {
        let live = self.live().await.ok_or(StoreError::Away)?;
        let mut connection = live.connection.clone();
        let done = timeout(self.shared.endpoint.timeout, command(&mut connection)).await;
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if is_answer(&error) => {
                self.shared.presence.refused(&error);
                Err(StoreError::Refused(error))
            }
            Ok(Err(_)) | Err(_) => {
                self.shared.give_up(&live);
                Err(StoreError::Away)
            }
        }
    }

    /// The connection; the very first one is waited for.
    async fn live(&self) -> Option<Arc<Live>> {
        if let Some(live) = self.shared.current.load_full() {
            return Some(live);
        }
        if !*self.shared.tried.borrow() {
            let mut tried = self.shared.tried.subscribe();
            let patience = self.shared.endpoint.timeout;
            let _ = timeout(patience, tried.wait_for(|tried| *tried)).await;
        }
        self.shared.current.load_full()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Shared {
    /// Takes a connection out of use, unless another has taken its place.
    fn give_up(&self, live: &Arc<Live>) {
        let previous = self.current.compare_and_swap(live, None);
        if previous
            .as_ref()
            .is_some_and(|previous| Arc::ptr_eq(previous, live))
        {
            live.failed.notify_one();
        }
    }
}

async fn keep(shared: Arc<Shared>) {
    let mut sighting = Sighting::new(Arc::clone(&shared.presence));
    let mut backoff = Backoff::new();
    loop {
        match shared.endpoint.open(none()).await {
            Ok(opened) => {
                backoff.reset();
                sighting.found();
                let live = Arc::new(Live {
                    connection: opened.connection.clone(),
                    failed: Notify::new(),
                });
                shared.current.store(Some(Arc::clone(&live)));
                shared.tried.send_replace(true);
                let reason = tokio::select! {
                    reason = watch_over(&shared.endpoint, &opened) => reason,
                    () = live.failed.notified() => failure("a command was not answered"),
                };
                shared.current.store(None);
                // A connection that has broken says little of a server that has come back already.
                tracing::debug!(%reason, "a connection to Redis is opened anew");
            }
            Err(error) => sighting.lost(&error),
        }
        shared.tried.send_replace(true);
        backoff.wait().await;
    }
}

/// Returns when the connection is no good any more, and why.
pub(crate) async fn watch_over(endpoint: &Endpoint, opened: &Opened) -> RedisError {
    let mut beats = interval(HEARTBEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once.
    beats.tick().await;
    let mut until_named = NAMED;
    loop {
        beats.tick().await;
        let mut checked = endpoint.check(opened).await;
        until_named -= 1;
        if checked.is_ok() && until_named == 0 {
            until_named = NAMED;
            checked = endpoint.check_named(opened).await;
        }
        if let Err(error) = checked {
            return error;
        }
    }
}

/// Whether an error is an answer of a server that can be asked again. One that is loading, or that
/// has become a replica, is no better than one that is away.
fn is_answer(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => !matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::TryAgain
        ),
        ErrorKind::UnexpectedReturnType | ErrorKind::Extension => true,
        _ => false,
    }
}

/// No messages are expected on this connection.
pub(crate) fn none() -> Option<fn(redis::PushInfo) -> Result<(), redis::aio::SendError>> {
    None
}
