//! One socket: it reads what a client sends, answers, and writes what waits for it.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix_ws::{
    AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Closed, Session,
};
use futures_util::StreamExt as _;
use passerelle_identity::Principal;
use serde_json::{Value, json};
use tokio::time::{sleep, sleep_until, timeout};

use crate::bucket::Bucket;
use crate::channel::Channel;
use crate::errand::{Errand, Outcome};
use crate::frame::{Incoming, Version, read_binary};
use crate::outlet::{ForJoin, Inlet, Out, Outlet};
use crate::settings::RealtimeSettings;
use crate::state::Shared;

/// Frames that are written before something is read again.
const AT_ONCE: usize = 64;
/// Messages of a client that wait for the database before no more are read.
const HELD: usize = 64;
/// How long a client may take to be told why it is left.
const FAREWELL: Duration = Duration::from_secs(1);

/// A client, as long as it is there.
pub(crate) struct Socket {
    pub(crate) shared: Arc<Shared>,
    pub(crate) settings: Arc<RealtimeSettings>,
    pub(crate) outlet: Arc<Outlet>,
    /// Who it is without a token of its own.
    pub(crate) principal: Principal,
    /// By topic, as the client writes it.
    pub(crate) channels: HashMap<String, Channel>,
    pub(crate) joins: Bucket,
    messages: Bucket,
    /// In bytes.
    volume: Bucket,
    /// What the database is asked at the moment.
    pub(crate) errand: Option<Errand>,
    /// What the client has said since, which waits for it.
    held: VecDeque<(Incoming, usize)>,
    /// Bytes of it.
    held_bytes: usize,
    /// What a join is told after what was said before.
    pub(crate) later: Option<Later>,
    /// When the next token of a channel expires.
    expiry: Option<Instant>,
}

/// What a join is told later.
#[derive(Default)]
pub(crate) struct Later {
    pub(crate) join: u64,
    pub(crate) messages: Vec<Out>,
    bytes: usize,
}

impl Later {
    pub(crate) fn of(join: u64) -> Self {
        Self {
            join,
            ..Self::default()
        }
    }
}

/// What has come of what is under way.
async fn outcome(errand: &mut Option<Errand>) -> Outcome {
    match errand {
        Some(errand) => errand.await,
        None => std::future::pending().await,
    }
}

/// Why a socket ends.
enum End {
    /// The client has gone.
    Gone,
    /// The client is told why.
    Close(CloseCode, &'static str),
}

impl Socket {
    pub(crate) fn new(
        shared: Arc<Shared>,
        settings: Arc<RealtimeSettings>,
        outlet: Arc<Outlet>,
        principal: Principal,
    ) -> Self {
        let now = Instant::now();
        Self {
            joins: Bucket::new(settings.joins, now),
            messages: Bucket::new(settings.messages, now),
            volume: Bucket::new(settings.bytes, now),
            shared,
            settings,
            outlet,
            principal,
            channels: HashMap::new(),
            errand: None,
            held: VecDeque::new(),
            held_bytes: 0,
            later: None,
            expiry: None,
        }
    }

    /// Serves it to its end.
    pub(crate) async fn run(
        mut self,
        mut session: Session,
        mut stream: AggregatedMessageStream,
        mut inlet: Inlet,
    ) {
        self.shared.add_socket(&self.outlet);
        let end = self.serve(&mut session, &mut stream, &mut inlet).await;
        for channel in std::mem::take(&mut self.channels).into_values() {
            self.leave(&channel);
        }
        self.shared.remove_socket(&self.outlet);
        if let End::Close(code, reason) = end {
            let reason = CloseReason {
                code,
                description: Some(reason.to_owned()),
            };
            let _gone = timeout(FAREWELL, session.close(Some(reason))).await;
        }
    }

