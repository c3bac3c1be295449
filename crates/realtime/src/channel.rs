//! A channel that a socket has joined, and what is done there.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use passerelle_identity::Principal;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::changes::{Spec, Subscription, system};
use crate::errand::{self, Admitted, Caller, Refusal};
use crate::frame::{Body, Incoming, Payload};
use crate::join::{BindingConfig, Join, JoinConfig};
use crate::outlet::{Audience, Out};
use crate::presence::TrackError;
use crate::rights::Rights;
use crate::socket::{Later, Socket};
use crate::topic::{Broadcast, Member, Name, PREFIX, Said, Topic};

/// Bytes of a channel's name.
const LONGEST_NAME: usize = 255;
/// Bindings of one channel at most.
const BINDINGS: usize = 100;
/// Bytes of what somebody tracks: everybody who joins is sent all of it.
const PRESENCE: usize = 32 * 1024;
/// Whether a member of a channel is told who is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It does not listen.
    Unwanted,
    /// It would like to be.
    Wanted,
    Yes,
}

/// A channel that was joined.
pub(crate) struct Channel {
    pub(crate) topic: Arc<Topic>,
    pub(crate) join: u64,
    pub(crate) join_ref: Option<String>,
    rights: Rights,
    acknowledges: bool,
    key: String,
    /// The reference of what is tracked.
    tracked: Option<String>,
    presence: Told,
    pub(crate) follows_changes: bool,
    /// It waits for changes, or for messages from the database.
    pub(crate) is_subscribed: bool,
    pub(crate) session: Option<Uuid>,
    /// When the token expires, in seconds since 1970.
    pub(crate) expires: Option<i64>,
}

impl Channel {
    /// The payload of a `system` message.
    pub(crate) fn system(&self, status: &str, message: &str) -> String {
        system(&self.topic.path, "system", status, message)
    }
}

/// What a client says on a channel.
#[derive(Deserialize)]
struct Spoken {
    event: Option<String>,
    payload: Option<Box<RawValue>>,
}

pub(crate) fn expiry(principal: &Principal) -> Option<i64> {
    principal.claim("exp").and_then(Value::as_f64).map(|exp| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a moment beyond all time is as good as none"
        )]
        let seconds = exp as i64;
        seconds
    })
}

impl Socket {
    /// Somebody wants to join: what can be said at once, and what the database is asked.
    pub(crate) fn join(&mut self, incoming: Incoming) {
        match self.wanted(&incoming) {
            Ok((name, config, caller)) => {
                let shared = Arc::clone(&self.shared);
                self.errand = Some(errand::join(shared, incoming, name, config, caller));
            }
            Err(reason) => self.reply(&incoming, "error", &json!({ "reason": reason })),
        }
    }

    fn wanted(&mut self, incoming: &Incoming) -> Result<(Name, JoinConfig, Caller), String> {
        let name = incoming.topic.strip_prefix(PREFIX).unwrap_or_default();
        if name.is_empty() {
            return Err("unmatched topic".to_owned());
        }
        if name.len() > LONGEST_NAME {
            return Err("The name of the topic is too long".to_owned());
        }
        if !self.joins.take(Instant::now()) {
            return Err("ClientJoinRateLimitReached: Too many joins per second".to_owned());
        }
        let replaces = self.channels.contains_key(&incoming.topic);
        if !replaces && self.channels.len() >= self.settings.channels {
            return Err("ChannelRateLimitReached: Too many channels".to_owned());
        }
        let Payload::Json(payload) = &incoming.payload else {
            return Err("Invalid join payload".to_owned());
        };
        let join: Join = serde_json::from_str(payload.get())
            .map_err(|error| format!("Invalid join payload: {error}"))?;
        if join.config.postgres_changes.len() > BINDINGS {
            return Err(format!("Too many bindings: at most {BINDINGS}"));
        }
        if join.config.presence.key.len() > LONGEST_NAME {
            return Err("The key of the presence is too long".to_owned());
        }
        let name = Name {
            name: name.into(),
            is_private: join.config.private,
        };
        let token = join.access_token.filter(|token| !is_opaque(token));
        let caller = token.map_or_else(|| Caller::Known(self.principal.clone()), Caller::Token);
        Ok((name, join.config, caller))
    }

