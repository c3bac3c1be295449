//! A channel that a socket has joined, and what is done there.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use passerelle_identity::Principal;
use passerelle_pg::chain;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::changes::{Spec, Subscription, system};
use crate::frame::{Body, Incoming, Payload};
use crate::join::{BindingConfig, Join, JoinConfig, Replay};
use crate::outlet::Audience;
use crate::presence::Meta;
use crate::rights::Rights;
use crate::socket::Socket;
use crate::topic::{Broadcast, Member, Name, PREFIX, Said, Topic};

/// Bytes of a channel's name.
const LONGEST_NAME: usize = 255;
/// Bindings of one channel at most.
const BINDINGS: usize = 100;
/// Bytes of what somebody tracks: everybody who joins is sent all of it.
const PRESENCE: usize = 32 * 1024;
/// Messages that are said again at most.
const REPLAYED: i32 = 25;
const REPLAY: &str = "select id::text, event, payload \
    from passerelle.old_messages($1, (to_timestamp($2::text::float8) at time zone 'UTC')::timestamp, $3)";

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
    pub(crate) follows_changes: bool,
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

/// Somebody who may join.
struct Admitted {
    config: JoinConfig,
    principal: Principal,
    name: Name,
    rights: Rights,
}

/// What a client says on a channel.
#[derive(Deserialize)]
struct Spoken {
    event: Option<String>,
    payload: Option<Box<RawValue>>,
}

