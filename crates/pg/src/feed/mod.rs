//! The change feed: what is committed in the database, in order, by whomever.
//!
//! It reads the publication `passerelle` through logical decoding (`pgoutput`), from a temporary slot of
//! its own: nothing of it is left on the server when the gateway is gone. A second connection asks
//! how far the WAL goes and which transactions new snapshots see, which the stream does not tell:
//! a commit is decoded as soon as it is flushed, and may become visible later.

pub(crate) mod pgoutput;
pub(crate) mod position;
mod session;
mod side;
pub(crate) mod snapshot;
mod task;
mod transaction;
mod visibility;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use passerelle_catalog::QualifiedName;
use passerelle_wire::Endpoint;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

pub use self::position::Position;
use self::task::Task;

/// Columns whose change alone is not told, by table.
pub type Counters = HashMap<QualifiedName, Vec<String>>;

/// Who is told.
pub trait FeedSink: Send + Sync + 'static {
    /// A session has begun; what happened before it was not delivered.
    fn started(&self, session: &FeedSession);
    /// A transaction was committed that changed something that is followed.
    fn committed(&self, commit: &FeedCommit);
    /// Every snapshot taken from now on sees all commits up to a position.
    fn visible(&self, position: Position);
    /// Every commit that anybody had an answer to before a moment has been delivered.
    fn confirmed(&self, moment: Instant);
    /// What is not decoded has changed before a position: who may do what.
    fn redefined(&self, position: Position);
    /// The session has ended.
    fn lost(&self);
}

/// The beginning of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSession {
    /// Tells servers, and lives of the same server, apart: positions of the WAL mean the same only
    /// within one.
    pub identity: String,
    /// What was committed after this position is delivered.
    pub position: Position,
    /// Since when other gateways can see this one.
    pub since: Instant,
}

/// What a transaction has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedCommit {
    /// The transaction.
    pub xid: u32,
    /// Where its commit ends.
    pub position: Position,
    /// Tables, by object identifier, each once.
    pub tables: Vec<u32>,
    /// What tables are and who may read them.
    pub definitions: bool,
    /// Everything that is kept is to be forgotten (`pg_logical_emit_message` with the prefix
    /// `passerelle.flush`).
    pub flush: bool,
}

/// Which other gateways follow the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// None.
    Nobody,
    /// There are some.
    Somebody,
    /// It is not known.
    Unknown,
}

/// The feed. Dropping it ends its task.
#[derive(Debug)]
pub struct Feed {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What the task and its users share.
#[derive(Debug)]
struct Shared {
    /// How far the other gateways have come.
    peers: watch::Sender<Peers>,
    /// How many wait for the others.
    waiting: AtomicUsize,
    /// Something that is not decoded has changed.
    redefined: AtomicBool,
    /// The task has something to do.
    wanted: Notify,
    counters: watch::Sender<Arc<Counters>>,
    state: watch::Sender<FeedState>,
}

/// Other gateways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Peers {
    /// When it was asked; none while there is no session.
    asked: Option<Instant>,
    /// How far the slowest has come; none if there is nobody.
    slowest: Option<Position>,
}

/// How it is going.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedState {
    /// There is a session.
    pub following: bool,
    /// Sessions so far.
    pub sessions: u64,
    /// Why there is none, if an attempt failed. Not for clients.
    pub last_error: Option<String>,
}

impl Feed {
    /// Begins to follow the database, on a task of the current runtime. `lease` is how long after
    /// its last confirmation any gateway serves what it has kept.
    pub fn start(
        endpoint: Endpoint,
        lease: Duration,
        counters: Counters,
        sink: Arc<dyn FeedSink>,
    ) -> Self {
        let shared = Arc::new(Shared {
            peers: watch::Sender::new(Peers::default()),
            waiting: AtomicUsize::new(0),
            redefined: AtomicBool::new(false),
            wanted: Notify::new(),
            counters: watch::Sender::new(Arc::new(counters)),
            state: watch::Sender::new(FeedState::default()),
        });
        let task = Task::new(endpoint, lease, sink, Arc::clone(&shared));
        let task = tokio::spawn(task.run());
        Self { shared, task }
    }

    /// Changes which columns do not count.
    pub fn reconfigure(&self, counters: Counters) {
        self.shared.counters.send_replace(Arc::new(counters));
    }

    /// Something has changed that is not decoded, such as the membership in a role. As soon as it
    /// is known which position is later, the sink is told.
    pub fn redefine(&self) {
        self.shared.redefined.store(true, Ordering::Release);
        self.shared.wanted.notify_one();
    }

    /// Who else follows the database, as far as it was known at most `lease` before a moment.
    pub fn others(&self, moment: Instant, lease: Duration) -> Others {
        let peers = *self.shared.peers.borrow();
        match (peers.asked, peers.slowest) {
            (Some(asked), _) if moment.saturating_duration_since(asked) >= lease => Others::Unknown,
            (Some(_), Some(_)) => Others::Somebody,
            (Some(_), None) => Others::Nobody,
            (None, _) => Others::Unknown,
        }
    }

    /// Waits until all other gateways have been delivered what was committed up to a position;
    /// for ever if one of them stays behind.
    pub async fn settle(&self, position: Position) {
        let _waiting = Waiting::new(&self.shared);
        let mut peers = self.shared.peers.subscribe();
        let reached = peers.wait_for(|peers| {
            peers.asked.is_some() && peers.slowest.is_none_or(|slowest| slowest >= position)
        });
        if reached.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// How it is going; changes are told.
    pub fn state(&self) -> watch::Receiver<FeedState> {
        self.shared.state.subscribe()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Somebody waits for the others as long as this lives.
struct Waiting<'a>(&'a Shared);

impl<'a> Waiting<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.waiting.fetch_add(1, Ordering::AcqRel);
        shared.wanted.notify_one();
        Self(shared)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}
