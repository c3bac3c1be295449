//! Sessions that have ended while their access tokens may still be good.
//!
//! Each gateway knows them by asking the database a few times a second, and relies on what it knows for
//! [`LEASE`] after it began to ask. Whoever ends a session waits as long before saying so, unless no other
//! gateway is there: each holds a lock of the database that tells so. A gateway that could not ask looks
//! single sessions up.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use passerelle_pg::{ControlClient, ControlEndpoint};
use thiserror::Error;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// How long a gateway relies on what it has been told.
const LEASE: Duration = Duration::from_millis(300);
/// How often it asks.
const PAUSE: Duration = Duration::from_millis(75);
/// Other gateways' clocks may run a little slower.
const GRACE: Duration = Duration::from_millis(25);
/// Pause after a failure.
const LOST: Duration = Duration::from_millis(500);
/// How often what is long over is forgotten.
const FORGET: Duration = Duration::from_mins(10);

/// `LOCK` is that of gateways which know of ended sessions.
const LOCK: &str =
    "select pg_catalog.pg_advisory_lock_shared(1346454099, 1), pg_catalog.pg_backend_pid()";
const OTHERS: &str = "select pg_catalog.count(*) from pg_catalog.pg_locks l \
    where l.locktype = 'advisory' and l.classid = 1346454099 and l.objid = 1 and l.pid <> $1 \
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())";
const SINCE: &str =
    "select next::text, sessions::text[] from passerelle.ended_since($1::text::xid8)";
const ENDED: &str = "select passerelle.has_ended($1::text::uuid)";
const FORGOTTEN: &str = "select passerelle.forget_ended()";

/// Knows which sessions have ended; clones know the same.
#[derive(Clone, Debug)]
pub struct EndedSessions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    origin: Instant,
    known: RwLock<HashSet<Uuid>>,
    /// Until when what is known is all there is, in nanoseconds since `origin`.
    sure_until: AtomicU64,
    /// Asks for a round that begins from now on.
    rounds: mpsc::Sender<oneshot::Sender<Others>>,
    endpoint: ControlEndpoint,
    /// For single sessions; opened when it is needed.
    single: Mutex<Option<ControlClient>>,
    /// The database has no list of ended sessions.
    is_missing: AtomicBool,
}

/// Whether other gateways know of sessions.
type Others = bool;

/// Follows the list as long as this lives.
#[derive(Debug)]
pub struct EndedSessionsKeeper {
    sessions: EndedSessions,
    task: JoinHandle<()>,
}

/// Why a session is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SessionRefusal {
    /// It has ended.
    #[error("the session has ended")]
    Ended,
    /// The database cannot tell.
    #[error("it cannot be told whether the session goes on")]
    Unknown,
}

impl EndedSessionsKeeper {
    /// Begins to follow.
    pub fn start(endpoint: ControlEndpoint) -> Self {
        // Who finds no room waits out the lease instead.
        let (rounds, asked) = mpsc::channel(1024);
        let sessions = EndedSessions(Arc::new(Inner {
            origin: Instant::now(),
            known: RwLock::default(),
            sure_until: AtomicU64::new(0),
            rounds,
            endpoint,
            single: Mutex::default(),
            is_missing: false.into(),
        }));
        let task = tokio::spawn(follow(Arc::clone(&sessions.0), asked));
        Self { sessions, task }
    }

    /// What is known.
    pub fn sessions(&self) -> &EndedSessions {
        &self.sessions
    }
}

