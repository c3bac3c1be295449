//! The task that follows: it takes what the stream delivers, and looks beside it.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use passerelle_wire::{Endpoint, ReplicationMessage, ReplicationStream};
use tokio::time::{sleep, sleep_until};

use super::pgoutput::Output;
use super::position::Position;
use super::session::{Failure, Session};
use super::side::{Look, Side};
use super::transaction::Transactions;
use super::visibility::Visibility;
use super::{Counters, FeedSink, Peers, Shared};
use crate::backoff::Backoff;
use crate::error_chain::chain;

/// Longest pause between two attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(8);
/// A session that takes longer to begin is mentioned.
const PATIENCE: Duration = Duration::from_secs(10);
/// A lease is confirmed so many times before it ends.
const BEATS: u32 = 4;
/// Shortest time between two looks after commits.
const BETWEEN_LOOKS: Duration = Duration::from_millis(4);
/// Shortest time between two looks at the other gateways.
const BETWEEN_PEERS: Duration = Duration::from_millis(1);
/// How often the server is asked how far it has come.
const BETWEEN_REQUESTS: Duration = Duration::from_millis(10);
/// So many beats are waited for at once.
const MAX_BEATS: usize = 32;
/// What the server has not sent by then, it has most likely not flushed.
const UNFLUSHED: Duration = Duration::from_millis(60);

pub(super) struct Task {
    endpoint: Endpoint,
    lease: Duration,
    sink: Arc<dyn FeedSink>,
    shared: Arc<Shared>,
}

impl Task {
    pub(super) fn new(
        endpoint: Endpoint,
        lease: Duration,
        sink: Arc<dyn FeedSink>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            endpoint,
            lease,
            sink,
            shared,
        }
    }

    /// Runs for ever.
    pub(super) async fn run(self) {
        let mut backoff = Backoff::new(MAX_BACKOFF);
        loop {
            let failure = match self.begin().await {
                Ok(session) => {
                    backoff.reset();
                    self.follow(session).await
                }
                Err(failure) => failure,
            };
            self.shared.peers.send_replace(Peers::default());
            if matches!(failure, Failure::Reconfigured) {
                continue;
            }
            let reason = chain(&failure);
            tracing::error!(%reason, "changes are not followed");
            self.shared.state.send_modify(|state| {
                state.following = false;
                state.last_error = Some(reason);
            });
            sleep(backoff.pause()).await;
        }
    }

    /// Begins a session, and says so if that takes long.
    async fn begin(&self) -> Result<Session, Failure> {
        let mut beginning = std::pin::pin!(Session::begin(&self.endpoint));
        loop {
            tokio::select! {
                begun = &mut beginning => return begun,
                () = sleep(PATIENCE) => tracing::warn!(
                    "changes are not followed yet: PostgreSQL waits for transactions that were running before to end"
                ),
            }
        }
    }

    async fn follow(&self, session: Session) -> Failure {
        let Session {
            stream,
            side,
            visibility,
            begun,
        } = session;
        self.sink.started(&begun);
        self.shared.state.send_modify(|state| {
            state.following = true;
            state.sessions += 1;
            state.last_error = None;
        });
        tracing::info!(position = %begun.position, "changes are followed");
        let mut counters = self.shared.counters.subscribe();
        let known = Arc::clone(&counters.borrow_and_update());
        let now = Instant::now();
        let due = now.checked_sub(self.lease).unwrap_or(now);
        let following = Following {
            task: self,
            stream,
            side: &side,
            counters: known,
            transactions: Transactions::default(),
            visibility,
            received: begun.position,
            beats: VecDeque::new(),
            last_beat: due,
            last_look: due,
            last_request: due,
            nudged: false,
        };
        let failure = tokio::select! {
            failure = following.run() => failure,
            _ = counters.changed() => Failure::Reconfigured,
        };
        self.sink.lost();
        failure
    }
}

/// One session.
struct Following<'a> {
    task: &'a Task,
    stream: ReplicationStream,
    side: &'a Side,
    counters: Arc<Counters>,
    transactions: Transactions,
    visibility: Visibility,
    /// The server has sent everything up to here.
    received: Position,
    /// Looks whose positions have not been received yet.
    beats: VecDeque<Beat>,
    last_beat: Instant,
    last_look: Instant,
    last_request: Instant,
    /// The server was made to flush for the oldest of the beats.
    nudged: bool,
}

/// What is confirmed as soon as a position is received.
struct Beat {
    look: Look,
    /// What is not decoded has changed before.
    redefined: bool,
}

/// What is asked beside the stream.
enum Asked {
    Looked(Look, Purpose),
    Nudged,
}

/// What a look is for.
#[derive(Clone, Copy, Debug)]
struct Purpose {
    /// A moment is to be confirmed.
    beat: bool,
    /// What is not decoded has changed before.
    redefined: bool,
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<Asked, Failure>> + Send + 'a>>;

impl Following<'_> {
    async fn run(mut self) -> Failure {
        let side = self.side;
        let mut asking: Option<Asking<'_>> = None;
        loop {
            if asking.is_none() {
                asking = self.next_question(side);
            }
            if let Err(failure) = self.step(&mut asking).await {
                return failure;
            }
        }
    }