    async fn serve(
        &mut self,
        session: &mut Session,
        stream: &mut AggregatedMessageStream,
        inlet: &mut Inlet,
    ) -> End {
        let outlet = Arc::clone(&self.outlet);
        let mut heard = Instant::now();
        loop {
            let silent = heard + self.settings.silence;
            self.expiry = self.next_expiry();
            let wake = self.expiry.map_or(silent, |expiry| expiry.min(silent));
            tokio::select! {
                out = inlet.next() => {
                    let Some(out) = out else { return End::Gone };
                    if let Err(end) = self.write(session, out).await {
                        return end;
                    }
                    for _ in 0..AT_ONCE {
                        let Some(out) = inlet.next_if_there() else { break };
                        if let Err(end) = self.write(session, out).await {
                            return end;
                        }
                    }
                }
                message = stream.next(), if self.takes_more() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(message)) => {
                            if let Some(end) = self.take(session, message).await {
                                return end;
                            }
                        }
                        Some(Err(_)) => {
                            return End::Close(CloseCode::Size, "The message is malformed or too long");
                        }
                        None => return End::Gone,
                    }
                }
                outcome = outcome(&mut self.errand) => self.settle(outcome),
                () = outlet.session_ended() => self.end_sessions(),
                () = outlet.lost() => return self.slow(),
                () = sleep_until(wake.into()) => {
                    if Instant::now() >= silent {
                        return End::Close(CloseCode::Normal, "The client is silent");
                    }
                    self.expire();
                }
            }
        }
    }

    async fn write(&mut self, session: &mut Session, (join, out): ForJoin) -> Result<(), End> {
        // Writing the one before may have taken long.
        self.end_sessions();
        if self.expiry.is_some_and(|expiry| expiry <= Instant::now()) {
            self.expire();
            self.expiry = self.next_expiry();
        }
        if join != 0 && self.channels.values().all(|channel| channel.join != join) {
            return Ok(());
        }
        if let Some(later) = self.later.as_mut().filter(|later| later.join == join) {
            later.bytes += out.bytes();
            later.messages.push(out);
            let is_too_much = later.bytes > self.settings.queue_bytes
                || later.messages.len() > self.settings.queue_messages;
            return if is_too_much {
                Err(self.slow())
            } else {
                Ok(())
            };
        }
        match out {
            Out::Text(text) => self.put(session.text(text)).await,
            Out::Binary(bytes) => self.put(session.binary(bytes)).await,
            Out::Missed => {
                self.tell_missed();
                Ok(())
            }
            Out::GoAway => Err(End::Close(CloseCode::Restart, "The server restarts")),
        }
    }

    /// Hands a frame to the connection, as long as somebody takes what is there.
    async fn put(&self, frame: impl Future<Output = Result<(), Closed>>) -> Result<(), End> {
        tokio::select! {
            biased;
            written = frame => return written.map_err(|_| End::Gone),
            () = self.outlet.lost() => {}
            () = sleep(self.settings.silence) => {}
        }
        Err(self.slow())
    }

    fn slow(&self) -> End {
        self.shared.metrics.slow();
        End::Close(CloseCode::Policy, "The client reads too slowly")
    }

    async fn take(&mut self, session: &mut Session, message: AggregatedMessage) -> Option<End> {
        let (read, length) = match message {
            AggregatedMessage::Text(text) => (self.outlet.version.read(&text), text.len()),
            AggregatedMessage::Binary(bytes) if self.outlet.version == Version::V2 => {
                let length = bytes.len();
                (read_binary(bytes), length)
            }
            AggregatedMessage::Ping(bytes) => {
                if let Some(end) = self.count(bytes.len()) {
                    return Some(end);
                }
                return self.put(session.pong(&bytes)).await.err();
            }
            // Version 1 has no binary frames.
            AggregatedMessage::Binary(bytes) | AggregatedMessage::Pong(bytes) => {
                return self.count(bytes.len());
            }
            AggregatedMessage::Close(_) => return Some(End::Close(CloseCode::Normal, "")),
        };
        self.shared.metrics.received();
        if let Some(end) = self.count(length) {
            return Some(end);
        }
        // What is no frame is passed over, as what comes with an event that nobody knows.
        if let Ok(incoming) = read {
            self.handle(incoming, length);
        }
        None
    }

    /// Counts a message of the client; whether that is one too many.
    fn count(&mut self, length: usize) -> Option<End> {
        let now = Instant::now();
        if !self.messages.take(now) {
            let reason = "Too many messages per second";
            return Some(End::Close(CloseCode::Policy, reason));
        }
        let bytes = u32::try_from(length).unwrap_or(u32::MAX);
        (!self.volume.take_many(bytes, now))
            .then_some(End::Close(CloseCode::Policy, "Too many bytes per second"))
    }

    /// Whether there is room for what a client says while the database is asked.
    fn takes_more(&self) -> bool {
        self.held.len() < HELD && self.held_bytes <= self.settings.payload_bytes
    }

    fn handle(&mut self, incoming: Incoming, length: usize) {
        if incoming.topic == "phoenix" {
            if incoming.event == "heartbeat" {
                self.reply(&incoming, "ok", &json!({}));
            }
        } else if self.errand.is_some() {
            self.held_bytes += length;
            self.held.push_back((incoming, length));
        } else {
            self.dispatch(incoming);
        }
    }

    fn dispatch(&mut self, incoming: Incoming) {
        if incoming.event == "phx_join" {
            self.join(incoming);
            return;
        }
        let Some(mut channel) = self.channels.remove(&incoming.topic) else {
            let reason = json!({ "reason": "unmatched topic" });
            self.reply(&incoming, "error", &reason);
            return;
        };
        if incoming.event == "phx_leave" {
            self.reply(&incoming, "ok", &json!({}));
            self.close(&channel);
            return;
        }
        self.event(&mut channel, &incoming);
        self.channels.insert(incoming.topic, channel);
    }

    /// The database has answered: what has waited for it goes on.
    fn settle(&mut self, outcome: Outcome) {
        self.errand = None;
        match outcome {
            Outcome::Join { incoming, admitted } => self.joined(&incoming, admitted),
            Outcome::Token { topic, join, held } => self.refreshed(&topic, join, held),
            Outcome::Replay { topic, join, said } => self.replayed(&topic, join, &said),
        }
        while self.errand.is_none() {
            let Some((incoming, length)) = self.held.pop_front() else {
                return;
            };
            self.held_bytes -= length;
            self.dispatch(incoming);
        }
    }

    /// Answers a message.
    pub(crate) fn reply(&self, to: &Incoming, status: &str, response: &Value) {
        let payload = json!({ "status": status, "response": response }).to_string();
        let (join_ref, msg_ref) = (to.join_ref.as_deref(), to.msg_ref.as_deref());
        self.outlet.text(self.outlet.version.write(
            join_ref,
            msg_ref,
            &to.topic,
            "phx_reply",
            &payload,
        ));
    }

    /// Tells the client something on a channel.
    pub(crate) fn push(&self, channel: &Channel, event: &str, payload: &str) {
        let topic = &channel.topic.path;
        self.outlet
            .text(self.outlet.version.write(None, None, topic, event, payload));
    }

    /// Leaves a channel and says so.
    pub(crate) fn close(&self, channel: &Channel) {
        self.leave(channel);
        let (join_ref, topic) = (channel.join_ref.as_deref(), &channel.topic.path);
        let frame = self
            .outlet
            .version
            .write(join_ref, join_ref, topic, "phx_close", "{}");
        self.outlet.text(frame);
    }

    /// When a channel's token expires next.
    fn next_expiry(&self) -> Option<Instant> {
        let first = self
            .channels
            .values()
            .filter_map(|channel| channel.expires)
            .min()?;
        let left = first - (self.shared.clock)().seconds();
        Some(Instant::now() + Duration::from_secs(left.max(0).unsigned_abs()))
    }

    fn expire(&mut self) {
        let now = (self.shared.clock)().seconds();
        let is_over = |channel: &Channel| channel.expires.is_some_and(|expires| expires <= now);
        self.close_where(is_over, "Token has expired");
    }

    fn end_sessions(&mut self) {
        let ended = self.outlet.ended_sessions();
        if !ended.is_empty() {
            let is_of = |channel: &Channel| {
                channel
                    .session
                    .is_some_and(|session| ended.contains(&session))
            };
            self.close_where(is_of, "The session has ended");
        }
    }

    fn close_where(&mut self, is_over: impl Fn(&Channel) -> bool, reason: &str) {
        let over: Vec<String> = self
            .channels
            .iter()
            .filter(|(_, channel)| is_over(channel))
            .map(|(topic, _)| topic.clone())
            .collect();
        for topic in over {
            if let Some(channel) = self.channels.remove(&topic) {
                self.push(&channel, "system", &channel.system("error", reason));
                self.close(&channel);
            }
        }
    }

    /// Channels that follow changes of rows are to be joined anew.
    fn tell_missed(&mut self) {
        let topics: Vec<String> = self
            .channels
            .iter()
            .filter(|(_, channel)| channel.follows_changes)
            .map(|(topic, _)| topic.clone())
            .collect();
        for topic in topics {
            if let Some(channel) = self.channels.remove(&topic) {
                self.push(&channel, "system", &crate::changes::missed(&topic));
                self.push(&channel, "phx_error", "{}");
                self.leave(&channel);
            }
        }
    }

    /// Takes a client out of a channel.
    pub(crate) fn leave(&self, channel: &Channel) {
        if channel.is_subscribed {
            self.shared.subscriptions.remove(channel.join);
        }
        self.untrack(channel);
        if let Some(session) = channel.session {
            self.shared.release_session(session, self.outlet.id);
        }
        self.shared.topics.leave(&channel.topic, channel.join);
        self.shared.metrics.channels.fetch_sub(1, Ordering::Relaxed);
    }
}
