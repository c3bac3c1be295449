//! Which sessions are in use, noted outside of the database: once a minute for each, and not while its requests wait.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use passerelle_identity::UnixTime;
use passerelle_pg::{ControlClient, ControlEndpoint, ControlRow};
use passerelle_store::{SessionEntry, Sessions};
use tokio::sync::mpsc;
use uuid::Uuid;

/// How often it is noted that a session is in use.
const THROTTLE: Duration = Duration::from_mins(1);
/// Sessions of which it is remembered when that was.
const REMEMBERED: NonZero<usize> = NonZero::new(16 * 1024).expect("it is not zero");
/// What waits to be noted; more is dropped.
const WAITING: usize = 4096;
/// How much is noted at a time.
const BATCH: usize = 256;
const SESSIONS: &str = "select session_id::text, user_id::text, role, aal, user_agent, ip \
    from passerelle.sessions_of($1::text[]::uuid[])";

/// What has happened to a session.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// It is in use.
    Used(Uuid),
    /// It began, or is another than before.
    Changed(Uuid),
    /// It has ended.
    Ended(Uuid),
}

/// Takes notes for a [`Recorder`].
#[derive(Debug)]
pub(crate) struct Trail {
    noted: Mutex<LruCache<Uuid, Instant>>,
    events: mpsc::Sender<Event>,
}

/// Writes notes down, one batch after the other.
#[derive(Debug)]
pub(crate) struct Recorder {
    events: mpsc::Receiver<Event>,
    sessions: Sessions,
    endpoint: ControlEndpoint,
    client: Option<ControlClient>,
    clock: fn() -> UnixTime,
}

/// A trail and who writes it down.
pub(crate) fn trail(
    sessions: Sessions,
    endpoint: ControlEndpoint,
    clock: fn() -> UnixTime,
) -> (Trail, Recorder) {
    let (sender, events) = mpsc::channel(WAITING);
    let trail = Trail {
        noted: Mutex::new(LruCache::new(REMEMBERED)),
        events: sender,
    };
    let recorder = Recorder {
        events,
        sessions,
        endpoint,
        client: None,
        clock,
    };
    (trail, recorder)
}

impl Trail {
    /// A session is in use.
    pub(crate) fn used(&self, session: Uuid) {
        let now = Instant::now();
        {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            match noted.get_mut(&session) {
                Some(last) if now.duration_since(*last) < THROTTLE => return,
                Some(last) => *last = now,
                None => {
                    noted.put(session, now);
                }
            }
        }
        self.tell(Event::Used(session));
    }

    /// A session has begun, or is another than before.
    pub(crate) fn changed(&self, session: Uuid) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.put(session, Instant::now());
        drop(noted);
        self.tell(Event::Changed(session));
    }

    /// A session has ended.
    pub(crate) fn ended(&self, session: Uuid) {
        self.tell(Event::Ended(session));
    }

    fn tell(&self, event: Event) {
        // What finds no room is noted the next time.
        let _ = self.events.try_send(event);
    }
}

impl Recorder {
    /// Goes on as long as the trail is there.
    pub(crate) async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.events.recv_many(&mut batch, BATCH).await > 0 {
            if let Err(reason) = self.record(&batch).await {
                tracing::debug!(reason, "sessions in use are not noted");
                self.client = None;
            }
            batch.clear();
        }
    }

    async fn record(&mut self, batch: &[Event]) -> Result<(), String> {
        let (mut used, mut unknown, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for event in batch {
            match event {
                Event::Used(session) => used.push(*session),
                Event::Changed(session) => unknown.push(*session),
                Event::Ended(session) => ended.push(*session),
            }
        }
        let now = (self.clock)().seconds();
        if !used.is_empty() {
            let told = self.sessions.touch(&used, now).await;
            unknown.extend(told.map_err(|error| error.to_string())?);
        }
        if !unknown.is_empty() {
            let found = self.look_up(&unknown, now).await?;
            let told = self.sessions.put(found).await;
            told.map_err(|error| error.to_string())?;
        }
        if !ended.is_empty() {
            let told = self.sessions.forget(&ended).await;
            told.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// What the database says of sessions.
    async fn look_up(&mut self, sessions: &[Uuid], now: i64) -> Result<Vec<SessionEntry>, String> {
        let kept = self.client.take().filter(|client| !client.is_closed());
        let client = if let Some(client) = kept {
            client
        } else {
            let opened = self.endpoint.connect().await;
            opened.map_err(|error| error.to_string())?
        };
        let ids: Vec<String> = sessions.iter().map(Uuid::to_string).collect();
        let rows = client.query(SESSIONS, &[&ids]).await;
        let rows = rows.map_err(|error| error.to_string())?;
        self.client = Some(client);
        let entry = |row: &ControlRow| {
            let text = |column: usize| row.try_get::<_, String>(column).ok();
            Some(SessionEntry {
                session: text(0)?.parse().ok()?,
                user: text(1)?.parse().ok()?,
                role: text(2)?,
                level: text(3)?,
                user_agent: text(4)?,
                ip: text(5)?,
                used: now,
            })
        };
        Ok(rows.iter().filter_map(entry).collect())
    }
}