    async fn step(&mut self, asking: &mut Option<Asking<'_>>) -> Result<(), Failure> {
        let wake = self.next_time(asking.is_some());
        let shared = Arc::clone(&self.task.shared);
        tokio::select! {
            message = self.stream.next() => {
                self.take(message?)?;
                while let Some(message) = self.stream.next_if_there()? {
                    self.take(message)?;
                }
                self.stream.confirm(self.received.0, false).await?;
                self.resolve();
            }
            asked = answered(asking) => {
                *asking = None;
                match asked? {
                    Asked::Looked(look, purpose) => self.looked(look, purpose).await?,
                    Asked::Nudged => self.request().await?,
                }
            }
            () = sleep_until(wake.into()) => {
                if self.wants_request(Instant::now()) {
                    self.request().await?;
                }
            }
            () = shared.wanted.notified() => {}
        }
        Ok(())
    }

    fn take(&mut self, message: ReplicationMessage) -> Result<(), Failure> {
        let data = match message {
            ReplicationMessage::Keepalive { end, .. } => {
                self.received = self.received.max(Position(end));
                return Ok(());
            }
            ReplicationMessage::Data(data) => data,
        };
        let output = Output::read(data)?;
        if let Some(commit) = self.transactions.take(output, &self.counters) {
            self.visibility.deliver(commit.xid, commit.position);
            self.received = self.received.max(commit.position);
            self.task.sink.committed(&commit);
        }
        Ok(())
    }

    /// What to ask now, if anything.
    fn next_question<'s>(&mut self, side: &'s Side) -> Option<Asking<'s>> {
        let now = Instant::now();
        let shared = &self.task.shared;
        if self.is_unflushed(now) {
            self.nudged = true;
            return Some(Box::pin(async {
                side.nudge().await.map(|()| Asked::Nudged)
            }));
        }
        let redefined = shared.redefined.swap(false, Ordering::AcqRel);
        let is_beat = redefined || now >= self.beat_time();
        let waiting = shared.waiting.load(Ordering::Acquire) > 0;
        if !is_beat && self.look_time(waiting).is_none_or(|time| now < time) {
            return None;
        }
        self.last_look = now;
        if is_beat {
            self.last_beat = now;
        }
        let peers = is_beat || waiting;
        let purpose = Purpose {
            beat: is_beat,
            redefined,
        };
        let look = async move { Ok(Asked::Looked(side.look(peers).await?, purpose)) };
        Some(Box::pin(look))
    }

    /// When something is to be asked or requested next, unless something happens before.
    fn next_time(&self, is_asking: bool) -> Instant {
        let request = self.last_request + BETWEEN_REQUESTS;
        let request = (!self.beats.is_empty()).then_some(request);
        if is_asking {
            // Questions wait for the answer to the one before.
            return request.unwrap_or_else(|| Instant::now() + self.task.lease);
        }
        let waiting = self.task.shared.waiting.load(Ordering::Acquire) > 0;
        let oldest = self.beats.front().filter(|_| !self.nudged);
        let unflushed = oldest.map(|beat| beat.look.begun + UNFLUSHED);
        let due = [self.look_time(waiting), request, unflushed];
        let due = due.into_iter().flatten();
        due.fold(self.beat_time(), Instant::min)
    }

    fn beat_time(&self) -> Instant {
        self.last_beat + self.task.lease / BEATS
    }

    /// When to look between beats, if there is a reason.
    fn look_time(&self, waiting: bool) -> Option<Instant> {
        if waiting {
            return Some(self.last_look + BETWEEN_PEERS);
        }
        let is_behind = self.visibility.is_behind();
        is_behind.then(|| self.last_look + BETWEEN_LOOKS)
    }

    fn is_unflushed(&self, now: Instant) -> bool {
        let oldest = self.beats.front();
        !self.nudged && oldest.is_some_and(|beat| now >= beat.look.begun + UNFLUSHED)
    }

    fn wants_request(&self, now: Instant) -> bool {
        !self.beats.is_empty() && now >= self.last_request + BETWEEN_REQUESTS
    }

    /// Asks the server how far it has come.
    async fn request(&mut self) -> Result<(), Failure> {
        self.last_request = Instant::now();
        Ok(self.stream.confirm(self.received.0, true).await?)
    }

    async fn looked(&mut self, look: Look, purpose: Purpose) -> Result<(), Failure> {
        // What had been delivered when the look was begun is at most what has been by now; the
        // visibility keeps those apart that the snapshot does not see.
        let reach = self.visibility.last();
        if let Some(visible) = self.visibility.look(&look.snapshot, reach) {
            self.task.sink.visible(visible);
        }
        if let Some(peers) = look.peers {
            self.task.shared.peers.send_replace(peers);
        }
        if !purpose.beat {
            return Ok(());
        }
        let redefined = purpose.redefined;
        if self.beats.len() < MAX_BEATS {
            self.beats.push_back(Beat { look, redefined });
        } else if redefined {
            self.task.shared.redefined.store(true, Ordering::Release);
        }
        self.resolve();
        if self.beats.is_empty() {
            return Ok(());
        }
        self.request().await
    }

    /// Confirms what has been received.
    fn resolve(&mut self) {
        while self
            .beats
            .front()
            .is_some_and(|beat| beat.look.written <= self.received)
        {
            let Some(beat) = self.beats.pop_front() else {
                return;
            };
            self.nudged = false;
            let sink = &self.task.sink;
            if beat.redefined {
                sink.redefined(beat.look.written);
            }
            let reach = beat.look.written;
            if let Some(visible) = self.visibility.look(&beat.look.snapshot, reach) {
                sink.visible(visible);
            }
            sink.confirmed(beat.look.begun);
        }
    }
}

async fn answered(asking: &mut Option<Asking<'_>>) -> Result<Asked, Failure> {
    match asking {
        Some(asking) => asking.await,
        None => pending().await,
    }
}
