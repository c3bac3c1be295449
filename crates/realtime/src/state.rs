//! What all sockets share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use passerelle_identity::{Principal, UnixTime};
use passerelle_pg::{ControlEndpoint, Prelude, RowFeed, RowFeedState, Setting};
use passerelle_statement::Statement;
use passerelle_store::Store;
use passerelle_surface::EndedSessions;
use passerelle_wire::{Endpoint, Flight, Pool, PoolError, Scope, WireError};
use thiserror::Error;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::changes::{Deliverer, Following, Subscriptions};
use crate::metrics::{Metrics, RealtimeCounts};
use crate::outlet::{Audience, Out, Outlet};
use crate::relay::Relay;
use crate::rules::{Rules, RulesError};
use crate::setback::Setback;
use crate::settings::RealtimeSettings;
use crate::topic::Topics;

/// How often room is made for messages of the next days.
const ROOM: Duration = Duration::from_hours(6);

/// What the surface is made of.
pub struct RealtimeParts {
    /// Connections of callers.
    pub pool: Pool,
    /// For questions about tables.
    pub control: ControlEndpoint,
    /// Where changes of rows are read; without it there are none.
    pub feed: Option<Endpoint>,
    /// What gateways share.
    pub store: Store,
    /// Who has been signed out, where anybody can be.
    pub ended: Option<EndedSessions>,
    /// Counts changes of roles, which policies do not tell of.
    pub role_changes: watch::Receiver<u64>,
    /// Tells the time that tokens are judged by.
    pub clock: fn() -> UnixTime,
}

/// The surface; sockets and tasks end with it.
pub struct RealtimeState {
    pub(crate) shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

pub(crate) struct Shared {
    settings: ArcSwap<RealtimeSettings>,
    pub(crate) clock: fn() -> UnixTime,
    pub(crate) gateway: u64,
    pool: Pool,
    pub(crate) topics: Topics,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) rules: Rules,
    pub(crate) relay: Relay,
    pub(crate) ended: Option<EndedSessions>,
    pub(crate) metrics: Metrics,
    sockets: Mutex<HashMap<u64, Arc<Outlet>>>,
    /// Who has joined with a session, by socket and how often.
    sessions: Mutex<HashMap<Uuid, HashMap<u64, usize>>>,
    joins: AtomicU64,
    /// Somebody needs changes of rows.
    wanted: Notify,
    has_feed: bool,
    feed: Mutex<Option<Arc<RowFeed>>>,
}

/// Why the database did not say what somebody may see.
#[derive(Debug, Error)]
pub(crate) enum AskError {
    #[error("no connection to the database")]
    Pool(#[from] PoolError),
    #[error("the database refused or failed")]
    Flight(#[from] WireError),
    #[error(transparent)]
    Rules(#[from] RulesError),
}

impl AskError {
    /// What is to be done about it.
    pub(crate) fn setback(&self) -> Setback {
        match self {
            Self::Pool(PoolError::Closed) => Setback::Refused,
            Self::Pool(_) => Setback::Unheard,
            Self::Flight(error) => match (error.server(), error) {
                (Some(error), _) => Setback::of(&error.code),
                (None, WireError::Io(_) | WireError::Closed) => Setback::Unheard,
                (None, WireError::Timeout) => Setback::Busy,
                (None, _) => Setback::Refused,
            },
            Self::Rules(error) => error.setback(),
        }
    }
}

impl RealtimeState {
    /// Begins to carry messages between gateways. The feed of changes begins when somebody joins.
    pub async fn start(parts: RealtimeParts, settings: RealtimeSettings) -> Arc<Self> {
        // No other gateway has this number.
        let gateway = Uuid::new_v4().as_u64_pair().0;
        let (relay, incoming) = Relay::start(&parts.store, gateway).await;
        let shared = Arc::new(Shared {
            settings: ArcSwap::from_pointee(settings),
            clock: parts.clock,
            gateway,
            pool: parts.pool,
            topics: Topics::default(),
            subscriptions: Subscriptions::default(),
            rules: Rules::new(parts.control),
            relay,
            ended: parts.ended,
            metrics: Metrics::default(),
            sockets: Mutex::default(),
            sessions: Mutex::default(),
            joins: AtomicU64::new(0),
            wanted: Notify::new(),
            has_feed: parts.feed.is_some(),
            feed: Mutex::default(),
        });
        let mut tasks = vec![
            tokio::spawn(crate::relay::listen(Arc::clone(&shared), incoming)),
            tokio::spawn(forget_on_change(Arc::clone(&shared), parts.role_changes)),
        ];
        if let Some(endpoint) = parts.feed {
            tasks.push(tokio::spawn(follow(Arc::clone(&shared), endpoint)));
            tasks.push(tokio::spawn(make_room(Arc::clone(&shared))));
        } else {
            let reason = "Changes of rows are not configured".to_owned();
            shared.subscriptions.follow(Following::Down(reason));
        }
        if shared.ended.is_some() {
            tasks.push(tokio::spawn(close_ended(Arc::clone(&shared))));
        }
        Arc::new(Self { shared, tasks })
    }

    /// Replaces the settings for sockets that open from now on.
    pub fn reconfigure(&self, settings: RealtimeSettings) {
        self.shared.settings.store(Arc::new(settings));
    }

    /// How it is doing.
    pub fn counts(&self) -> RealtimeCounts {
        let shared = &self.shared;
        let feed = shared.feed_state();
        RealtimeCounts {
            subscriptions: shared.subscriptions.count() as u64,
            topics: shared.topics.count() as u64,
            changes: feed.changes,
            is_following: feed.is_following,
            ..shared.metrics.counts()
        }
    }

    /// Closes all sockets, and leaves nothing behind on the database and with other gateways.
    pub async fn stop(&self) {
        for outlet in self.shared.outlets() {
            outlet.send(Out::GoAway);
        }
        self.shared.relay.say_goodbye().await;
        let feed = {
            let mut feed = self
                .shared
                .feed
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            feed.take()
        };
        if let Some(feed) = feed {
            feed.stop().await;
        }
    }
}

impl Drop for RealtimeState {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl std::fmt::Debug for RealtimeState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RealtimeState").finish_non_exhaustive()
    }
}

/// Waits until somebody needs the feed, and begins it.
async fn follow(shared: Arc<Shared>, endpoint: Endpoint) {
    shared.wanted.notified().await;
    let sink = Arc::new(Deliverer(Arc::clone(&shared)));
    let feed = RowFeed::start(endpoint, shared.gateway, sink);
    *shared.feed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(feed));
}

async fn make_room(shared: Arc<Shared>) {
    loop {
        // Where nobody joins a channel, no connection is kept.
        let made = shared.rules.ask_once("select passerelle.keep_messages()");
        if let Err(error) = made.await {
            let error = passerelle_pg::chain(&error);
            tracing::debug!(error, "no room is made for messages of the next days");
        }
        tokio::time::sleep(ROOM).await;
    }
}

/// Memberships of roles and the like are told by no change of a table.
async fn forget_on_change(shared: Arc<Shared>, mut role_changes: watch::Receiver<u64>) {
    while role_changes.changed().await.is_ok() {
        shared.rules.forget();
    }
}

/// Closes channels of sessions that have ended.
async fn close_ended(shared: Arc<Shared>) {
    let Some(ended) = shared.ended.clone() else {
        return;
    };
    let mut ends = ended.ends();
    loop {
        match ends.recv().await {
            Ok(session) => shared.end(session),
            Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                let all: Vec<Uuid> = {
                    let sessions = shared
                        .sessions
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner);
                    sessions.keys().copied().collect()
                };
                for session in all.into_iter().filter(|session| ended.has_ended(*session)) {
                    shared.end(session);
                }
            }
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
        }
    }
}