    /// Somebody may join, or not.
    pub(crate) fn joined(&mut self, incoming: &Incoming, admitted: Result<Box<Admitted>, Refusal>) {
        let done = match admitted {
            Ok(admitted) => self.let_in(incoming, *admitted),
            Err(refusal) => Err(refusal.reason),
        };
        if let Err(reason) = done {
            self.reply(incoming, "error", &json!({ "reason": reason }));
        }
    }

    fn let_in(&mut self, incoming: &Incoming, admitted: Admitted) -> Result<(), String> {
        let Admitted {
            config,
            principal,
            name,
            rights,
            specs,
            faults,
        } = admitted;
        if let Some(older) = self.channels.remove(&incoming.topic) {
            self.close(&older);
        }
        let member = Member {
            outlet: Arc::clone(&self.outlet),
            join: self.shared.next_join(),
            hears_itself: config.broadcast.own,
            sees_presence: false,
        };
        let join = member.join;
        let join_ref = incoming.join_ref.as_ref().or(incoming.msg_ref.as_ref());
        let waits_for_feed = config.broadcast.replication_ready;
        let mut channel = Channel {
            topic: self.shared.topics.join(&name, member),
            join,
            join_ref: join_ref.cloned(),
            rights,
            acknowledges: config.broadcast.ack,
            key: match config.presence.key.as_str() {
                "" => Uuid::new_v4().to_string(),
                key => key.to_owned(),
            },
            tracked: None,
            presence: match config.presence.enabled {
                Some(false) => Told::Unwanted,
                None | Some(true) => Told::Wanted,
            },
            follows_changes: !config.postgres_changes.is_empty(),
            is_subscribed: !specs.is_empty() || waits_for_feed,
            session: principal.session(),
            expires: expiry(&principal),
        };
        self.shared.metrics.channels.fetch_add(1, Ordering::Relaxed);
        self.shared.metrics.joins.fetch_add(1, Ordering::Relaxed);
        if let Some(session) = channel.session {
            self.shared.hold_session(session, self.outlet.id);
            // It may have ended before anybody knew that a channel rests on it.
            if self.has_ended(session) {
                self.leave(&channel);
                return Err("InvalidJWTToken: the session has ended".to_owned());
            }
        }
        let bindings: Vec<Value> = config.postgres_changes.iter().map(told).collect();
        let response = json!({ "postgres_changes": bindings });
        self.reply(incoming, "ok", &response);
        self.show_presence(&mut channel);
        self.shared.want_feed();
        for fault in faults {
            let payload = system(&incoming.topic, "postgres_changes", "error", &fault);
            self.push(&channel, "system", &payload);
        }
        if channel.is_subscribed {
            self.shared.subscriptions.add(Subscription {
                join,
                outlet: Arc::clone(&self.outlet),
                topic: incoming.topic.clone(),
                audience: Audience::of(&principal),
                specs,
                waits_for_feed,
            });
        }
        if let Some(replay) = config.broadcast.replay.filter(|_| name.is_private) {
            let (shared, topic) = (Arc::clone(&self.shared), incoming.topic.clone());
            self.errand = Some(errand::replay(shared, topic, join, replay));
            // What is said meanwhile comes after what was said before.
            self.later = Some(Later::of(join));
        }
        self.channels.insert(incoming.topic.clone(), channel);
        Ok(())
    }

    fn has_ended(&self, session: Uuid) -> bool {
        let ended = self.shared.ended.as_ref();
        ended.is_some_and(|ended| ended.has_ended(session))
    }

    /// What was said before is said again, and then what was said meanwhile.
    pub(crate) fn replayed(&mut self, topic: &str, join: u64, said: &[(String, Broadcast)]) {
        let later = self.later.take();
        let Some(channel) = self.channels.get(topic).filter(|one| one.join == join) else {
            return;
        };
        for (_, broadcast) in said {
            broadcast.send_to(&self.outlet, join, &channel.topic.path);
        }
        for out in later.unwrap_or_default().messages {
            // An id is in no other message.
            let is_told = |text: &str| said.iter().any(|(id, _)| text.contains(id.as_str()));
            if !matches!(&out, Out::Text(text) if is_told(text)) {
                self.outlet.send_for(join, out);
            }
        }
    }

