//! How fresh things are: fed by the change feed and by this gateway's own writes, asked before a
//! reply is kept and before one is handed out.
//!
//! Positions are those of the WAL. The feed promises, and this module relies on:
//!
//! * every commit after the position a session started at is delivered, in order;
//! * [`Freshness::visible`] up to a position: every snapshot taken from now on sees all commits up
//!   to there;
//! * [`Freshness::confirm`] of a moment: every commit that anybody had an answer to before that
//!   moment has been delivered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use crate::dependencies::{Dependencies, TableClock};
use crate::pending::Pending;
use crate::shelf::Kept;
use crate::touched::Touched;

/// How long after its last confirmation a gateway may answer from what it has kept. A writer that
/// cannot learn how far another gateway has come waits as long.
pub const LEASE: Duration = Duration::from_secs(1);

/// Knows when each table changed last.
#[derive(Debug)]
pub struct Freshness {
    origin: Instant,
    clocks: Mutex<HashMap<u32, Arc<TableClock>>>,
    /// What changes together with everything: what tables are, and who may read them.
    definitions: Arc<TableClock>,
    /// The server and the life of it that positions belong to.
    identity: Mutex<Arc<str>>,
    /// Number of the feed's session, odd while there is one.
    session: AtomicU64,
    /// Up to here every new snapshot sees everything.
    visible: AtomicU64,
    /// Until when replies may be handed out, in nanoseconds since `origin`; zero: not at all.
    lease_end: AtomicU64,
    /// From which confirmed moment on, since others have to learn first that this gateway exists.
    serves_from: AtomicU64,
    pending: Mutex<Pending>,
    delivered: Notify,
    /// Something has changed that may be waited for.
    progress: watch::Sender<()>,
}

/// The moment a query begins: what it finds is right at least up to this position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub(crate) session: u64,
    /// Position in the WAL.
    pub(crate) as_of: u64,
}

/// How it is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreshnessStatus {
    /// The feed has a session.
    pub is_following: bool,
    /// Replies may be handed out.
    pub is_sure: bool,
}

impl Default for Freshness {
    fn default() -> Self {
        Self::new(Instant::now())
    }
}

impl Freshness {
    /// Knows nothing yet. `now` is the beginning of its clock.
    pub fn new(now: Instant) -> Self {
        Self {
            origin: now,
            clocks: Mutex::default(),
            definitions: Arc::default(),
            identity: Mutex::new("".into()),
            session: AtomicU64::new(0),
            visible: AtomicU64::new(0),
            lease_end: AtomicU64::new(0),
            serves_from: AtomicU64::new(0),
            pending: Mutex::default(),
            delivered: Notify::new(),
            progress: watch::Sender::new(()),
        }
    }

    /// The clock of a table, by object identifier.
    pub fn clock(&self, table: u32) -> Arc<TableClock> {
        Arc::clone(lock(&self.clocks).entry(table).or_default())
    }

    /// A session of the feed has started: what happened before `position` was not delivered.
    /// Whatever was kept before is not handed out any more. `identity` tells servers, and lives of
    /// the same one, apart; `alone_until` is the moment from which on all other gateways know of
    /// this one.
    pub fn start(&self, identity: &str, position: u64, alone_until: Instant) {
        self.end();
        *lock(&self.identity) = identity.into();
        self.visible.store(0, Ordering::Release);
        // Another server may be at lower positions.
        for clock in lock(&self.clocks).values() {
            clock.reset(position);
        }
        self.definitions.reset(position);
        lock(&self.pending).restart();
        self.serves_from
            .store(self.nanos(alone_until), Ordering::Release);
        self.session.fetch_add(1, Ordering::AcqRel);
        self.progress.send_replace(());
    }

    /// The feed has ended; nothing is handed out until another session is confirmed.
    pub fn end(&self) {
        self.lease_end.store(0, Ordering::Release);
        if self.session.load(Ordering::Acquire) % 2 == 1 {
            self.session.fetch_add(1, Ordering::AcqRel);
        }
        self.progress.send_replace(());
    }

    /// A transaction was committed at a position.
    pub fn commit(&self, xid: u32, position: u64, touched: &Touched) {
        for table in &touched.tables {
            self.clock(*table).change(position);
        }
        if touched.definitions {
            self.definitions.change(position);
        }
        lock(&self.pending).deliver(xid, position);
        self.delivered.notify_waiters();
        if touched.definitions {
            self.progress.send_replace(());
        }
    }

    /// What tables are, or who may read them, has changed before a position.
    pub fn redefine(&self, position: u64) {
        self.definitions.change(position);
        self.progress.send_replace(());
    }

    /// Snapshots taken from now on see all commits up to a position.
    pub fn visible(&self, position: u64) {
        self.visible.fetch_max(position, Ordering::AcqRel);
        self.progress.send_replace(());
    }

    /// Every commit that was answered before `moment` has been delivered.
    pub fn confirm(&self, moment: Instant) {
        let moment = self.nanos(moment);
        lock(&self.pending).confirm(moment);
        if moment >= self.serves_from.load(Ordering::Acquire) {
            let end = moment.saturating_add(nanos(LEASE));
            self.lease_end.fetch_max(end, Ordering::AcqRel);
        }
        self.progress.send_replace(());
    }