fn expiry(principal: &Principal) -> Option<i64> {
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
    pub(crate) async fn join(&mut self, incoming: Incoming) {
        match self.try_join(&incoming).await {
            Ok(()) => {}
            Err(reason) => self.reply(&incoming, "error", &json!({ "reason": reason })),
        }
    }

    async fn try_join(&mut self, incoming: &Incoming) -> Result<(), String> {
        let admitted = self.admit(incoming).await?;
        let Admitted {
            config,
            principal,
            name,
            rights,
        } = admitted;
        if let Some(older) = self.channels.remove(&incoming.topic) {
            self.close(&older);
        }
        let (specs, faults) = self.specs(&config.postgres_changes, &principal).await;
        let member = Member {
            outlet: Arc::clone(&self.outlet),
            join: self.shared.next_join(),
            hears_itself: config.broadcast.own,
            sees_presence: config.presence.enabled.unwrap_or(true) && rights.sees_presence,
        };
        let (join, sees_presence) = (member.join, member.sees_presence);
        let join_ref = incoming.join_ref.as_ref().or(incoming.msg_ref.as_ref());
        let channel = Channel {
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
            follows_changes: !config.postgres_changes.is_empty(),
            session: principal.session(),
            expires: expiry(&principal),
        };
        self.shared.metrics.channels.fetch_add(1, Ordering::Relaxed);
        self.shared.metrics.joins.fetch_add(1, Ordering::Relaxed);
        if let Some(session) = channel.session {
            self.shared.hold_session(session, self.outlet.id);
            // It may have ended before anybody knew that a channel rests on it.
            let ended = self.shared.ended.as_ref();
            if ended.is_some_and(|ended| ended.has_ended(session)) {
                self.leave(&channel);
                return Err("InvalidJWTToken: the session has ended".to_owned());
            }
        }
        let bindings: Vec<Value> = config.postgres_changes.iter().map(told).collect();
        let response = json!({ "postgres_changes": bindings });
        self.reply(incoming, "ok", &response);
        if sees_presence {
            let presences = channel.topic.presences.lock();
            let state = presences.unwrap_or_else(PoisonError::into_inner).told();
            self.push(&channel, "presence_state", &state);
        }
        self.shared.want_feed();
        for fault in faults {
            let payload = system(&incoming.topic, "postgres_changes", "error", &fault);
            self.push(&channel, "system", &payload);
        }
        if !specs.is_empty() {
            self.shared.subscriptions.add(Subscription {
                join,
                outlet: Arc::clone(&self.outlet),
                topic: incoming.topic.clone(),
                audience: Audience::of(&principal),
                specs,
            });
        }
        if config.broadcast.replication_ready {
            let payload = channel.system("ok", "Replication connection established");
            self.push(&channel, "system", &payload);
        }
        if let Some(replay) = config.broadcast.replay.filter(|_| name.is_private) {
            self.replay(&channel, replay).await;
        }
        self.channels.insert(incoming.topic.clone(), channel);
        Ok(())
    }

    /// Whether somebody may join, and as whom.
    async fn admit(&mut self, incoming: &Incoming) -> Result<Admitted, String> {
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
        let token = join.access_token.filter(|token| !is_opaque(token));
        let principal = self.caller(token.as_deref()).await?;
        let name = Name {
            name: name.into(),
            is_private: join.config.private,
        };
        let rights = self.rights_of(&principal, &name).await?;
        Ok(Admitted {
            config: join.config,
            principal,
            name,
            rights,
        })
    }

    /// Who joins: by a token of their own, or as whoever opened the socket.
    async fn caller(&self, token: Option<&str>) -> Result<Principal, String> {
        let principal = match token {
            None => self.principal.clone(),
            Some(token) => {
                let verified = self.shared.verify(token);
                verified.map_err(|error| format!("InvalidJWTToken: {error}"))?
            }
        };
        let now = (self.shared.clock)().seconds();
        if expiry(&principal).is_some_and(|expires| expires <= now) {
            return Err("InvalidJWTToken: Token has expired".to_owned());
        }
        if let (Some(ended), Some(session)) = (&self.shared.ended, principal.session()) {
            let checked = ended.check(session).await;
            checked.map_err(|error| format!("InvalidJWTToken: {error}"))?;
        }
        Ok(principal)
    }

    async fn rights_of(&self, principal: &Principal, name: &Name) -> Result<Rights, String> {
        let rights = self.shared.rights(principal, name).await.map_err(|error| {
            let error = chain(&error);
            tracing::warn!(error, "it cannot be told who may read from a channel");
            "It cannot be told whether you may read from this Channel".to_owned()
        })?;
        if !rights.reads {
            return Err(format!(
                "Unauthorized: You do not have permissions to read from this Channel topic: {}",
                name.name
            ));
        }
        Ok(rights)
    }

    /// What is wanted of changes, and what is wrong with the rest.
    async fn specs(
        &self,
        wanted: &[BindingConfig],
        principal: &Principal,
    ) -> (Vec<Arc<Spec>>, Vec<String>) {
        let (mut specs, mut faults) = (Vec::new(), Vec::new());
        let role = Audience::of(principal).role;
        for binding in wanted {
            match self.shared.spec(binding, &role).await {
                Ok(spec) => specs.push(Arc::new(spec)),
                Err(fault) => faults.push(fault),
            }
        }
        (specs, faults)
    }

    async fn replay(&self, channel: &Channel, replay: Replay) {
        let most = replay.limit.unwrap_or(REPLAYED).clamp(1, REPLAYED);
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds of this age are exact"
        )]
        let since = (replay.since as f64 / 1000.0).to_string();
        let name: &str = &channel.topic.name.name;
        let found = self.shared.rules.ask(REPLAY, &[&name, &since, &most]).await;
        let Ok(rows) = found else {
            return;
        };
        for row in rows {
            let text = |column: usize| row.try_get::<_, String>(column).unwrap_or_default();
            let broadcast = Broadcast {
                event: text(1),
                said: Said::Json(text(2)),
                meta: json!({ "id": text(0), "replayed": true }).to_string(),
            };
            broadcast.send_to(&self.outlet, &channel.topic.path);
        }
    }

    /// Something that a client wants on a channel; whether the channel stays open.
    pub(crate) async fn event(&mut self, channel: &mut Channel, incoming: Incoming) -> bool {
        match incoming.event.as_str() {
            "access_token" => return self.refresh(channel, &incoming).await,
            "presence" => self.presence(channel, &incoming),
            _ => self.say(channel, &incoming),
        }
        true
    }

    async fn refresh(&mut self, channel: &mut Channel, incoming: &Incoming) -> bool {
        #[derive(Deserialize)]
        struct Given {
            access_token: Option<String>,
        }
        let Payload::Json(payload) = &incoming.payload else {
            return true;
        };
        let given = serde_json::from_str::<Given>(payload.get()).ok();
        let token = given.and_then(|given| given.access_token);
        let Some(token) = token.filter(|token| !token.is_empty() && !is_opaque(token)) else {
            return true;
        };
        let name = channel.topic.name.clone();
        let refreshed = async {
            let principal = self.caller(Some(&token)).await?;
            let rights = self.rights_of(&principal, &name).await?;
            Ok::<_, String>((principal, rights))
        };
        match refreshed.await {
            Ok((principal, rights)) => {
                channel.rights = rights;
                if !rights.sees_presence {
                    channel.topic.show_presence(channel.join, false);
                }
                channel.expires = expiry(&principal);
                let session = principal.session();
                if session != channel.session {
                    if let Some(before) = channel.session {
                        self.shared.release_session(before, self.outlet.id);
                    }
                    if let Some(session) = session {
                        self.shared.hold_session(session, self.outlet.id);
                    }
                    channel.session = session;
                }
                if channel.follows_changes {
                    let audience = Audience::of(&principal);
                    self.shared
                        .subscriptions
                        .replace_audience(channel.join, audience);
                }
                true
            }
            Err(reason) => {
                self.push(channel, "system", &channel.system("error", &reason));
                false
            }
        }
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
            Payload::Broadcast { metadata, body } => {
                let said = match body {
                    Body::Json(json) => Said::Json(json.get().to_owned()),
                    Body::Raw(bytes) => Said::Raw(bytes.clone()),
                };
                let meta = metadata.as_ref().map(|meta| meta.get().to_owned());
                (incoming.event.clone(), said, meta.unwrap_or_default())
            }
        };
        // Who may not say anything hears nothing, not even that.
        if !channel.rights.writes {
            return;
        }
        let (event, said, meta) = said;
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
            payload: Option<Meta>,
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
                if channel.rights.sees_presence {
                    channel.topic.show_presence(channel.join, true);
                }
                self.track(channel, wanted.payload.unwrap_or_default());
                self.reply(incoming, "ok", &json!({}));
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

    fn track(&self, channel: &mut Channel, meta: Meta) {
        let reference = Uuid::new_v4().simple().to_string();
        let mut presences = channel
            .topic
            .presences
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = channel.tracked.as_deref();
        let diff = presences.track(&channel.key, before, &reference, meta);
        // In the order in which it happens.
        channel.topic.tell_presence(&diff);
        self.shared.relay.tell(&channel.topic.name, &diff);
        drop(presences);
        channel.tracked = Some(reference);
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