impl Shared {
    pub(crate) fn settings(&self) -> Arc<RealtimeSettings> {
        self.settings.load_full()
    }

    pub(crate) fn tells_deleted_keys(&self) -> bool {
        self.settings.load().tells_deleted_keys
    }

    /// A number that no other join of this gateway has.
    pub(crate) fn next_join(&self) -> u64 {
        self.joins.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Changes of rows are needed from now on.
    pub(crate) fn want_feed(&self) {
        if self.has_feed {
            self.wanted.notify_one();
        }
    }

    pub(crate) fn feed_state(&self) -> RowFeedState {
        let feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        feed.as_ref()
            .map(|feed| feed.state().borrow().clone())
            .unwrap_or_default()
    }

    pub(crate) fn add_socket(&self, outlet: &Arc<Outlet>) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.insert(outlet.id, Arc::clone(outlet));
        self.metrics.sockets.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn remove_socket(&self, outlet: &Outlet) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.remove(&outlet.id);
        self.metrics.sockets.fetch_sub(1, Ordering::Relaxed);
    }

    fn outlets(&self) -> Vec<Arc<Outlet>> {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.values().cloned().collect()
    }

    /// A channel of a socket rests on a session.
    pub(crate) fn hold_session(&self, session: Uuid, socket: u64) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        *sessions
            .entry(session)
            .or_default()
            .entry(socket)
            .or_insert(0) += 1;
    }

    pub(crate) fn release_session(&self, session: Uuid, socket: u64) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(holders) = sessions.get_mut(&session) {
            if let Some(count) = holders.get_mut(&socket) {
                *count -= 1;
                if *count == 0 {
                    holders.remove(&socket);
                }
            }
            if holders.is_empty() {
                sessions.remove(&session);
            }
        }
    }

    fn end(&self, session: Uuid) {
        let holders: Vec<u64> = {
            let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions
                .get(&session)
                .map(|holders| holders.keys().copied().collect())
                .unwrap_or_default()
        };
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        for holder in holders {
            if let Some(outlet) = sockets.get(&holder) {
                outlet.end_session(session);
            }
        }
    }

    /// Asks a statement about rows for somebody: its only column, true or false.
    pub(crate) async fn ask(
        &self,
        audience: &Audience,
        settings: &[Setting],
        statement: &str,
        rows: String,
    ) -> Result<Vec<bool>, AskError> {
        let search_path = &self.settings.load().search_path;
        let prelude = Prelude {
            search_path,
            role_settings: &[],
            role: &audience.role,
            claims: &audience.claims,
            method: "",
            path: "",
            headers: "",
            cookies: "",
            timezone: None,
            function_settings: &[],
            app_settings: settings,
            read_only: true,
            pre_request: None,
            leavings: None,
        };
        let prelude = prelude.statements();
        let statement = Statement {
            text: statement.to_owned(),
            params: vec![Some(Bytes::from(rows))],
        };
        let scope = Scope::new(Arc::clone(&audience.role), search_path.as_str());
        let mut connection = self.pool.acquire(&audience.role).await?;
        let flight = Flight::new(&statement, &scope).prelude(&prelude);
        let answers = connection.fly(&flight).await?;
        Ok(answers.rows().map(|row| row.text(0) == Some("t")).collect())
    }

    /// Whether a token is good now.
    pub(crate) fn verify(&self, token: &str) -> Result<Principal, passerelle_identity::TokenError> {
        let bearer = format!("Bearer {token}");
        let verifier = Arc::clone(&self.settings.load().verifier);
        verifier.authenticate(None, Some(bearer.as_bytes()), (self.clock)())
    }
}