    /// Tells a member of a channel who is present, and of changes from now on, if it wants to know and may.
    fn show_presence(&self, channel: &mut Channel) {
        if !channel.rights.sees_presence || channel.presence != Told::Wanted {
            return;
        }
        channel.presence = Told::Yes;
        let presences = channel.topic.presences.lock();
        let mut presences = presences.unwrap_or_else(PoisonError::into_inner);
        channel.topic.show_presence(channel.join, true);
        self.push(channel, "presence_state", &presences.told());
    }

    /// Something that a client wants on a channel.
    pub(crate) fn event(&mut self, channel: &mut Channel, incoming: &Incoming) {
        match incoming.event.as_str() {
            "access_token" => self.refresh(channel, incoming),
            "presence" => self.presence(channel, incoming),
            _ => self.say(channel, incoming),
        }
    }

    fn refresh(&mut self, channel: &Channel, incoming: &Incoming) {
        #[derive(Deserialize)]
        struct Given {
            access_token: Option<String>,
        }
        let Payload::Json(payload) = &incoming.payload else {
            return;
        };
        let given = serde_json::from_str::<Given>(payload.get()).ok();
        let token = given.and_then(|given| given.access_token);
        if let Some(token) = token.filter(|token| !token.is_empty() && !is_opaque(token)) {
            let (shared, topic) = (Arc::clone(&self.shared), incoming.topic.clone());
            let name = channel.topic.name.clone();
            self.errand = Some(errand::token(shared, topic, name, channel.join, token));
        }
    }

    /// A token is good for a channel, or not.
    pub(crate) fn refreshed(
        &mut self,
        topic: &str,
        join: u64,
        held: Result<(Principal, Rights), Refusal>,
    ) {
        let Some(mut channel) = self.channels.remove(topic) else {
            return;
        };
        if channel.join != join {
            self.channels.insert(topic.to_owned(), channel);
            return;
        }
        let taken = held.and_then(|(principal, rights)| {
            self.take_token(&mut channel, &principal, rights)
                .map_err(|reason| Refusal {
                    reason,
                    is_passing: false,
                })
        });
        match taken {
            Ok(()) => {
                self.channels.insert(topic.to_owned(), channel);
            }
            Err(refusal) => {
                let payload = channel.system("error", &refusal.reason);
                self.push(&channel, "system", &payload);
                if refusal.is_passing {
                    // The client joins anew, and shows the token then.
                    self.push(&channel, "phx_error", "{}");
                    self.leave(&channel);
                } else {
                    self.close(&channel);
                }
            }
        }
    }

    fn take_token(
        &self,
        channel: &mut Channel,
        principal: &Principal,
        rights: Rights,
    ) -> Result<(), String> {
        channel.rights = rights;
        channel.expires = expiry(principal);
        let session = principal.session();
        if session != channel.session {
            if let Some(before) = channel.session {
                self.shared.release_session(before, self.outlet.id);
            }
            channel.session = session;
            if let Some(session) = session {
                self.shared.hold_session(session, self.outlet.id);
                if self.has_ended(session) {
                    return Err("InvalidJWTToken: the session has ended".to_owned());
                }
            }
        }
        if !rights.is_present {
            self.untrack(channel);
            channel.tracked = None;
        }
        if !rights.sees_presence && channel.presence == Told::Yes {
            channel.presence = Told::Wanted;
            channel.topic.show_presence(channel.join, false);
        }
        self.show_presence(channel);
        if channel.is_subscribed {
            let audience = Audience::of(principal);
            self.shared
                .subscriptions
                .replace_audience(channel.join, audience);
        }
        Ok(())
    }

    /// A broadcast, in text or binary.
    fn say(&mut self, channel: &Channel, incoming: &Incoming) {
        let said = match &incoming.payload {
            Payload::Json(_) if incoming.event != "broadcast" => return,
            Payload::Json(payload) => {
                let spoken: Option<Spoken> = serde_json::from_str(payload.get()).ok();
                let Some(spoken) = spoken else { return };
                let json = spoken
                    .payload
                    .map_or("{}".to_owned(), |json| json.get().to_owned());
                (
                    spoken.event.unwrap_or_default(),
                    Said::Json(json),
                    String::new(),
                )
            }
            Payload::Broadcast {
                event,
                metadata,
                body,
            } => {
                let said = match body {
                    Body::Json(json) => Said::Json(json.get().to_owned()),
                    Body::Raw(bytes) => Said::Raw(bytes.clone()),
                };
                let meta = metadata.as_ref().map(|meta| meta.get().to_owned());
                (event.clone(), said, meta.unwrap_or_default())
            }
        };
        // Who may not say anything hears nothing, not even that.
        if !channel.rights.writes {
            return;
        }
        let (event, said, meta) = said;
        if event.len() > LONGEST_NAME {
            let reason = json!({ "reason": format!("An event has at most {LONGEST_NAME} bytes") });
            self.reply(incoming, "error", &reason);
            return;
        }
        let broadcast = Broadcast { event, said, meta };
        let told = channel.topic.broadcast(&broadcast, Some(channel.join));
        self.shared.metrics.delivered(told);
        self.shared.relay.say(&channel.topic.name, &broadcast);
        if channel.acknowledges {
            self.reply(incoming, "ok", &json!({}));
        }
    }

