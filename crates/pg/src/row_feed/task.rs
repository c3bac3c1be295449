//! The task that follows: it takes what the stream delivers and hands it on, as much at a time as there is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_wire::{Endpoint, ReplicationMessage};
use tokio::sync::watch;
use tokio::time::sleep;

use super::decode::{Decoder, Mark, RowChange, Step};
use super::session::{Failure, Session, SlotName};
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
        let mut has_slot = false;
        loop {
            let begun = Session::begin(&self.endpoint, &self.slot, has_slot).await;
            let failure = match begun {
                Ok(session) => {
                    backoff.reset();
                    let missed = has_slot && session.is_new;
                    if session.is_new {
                        decoder.forget();
                    }
                    has_slot = true;
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
        loop {
            let mut delivered = decoder.mark();
            let round = self.round(&mut session, decoder, &mut delivered).await;
            if let Err(failure) = round {
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
        delivered: &mut Mark,
    ) -> Result<(), Failure> {
        let mut batch = Vec::new();
        let mut done = None;
        let mut beat = tokio::time::interval(BEAT);
        beat.tick().await;
        loop {
            let message = if batch.is_empty() && done.is_none() {
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
                    Step::Redefined => self.sink.redefined(),
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
        if !batch.is_empty() {
            self.hand_on(session, batch).await?;
        }
        *delivered = decoder.mark();
        if let Some(position) = done {
            session.stream.confirm(position, false).await?;
        }
        Ok(())
    }

    async fn hand_on(&self, session: &Session, batch: Vec<RowChange>) -> Result<(), Failure> {
        let count = batch.len() as u64;
        // A commit is decoded as soon as it is written, and policies are to see what it has written.
        let began = Instant::now();
        loop {
            let snapshot = session.side.look().await?;
            if batch.iter().all(|change| snapshot.sees(change.xid)) {
                break;
            }
            if began.elapsed() > BEAT {
                tracing::warn!("a commit is not visible yet; its changes are told all the same");
                break;
            }
            sleep(AGAIN).await;
        }
        self.sink.deliver(batch).await;
        self.state.send_modify(|state| state.changes += count);
        Ok(())
    }
}
