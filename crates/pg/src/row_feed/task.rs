//! The task that follows: it takes what the stream delivers and hands it on, as much at a time as there is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_wire::{Endpoint, ReplicationMessage};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, sleep};

use super::decode::{Decoder, Mark, RowChange, Step};
use super::session::{Failure, Place, Session, SlotName};
use super::{RowFeedState, RowSink};
use crate::backoff::Backoff;
use crate::error_chain::chain;
use crate::feed::pgoutput::Output;

/// Longest pause between two attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// Changes that are handed on at a time.
const BATCH: usize = 256;
/// How often the server is told how far everything has come, and others are looked after.
const BEAT: Duration = Duration::from_secs(5);
/// How soon it is looked again whether a commit is visible.
const AGAIN: Duration = Duration::from_millis(1);

pub(super) struct Task {
    endpoint: Endpoint,
    slot: SlotName,
    sink: Arc<dyn RowSink>,
    state: watch::Sender<RowFeedState>,
}

impl Task {
    pub(super) fn new(
        endpoint: Endpoint,
        slot: SlotName,
        sink: Arc<dyn RowSink>,
        state: watch::Sender<RowFeedState>,
    ) -> Self {
        Self {
            endpoint,
            slot,
            sink,
            state,
        }
    }

    /// Runs for ever.
    pub(super) async fn run(self) {
        let mut backoff = Backoff::new(MAX_BACKOFF);
        let mut decoder = Decoder::default();
        let mut place = Place::default();
        loop {
            let begun = Session::begin(&self.endpoint, &self.slot, &mut place).await;
            let failure = match begun {
                Ok(session) => {
                    backoff.reset();
                    let missed = place.missed;
                    if place.is_new {
                        decoder.forget();
                    }
                    place.taken();
                    decoder.restart();
                    tracing::info!(slot = %self.slot, missed, "changes of rows are followed");
                    self.sink.started(missed);
                    self.state.send_modify(|state| state.is_following = true);
                    self.follow(session, &mut decoder).await
                }
                Err(failure) => failure,
            };
            let reason = chain(&failure);
            tracing::warn!(reason, "changes of rows are not followed");
            self.state.send_modify(|state| state.is_following = false);
            self.sink.lost(&reason);
            sleep(backoff.pause()).await;
        }
    }

    async fn follow(&self, mut session: Session, decoder: &mut Decoder) -> Failure {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.tick().await;
        loop {
            let mut delivered = decoder.mark();
            let round = self.round(&mut session, decoder, &mut beat, &mut delivered);
            if let Err(failure) = round.await {
                decoder.undo(delivered);
                return failure;
            }
        }
    }

    /// Takes all there is, or waits for something. Notes what was delivered, which is what counts if it fails.
    async fn round(
        &self,
        session: &mut Session,
        decoder: &mut Decoder,
        beat: &mut Interval,
        delivered: &mut Mark,
    ) -> Result<(), Failure> {
        let mut batch = Vec::new();
        let mut redefined = Vec::new();
        let mut done = None;
        loop {
            let message = if batch.is_empty() && redefined.is_empty() && done.is_none() {
                tokio::select! {
                    message = session.stream.next() => Some(message?),
                    _ = beat.tick() => {
                        session.side.sweep(&self.slot).await?;
                        None
                    }
                }
            } else {
                session.stream.next_if_there()?
            };
            match message {
                Some(ReplicationMessage::Data(data)) => match decoder.take(Output::read(data)?)? {
                    Step::Nothing => {}
                    Step::Change(change) => batch.push(change),
                    Step::Committed(end) => done = Some(end),
                    Step::Redefined(xid) => {
                        self.sink.redefined();
                        redefined.push(xid);
                    }
                },
                Some(ReplicationMessage::Keepalive { end, .. }) => {
                    // Nothing was said before that is not delivered.
                    if !decoder.is_inside() {
                        done = done.max(Some(end));
                    }
                }
                None => break,
            }
            if batch.len() >= BATCH {
                break;
            }
        }
        self.hand_on(session, batch, &redefined).await?;
        *delivered = decoder.mark();
        if let Some(position) = done {
            session.stream.confirm(position, false).await?;
        }
        Ok(())
    }

    async fn hand_on(
        &self,
        session: &Session,
        batch: Vec<RowChange>,
        redefined: &[u32],
    ) -> Result<(), Failure> {
        let count = batch.len() as u64;
        let changed = batch.iter().map(|change| change.xid);
        let mut awaited: Vec<u32> = changed.chain(redefined.iter().copied()).collect();
        awaited.dedup();
        // A commit is decoded as soon as it is written, and policies are to see what it has written.
        // It may take long where commits wait for a standby; they have not been confirmed to anybody by then either.
        let mut late = Some(Instant::now() + BEAT);
        while !awaited.is_empty() {
            let snapshot = session.side.look().await?;
            awaited.retain(|xid| !snapshot.sees(*xid));
            if awaited.is_empty() {
                break;
            }
            if late.take_if(|late| *late <= Instant::now()).is_some() {
                tracing::warn!("changes wait for a commit that is not visible yet");
            }
            sleep(AGAIN).await;
        }
        if !redefined.is_empty() {
            self.sink.redefined();
        }
        if !batch.is_empty() {
            self.sink.deliver(batch).await;
            self.state.send_modify(|state| state.changes += count);
        }
        Ok(())
    }
}