impl Drop for EndedSessionsKeeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl EndedSessions {
    /// Whether a session goes on.
    pub async fn check(&self, session: Uuid) -> Result<(), SessionRefusal> {
        let inner = &*self.0;
        let has_ended = inner
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&session);
        if has_ended {
            return Err(SessionRefusal::Ended);
        }
        if inner.is_sure() || inner.is_missing.load(Ordering::Relaxed) {
            return Ok(());
        }
        match inner.look_up(session).await {
            Some(false) => Ok(()),
            Some(true) => Err(SessionRefusal::Ended),
            None if inner.is_missing.load(Ordering::Relaxed) => Ok(()),
            None => Err(SessionRefusal::Unknown),
        }
    }

    /// Returns when no gateway takes a session any more whose end was committed before.
    pub async fn settle(&self) {
        let end = Instant::now() + LEASE + GRACE;
        let (answer, answered) = oneshot::channel();
        if self.0.rounds.try_send(answer).is_ok()
            && let Ok(Ok(false)) = timeout(LEASE, answered).await
        {
            return;
        }
        tokio::time::sleep_until(end.into()).await;
    }
}

impl Inner {
    fn is_sure(&self) -> bool {
        self.nanos(Instant::now()) < self.sure_until.load(Ordering::Acquire)
    }

    fn nanos(&self, moment: Instant) -> u64 {
        let since = moment.saturating_duration_since(self.origin);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    async fn look_up(&self, session: Uuid) -> Option<bool> {
        let ask = async {
            let mut single = self.single.lock().await;
            let client = match single.take().filter(|client| !client.is_closed()) {
                Some(client) => client,
                None => self.endpoint.connect().await.ok()?,
            };
            let id = session.to_string();
            let row = client.query_one(ENDED, &[&id]).await;
            if let Err(error) = &row {
                self.note_missing(error);
            }
            let ended = row.ok()?.try_get(0).ok();
            *single = Some(client);
            ended
        };
        timeout(LEASE, ask).await.ok().flatten()
    }

    fn note_missing(&self, error: &passerelle_pg::ControlError) {
        let code = error.as_db_error().map(|error| error.code().code());
        if matches!(code, Some("42883" | "3F000")) && !self.is_missing.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "the database has no sessions: run passerelle migrate; access tokens are good until they expire"
            );
        }
    }
}

async fn follow(inner: Arc<Inner>, mut asked: mpsc::Receiver<oneshot::Sender<Others>>) {
    loop {
        if let Ok(client) = inner.endpoint.connect().await
            && let Err(error) = keep(&inner, &client, &mut asked).await
        {
            inner.note_missing(&error);
            tracing::debug!(%error, "ended sessions are not followed");
        }
        inner.sure_until.store(0, Ordering::Release);
        sleep(LOST).await;
    }
}

/// Asks again and again, until the connection fails.
async fn keep(
    inner: &Inner,
    client: &ControlClient,
    asked: &mut mpsc::Receiver<oneshot::Sender<Others>>,
) -> Result<(), passerelle_pg::ControlError> {
    // From here on others wait for this gateway.
    let own: i32 = client.query_one(LOCK, &[]).await?.try_get(1)?;
    let (since, others) = (client.prepare(SINCE).await?, client.prepare(OTHERS).await?);
    let mut next = String::from("0");
    let mut forgotten = Instant::now();
    loop {
        let waiting = tokio::select! {
            waiting = asked.recv() => waiting,
            () = sleep(PAUSE) => None,
        };
        if forgotten.elapsed() >= FORGET {
            client.query(FORGOTTEN, &[]).await?;
            forgotten = Instant::now();
            "0".clone_into(&mut next);
        }
        let began = Instant::now();
        let is_anew = next == "0";
        let row = client.query_one(&since, &[&next]).await?;
        next = row.try_get(0)?;
        let ended: Vec<String> = row.try_get(1)?;
        let ended = ended.iter().filter_map(|id| Uuid::parse_str(id).ok());
        {
            let mut known = inner.known.write().unwrap_or_else(PoisonError::into_inner);
            if is_anew {
                known.clear();
            }
            known.extend(ended);
        }
        let until = inner.nanos(began + LEASE);
        inner.sure_until.store(until, Ordering::Release);
        inner.is_missing.store(false, Ordering::Relaxed);
        if let Some(waiting) = waiting {
            let count: i64 = client.query_one(&others, &[&own]).await?.try_get(0)?;
            let _gone = waiting.send(count > 0);
        }
    }
}
