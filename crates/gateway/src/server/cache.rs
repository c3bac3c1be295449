//! What keeps the cache of replies right: the change feed, the fence of writes, and what is known of
//! the database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_cache::{Freshness, FreshnessStatus, LEASE, Touched};
use passerelle_pg::{
    ControlEndpoint, Feed, FeedCommit, FeedSession, FeedSink, FeedState, Others, Position, ReadSets,
};
use passerelle_rest::ReplyCache;
use passerelle_surface::{Fence, FencePassed};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until, timeout_at};

use crate::deployment::{CacheParts, Wanted};

/// Other gateways' clocks may run a little slower.
const GRACE: Duration = Duration::from_millis(50);
/// Pause after an attempt to read what is read that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The cache, kept right as long as this lives.
pub(super) struct Cache {
    pub(super) replies: Arc<ReplyCache>,
    /// What writes of any surface pass.
    pub(super) fence: Arc<dyn Fence>,
    feed: Arc<Feed>,
    tasks: [JoinHandle<()>; 2],
}

impl Cache {
    /// Begins to follow the database.
    pub(super) fn start(
        parts: CacheParts,
        control: ControlEndpoint,
        role_changes: watch::Receiver<u64>,
    ) -> Self {
        let freshness = Arc::new(Freshness::default());
        let sink = Arc::new(Sink(Arc::clone(&freshness)));
        let counters = parts.wanted.counters.clone();
        let feed = Arc::new(Feed::start(parts.feed, LEASE, counters, sink));
        let gate = Gate {
            freshness: Arc::clone(&freshness),
            feed: Arc::clone(&feed),
            may_have_others: parts.may_have_others,
        };
        let fence: Arc<dyn Fence> = Arc::new(gate);
        let replies = ReplyCache::new(parts.bytes, freshness, Arc::clone(&fence), parts.settings);
        let replies = Arc::new(replies);
        let knowing = know(Arc::clone(&replies), control, parts.wanted);
        let tasks = [
            tokio::spawn(knowing),
            tokio::spawn(redefine(Arc::clone(&feed), role_changes)),
        ];
        Self {
            replies,
            fence,
            feed,
            tasks,
        }
    }

    /// How it is going.
    pub(super) fn status(&self) -> (FreshnessStatus, FeedState) {
        let status = self.replies.freshness().status(Instant::now());
        (status, self.feed.state().borrow().clone())
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Hands on what the feed tells.
struct Sink(Arc<Freshness>);

impl FeedSink for Sink {
    fn started(&self, session: &FeedSession) {
        let sure = session.since + LEASE;
        self.0.start(&session.identity, session.position.0, sure);
    }

    fn committed(&self, commit: &FeedCommit) {
        let touched = Touched {
            tables: commit.tables.clone(),
            definitions: commit.definitions || commit.flush,
        };
        self.0.commit(commit.xid, commit.position.0, &touched);
    }

    fn visible(&self, position: Position) {
        self.0.visible(position.0);
    }

    fn confirmed(&self, moment: Instant) {
        self.0.confirm(moment);
    }

    fn redefined(&self, position: Position) {
        self.0.redefine(position.0);
    }

    fn lost(&self) {
        self.0.end();
    }
}

/// What writes pass before their replies.
struct Gate {
    freshness: Arc<Freshness>,
    feed: Arc<Feed>,
    may_have_others: bool,
}

impl Fence for Gate {
    fn pass(&self, xid: u32, touched: Touched) -> FencePassed<'_> {
        let now = Instant::now();
        self.freshness.block(xid, &touched, now);
        // By then a gateway that has not been delivered it serves nothing any more.
        let end = (now + LEASE + GRACE).into();
        Box::pin(async move {
            match self.feed.others(now, LEASE) {
                Others::Nobody => {}
                Others::Unknown if !self.may_have_others => {}
                Others::Unknown => sleep_until(end).await,
                Others::Somebody => {
                    let settled = async {
                        let position = self.freshness.position(xid).await;
                        self.feed.settle(Position(position)).await;
                    };
                    let _settled_or_over = timeout_at(end, settled).await;
                }
            }
        })
    }
}

/// Keeps what is known of the database up to date.
async fn know(replies: Arc<ReplyCache>, control: ControlEndpoint, wanted: Wanted) {
    loop {
        let moment = replies.freshness().moment_for_definitions().await;
        match read(&control, &wanted).await {
            Ok(sets) => {
                tell_unproven(&sets, &wanted);
                replies.know(sets, moment);
                replies.freshness().definitions_changed(moment).await;
            }
            Err(error) => {
                tracing::error!(%error, "it cannot be read what tables and functions read");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn read(
    control: &ControlEndpoint,
    wanted: &Wanted,
) -> Result<ReadSets, Box<dyn std::error::Error + Send + Sync>> {
    let mut client = control.connect().await?;
    Ok(ReadSets::load(&mut client, &wanted.declared).await?)
}

/// Says what is not going to be kept although it is configured, and why.
fn tell_unproven(sets: &ReadSets, wanted: &Wanted) {
    for function in &wanted.functions {
        if let Err(reason) = sets.function(function) {
            tracing::warn!(%function, %reason, "replies are not kept");
        }
    }
    for table in &wanted.tables {
        if let Err(reason) = sets.relation_for_anybody(table) {
            tracing::warn!(%table, %reason, "replies may not be kept, depending on the role");
        }
    }
}

/// Roles are not decoded: their changes are found by looking.
async fn redefine(feed: Arc<Feed>, mut role_changes: watch::Receiver<u64>) {
    while role_changes.changed().await.is_ok() {
        feed.redefine();
    }
}