    /// This gateway has made a commit, which nobody has been told of yet: from now on nothing is
    /// handed out that it may have made wrong.
    pub fn block(&self, xid: u32, touched: &Touched, now: Instant) {
        if self.session.load(Ordering::Acquire).is_multiple_of(2) {
            // Nothing is handed out before a moment later than this one is confirmed.
            return;
        }
        let mut clocks: Vec<_> = touched.tables.iter().map(|one| self.clock(*one)).collect();
        if touched.definitions {
            clocks.push(Arc::clone(&self.definitions));
        }
        let mut pending = lock(&self.pending);
        if pending.position(xid).is_none() {
            pending.block(xid, clocks, self.nanos(now));
        }
    }

    /// Position of a commit, as soon as the feed has delivered it; waits for ever if it does not.
    pub async fn position(&self, xid: u32) -> u64 {
        loop {
            let delivered = self.delivered.notified();
            let mut delivered = std::pin::pin!(delivered);
            delivered.as_mut().enable();
            if let Some(position) = lock(&self.pending).position(xid) {
                return position;
            }
            delivered.await;
        }
    }

    /// The moment for a query that begins now; none while it would not be known how long its
    /// result is right.
    pub fn moment(&self, now: Instant) -> Option<Moment> {
        let session = self.session.load(Ordering::Acquire);
        let as_of = self.visible.load(Ordering::Acquire);
        (self.is_sure(now) && as_of > 0 && session % 2 == 1).then_some(Moment { session, as_of })
    }

    /// Whether a reply is right now.
    pub fn is_right(&self, kept: &Kept, now: Instant) -> bool {
        let is_right = self.holds(kept.found, &kept.on, now);
        if is_right {
            kept.grace.renew(now);
        }
        is_right
    }

    /// Whether what was found at a moment, and depends on these tables, may be handed out now.
    pub fn holds(&self, found: Moment, on: &Dependencies, now: Instant) -> bool {
        self.session.load(Ordering::Acquire) == found.session && self.still(found.as_of, on, now)
    }

    /// Whether a reply was right a short time ago, so that it may be handed out for its grace. What
    /// tables are, and who may read them, has to be as it was.
    pub fn lingers(&self, kept: &Kept, now: Instant) -> bool {
        self.is_sure(now) && self.knows_definitions(kept.found) && kept.grace.lasts(now)
    }

    /// The moment at which another gateway has found something, if that may be handed out now.
    /// `session` is a moment of the session that positions are compared in.
    pub fn holds_at(
        &self,
        as_of: u64,
        session: Moment,
        on: &Dependencies,
        now: Instant,
    ) -> Option<Moment> {
        let found = Moment { as_of, ..session };
        self.holds(found, on, now).then_some(found)
    }

    /// The server, and the life of it, that a moment belongs to, while it is followed.
    pub fn identity(&self, moment: Moment) -> Option<Arc<str>> {
        // It changes between two sessions only.
        let identity = Arc::clone(&lock(&self.identity));
        (self.session.load(Ordering::Acquire) == moment.session).then_some(identity)
    }

    /// Whether definitions that were read at a moment are those of now.
    pub fn knows_definitions(&self, read: Moment) -> bool {
        self.session.load(Ordering::Acquire) == read.session
            && self.definitions.is_unchanged_since(read.as_of)
    }

    /// Waits for a moment from which on definitions can be read that are those of now.
    pub async fn moment_for_definitions(&self) -> Moment {
        let mut progress = self.progress.subscribe();
        loop {
            progress.mark_unchanged();
            if let Some(moment) = self.moment(Instant::now())
                && self.knows_definitions(moment)
            {
                return moment;
            }
            // The sender lives as long as this.
            let _ended = progress.changed().await;
        }
    }

    /// Waits until definitions that were read at a moment are not those of now any more.
    pub async fn definitions_changed(&self, read: Moment) {
        let mut progress = self.progress.subscribe();
        loop {
            progress.mark_unchanged();
            if !self.knows_definitions(read) {
                return;
            }
            let _ended = progress.changed().await;
        }
    }

    fn still(&self, as_of: u64, on: &Dependencies, now: Instant) -> bool {
        self.is_sure(now)
            && self.definitions.is_unchanged_since(as_of)
            && on.are_unchanged_since(as_of)
    }

    fn is_sure(&self, now: Instant) -> bool {
        self.nanos(now) < self.lease_end.load(Ordering::Acquire)
    }

    /// How it is going.
    pub fn status(&self, now: Instant) -> FreshnessStatus {
        FreshnessStatus {
            is_following: self.session.load(Ordering::Acquire) % 2 == 1,
            is_sure: self.is_sure(now),
        }
    }

    fn nanos(&self, moment: Instant) -> u64 {
        nanos(moment.saturating_duration_since(self.origin))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A lock that a panic elsewhere has not made useless: what it guards is right after each statement.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
