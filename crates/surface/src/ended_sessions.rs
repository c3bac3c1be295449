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

use passerelle_identity::UnixTime;
use passerelle_pg::{ControlClient, ControlEndpoint, ControlError, ControlStatement};
use passerelle_store::Sessions;
use thiserror::Error;
use tokio::sync::{Mutex, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::session_trail::{Trail, trail};

/// How long a gateway relies on what it has been told.
const LEASE: Duration = Duration::from_millis(300);
/// How often it asks.
const PAUSE: Duration = Duration::from_millis(75);
/// Other gateways' clocks may run a little slower.
const GRACE: Duration = Duration::from_millis(25);
/// How long one round of questions may take: a connection that hangs is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Ends that wait to be told.
const TOLD: usize = 1024;
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
    /// Which are in use.
    trail: Trail,
    noted: Sessions,
    /// Tells of ends as they become known.
    told: broadcast::Sender<Uuid>,
}

/// Whether other gateways know of sessions.
type Others = bool;

/// Follows the list as long as this lives.
#[derive(Debug)]
pub struct EndedSessionsKeeper {
    sessions: EndedSessions,
    tasks: [JoinHandle<()>; 2],
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
    /// Begins to follow, and to note which sessions are in use.
    pub fn start(endpoint: ControlEndpoint, noted: Sessions, clock: fn() -> UnixTime) -> Self {
        // Who finds no room waits out the lease instead.
        let (rounds, asked) = mpsc::channel(1024);
        let (trail, recorder) = trail(noted.clone(), endpoint.clone(), clock);
        let sessions = EndedSessions(Arc::new(Inner {
            origin: Instant::now(),
            known: RwLock::default(),
            sure_until: AtomicU64::new(0),
            rounds,
            endpoint,
            single: Mutex::default(),
            is_missing: false.into(),
            trail,
            noted,
            told: broadcast::Sender::new(TOLD),
        }));
        let tasks = [
            tokio::spawn(follow(Arc::clone(&sessions.0), asked)),
            tokio::spawn(recorder.run()),
        ];
        Self { sessions, tasks }
    }

    /// What is known.
    pub fn sessions(&self) -> &EndedSessions {
        &self.sessions
    }
}

impl Drop for EndedSessionsKeeper {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl EndedSessions {
    /// Whether a session goes on; if so, that it is in use is noted.
    ///
    /// # Errors
    /// [`SessionRefusal`]
    pub async fn check(&self, session: Uuid) -> Result<(), SessionRefusal> {
        self.go_on(session).await?;
        self.0.trail.used(session);
        Ok(())
    }

    /// Whether it is known that a session has ended, without asking.
    pub fn has_ended(&self, session: Uuid) -> bool {
        let known = self.0.known.read();
        known
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&session)
    }

    /// Tells of sessions that end from now on. Who is too slow asks [`Self::has_ended`].
    pub fn ends(&self) -> broadcast::Receiver<Uuid> {
        self.0.told.subscribe()
    }

    /// Notes that a session has begun, or is another than before.
    pub fn changed(&self, session: Uuid) {
        self.0.trail.changed(session);
    }

    /// When sessions were used last, in seconds since 1970, as far as that is noted.
    pub async fn last_uses(&self, sessions: &[Uuid]) -> Vec<Option<i64>> {
        let noted = self.0.noted.last_uses(sessions).await;
        noted.unwrap_or_default()
    }

    async fn go_on(&self, session: Uuid) -> Result<(), SessionRefusal> {
        let inner = &*self.0;
        if self.has_ended(session) {
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

    fn note_missing(&self, error: &ControlError) {
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
        if let Ok(client) = inner.endpoint.connect().await {
            if let Some(error) = keep(&inner, &client, &mut asked).await {
                inner.note_missing(&error);
                tracing::debug!(%error, "ended sessions are not followed");
            } else {
                tracing::warn!("the database does not tell which sessions have ended");
            }
        }
        inner.sure_until.store(0, Ordering::Release);
        sleep(LOST).await;
    }
}

/// Asks again and again, until the connection fails, or hangs: then there is no error.
async fn keep(
    inner: &Inner,
    client: &ControlClient,
    asked: &mut mpsc::Receiver<oneshot::Sender<Others>>,
) -> Option<ControlError> {
    let mut follower = match timeout(PATIENCE, Follower::begin(inner, client)).await {
        Ok(Ok(follower)) => follower,
        Ok(Err(error)) => return Some(error),
        Err(_) => return None,
    };
    loop {
        let waiting = tokio::select! {
            waiting = asked.recv() => waiting,
            () = sleep(PAUSE) => None,
        };
        match timeout(PATIENCE, follower.round(waiting)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Some(error),
            Err(_) => return None,
        }
    }
}

/// Whoever asks, on one connection.
struct Follower<'a> {
    inner: &'a Inner,
    client: &'a ControlClient,
    /// The process that serves the connection.
    own: i32,
    since: ControlStatement,
    others: ControlStatement,
    /// Where the next question begins.
    next: String,
    forgotten: Instant,
}

impl<'a> Follower<'a> {
    async fn begin(inner: &'a Inner, client: &'a ControlClient) -> Result<Self, ControlError> {
        // From here on others wait for this gateway.
        let own: i32 = client.query_one(LOCK, &[]).await?.try_get(1)?;
        Ok(Self {
            inner,
            client,
            own,
            since: client.prepare(SINCE).await?,
            others: client.prepare(OTHERS).await?,
            next: String::from("0"),
            forgotten: Instant::now(),
        })
    }

    async fn round(
        &mut self,
        waiting: Option<oneshot::Sender<Others>>,
    ) -> Result<(), ControlError> {
        let (inner, client) = (self.inner, self.client);
        if self.forgotten.elapsed() >= FORGET {
            client.query(FORGOTTEN, &[]).await?;
            self.forgotten = Instant::now();
            "0".clone_into(&mut self.next);
        }
        let began = Instant::now();
        let is_anew = self.next == "0";
        let row = client.query_one(&self.since, &[&self.next]).await?;
        self.next = row.try_get(0)?;
        let ended: Vec<String> = row.try_get(1)?;
        let ended = ended.iter().filter_map(|id| Uuid::parse_str(id).ok());
        {
            let mut known = inner.known.write().unwrap_or_else(PoisonError::into_inner);
            let before = if is_anew {
                std::mem::take(&mut *known)
            } else {
                HashSet::new()
            };
            for session in ended {
                if known.insert(session) && !before.contains(&session) {
                    inner.trail.ended(session);
                    let _nobody = inner.told.send(session);
                }
            }
        }
        let until = inner.nanos(began + LEASE);
        inner.sure_until.store(until, Ordering::Release);
        inner.is_missing.store(false, Ordering::Relaxed);
        if let Some(waiting) = waiting {
            let count: i64 = client
                .query_one(&self.others, &[&self.own])
                .await?
                .try_get(0)?;
            let _gone = waiting.send(count > 0);
        }
        Ok(())
    }
}