    fn presence(&mut self, channel: &mut Channel, incoming: &Incoming) {
        #[derive(Deserialize)]
        struct Wanted {
            event: Option<String>,
            payload: Option<Map<String, Value>>,
        }
        let Payload::Json(payload) = &incoming.payload else {
            return;
        };
        let wanted: Option<Wanted> = serde_json::from_str(payload.get()).ok();
        let Some(wanted) = wanted else {
            let reason = json!({ "reason": "A presence is an object" });
            self.reply(incoming, "error", &reason);
            return;
        };
        match wanted
            .event
            .as_deref()
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("track") if !channel.rights.is_present => {
                let reason = json!({ "reason": "Unauthorized: You do not have permissions to be present on this Channel" });
                self.reply(incoming, "error", &reason);
            }
            Some("track") if payload.get().len() > PRESENCE => {
                let reason =
                    json!({ "reason": format!("A presence has at most {PRESENCE} bytes") });
                self.reply(incoming, "error", &reason);
            }
            Some("track") => {
                if channel.presence == Told::Unwanted {
                    channel.presence = Told::Wanted;
                }
                self.show_presence(channel);
                match self.track(channel, wanted.payload.unwrap_or_default()) {
                    Ok(()) => self.reply(incoming, "ok", &json!({})),
                    Err(error) => {
                        let reason = json!({ "reason": error.to_string() });
                        self.reply(incoming, "error", &reason);
                    }
                }
            }
            Some("untrack") => {
                self.untrack(channel);
                channel.tracked = None;
                self.reply(incoming, "ok", &json!({}));
            }
            _ => {
                let reason = json!({ "reason": "Unknown presence event" });
                self.reply(incoming, "error", &reason);
            }
        }
    }

    fn track(&self, channel: &mut Channel, meta: Map<String, Value>) -> Result<(), TrackError> {
        let reference = Uuid::new_v4().simple().to_string();
        // Whoever joins is sent all presences at once, which must not fill the queue by themselves.
        let most = self.settings.queue_bytes / 2;
        let mut presences = channel
            .topic
            .presences
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = channel.tracked.as_deref();
        let diff = presences.track(&channel.key, before, &reference, meta, most)?;
        // In the order in which it happens.
        channel.topic.tell_presence(&diff);
        self.shared.relay.tell(&channel.topic.name, &diff);
        drop(presences);
        channel.tracked = Some(reference);
        Ok(())
    }

    /// What was tracked is no more.
    pub(crate) fn untrack(&self, channel: &Channel) {
        let Some(reference) = &channel.tracked else {
            return;
        };
        let mut presences = channel
            .topic
            .presences
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let diff = presences.untrack(&channel.key, reference);
        if !diff.is_empty() {
            channel.topic.tell_presence(&diff);
            self.shared.relay.tell(&channel.topic.name, &diff);
        }
    }
}

/// A binding as its client wants to hear it again.
fn told(binding: &BindingConfig) -> Value {
    let mut told = serde_json::Map::new();
    told.insert("id".to_owned(), Spec::id_of(binding).into());
    told.insert("event".to_owned(), binding.event.clone().into());
    told.insert("schema".to_owned(), binding.schema.clone().into());
    if let Some(table) = &binding.table {
        told.insert("table".to_owned(), table.clone().into());
    }
    if let Some(filter) = &binding.filter {
        told.insert("filter".to_owned(), filter.clone().into());
    }
    if let Some(select) = &binding.select {
        told.insert("select".to_owned(), select.clone().into());
    }
    Value::Object(told)
}

fn is_opaque(token: &str) -> bool {
    token.starts_with("sb_")
}
