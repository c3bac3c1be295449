//! The row feed: every committed change of the published tables with its rows, in the order of commits, once.
//!
//! It reads the publications of the realtime surface through logical decoding (`pgoutput`) from a slot of
//! its own, which outlives connections: a reader that comes back goes on where it was. A slot whose gateway is gone is
//! dropped by the others, and `max_slot_wal_keep_size` bounds what it may hold until then. When a slot is lost all the
//! same, the sink is told that changes may have been missed.

mod decode;
mod session;
mod task;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use passerelle_wire::Endpoint;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub use self::decode::{RowChange, RowRelation, RowWhat};
pub use self::session::ROW_STYLE;
use self::session::{SlotName, drop_slot};
use self::task::Task;
/// A value of a row, as PostgreSQL writes it.
pub use crate::feed::pgoutput::Value as RowValue;

/// How long the end of the feed waits for its slot to be dropped.
const FAREWELL: Duration = Duration::from_secs(3);

/// Who is told.
pub trait RowSink: Send + Sync + 'static {
    /// Changes are delivered from now on. If something was `missed`, those between the last delivery and this moment were not.
    fn started(&self, missed: bool);
    /// Changes, in order. The next come when this is done.
    fn deliver(&self, changes: Vec<RowChange>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    /// What tables are and who may see them has changed, or is about to be seen to have: said as soon as it is known, and again when
    /// everybody sees it, before changes are delivered that come after it.
    fn redefined(&self);
    /// No changes come for the time being; they come later, unless [`Self::started`] says otherwise.
    fn lost(&self, reason: &str);
}

/// How it is going.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowFeedState {
    /// Changes are delivered.
    pub is_following: bool,
    /// Changes so far.
    pub changes: u64,
}

/// The feed. Dropping it ends its task; [`Self::stop`] leaves nothing on the server, too.
#[derive(Debug)]
pub struct RowFeed {
    state: watch::Receiver<RowFeedState>,
    task: JoinHandle<()>,
    endpoint: Endpoint,
    slot: SlotName,
}

impl RowFeed {
    /// Begins to follow the database, on a task of the current runtime. `id` tells gateways apart.
    pub fn start(endpoint: Endpoint, id: u64, sink: Arc<dyn RowSink>) -> Self {
        let (sender, state) = watch::channel(RowFeedState::default());
        let slot = SlotName::new(id);
        let task = Task::new(endpoint.clone(), slot.clone(), sink, sender);
        Self {
            state,
            task: tokio::spawn(task.run()),
            endpoint,
            slot,
        }
    }

    /// How it is going; changes are told.
    pub fn state(&self) -> watch::Receiver<RowFeedState> {
        self.state.clone()
    }

    /// Ends it and drops its slot.
    pub async fn stop(&self) {
        self.task.abort();
        let dropped = async {
            // The server notices a moment later that nobody reads any more.
            while drop_slot(&self.endpoint, &self.slot).await.is_err() {
                sleep(Duration::from_millis(100)).await;
            }
        };
        if timeout(FAREWELL, dropped).await.is_err() {
            tracing::debug!(slot = %self.slot, "the slot is left to others to drop");
        }
    }
}

impl Drop for RowFeed {
    fn drop(&mut self) {
        self.task.abort();
    }
}
