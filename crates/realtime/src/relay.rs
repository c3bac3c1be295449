//! What gateways tell one another: what is said on channels, and who is present where.
//!
//! Presences are told as they change. A gateway that may have missed something asks for an account of all, which has a
//! number, so that what is not in it is gone. One that is not heard for a while is taken for dead, and those present there are gone.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use passerelle_store::{Bus, BusEvent, Store, Subscription};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::presence::{Diff, Entries};
use crate::state::Shared;
use crate::topic::{Broadcast, Name, Said};

const CHANNEL: &str = "realtime";
/// How often a gateway says that it is there.
const BEAT: Duration = Duration::from_secs(2);
/// One that is not heard for so long is gone.
const GONE: Duration = Duration::from_secs(7);
/// Messages that wait to be sent.
const WAITING: usize = 8192;
/// Entries of presences that are told at a time.
const PART: usize = 200;

/// A message between gateways.
#[derive(Debug, Deserialize, Serialize)]
struct Letter {
    /// Who sends it.
    g: u64,
    what: What,
}

#[derive(Debug, Deserialize, Serialize)]
enum What {
    /// Something is said on a channel.
    Say {
        t: String,
        p: bool,
        e: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        json: Option<Box<RawValue>>,
        /// Base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        raw: Option<String>,
        #[serde(default)]
        m: String,
    },
    /// Presences have changed.
    Diff {
        t: String,
        p: bool,
        d: Diff,
    },
    /// All presences of a channel, as part of an account.
    State {
        t: String,
        p: bool,
        n: u64,
        s: Entries,
    },
    /// The account of this number is complete.
    End {
        n: u64,
    },
    /// Somebody wants to know who is present.
    Hello,
    Beat,
    Bye,
}

/// Sends messages to other gateways, in order and without waiting.
#[derive(Debug)]
pub(crate) struct Relay {
    gateway: u64,
    letters: mpsc::Sender<(Bytes, Option<oneshot::Sender<()>>)>,
}

/// What comes from others.
pub(crate) struct Incoming {
    subscription: Subscription,
}

impl Relay {
    pub(crate) async fn start(store: &Store, gateway: u64) -> (Self, Incoming) {
        let bus = store.bus();
        let subscription = bus.subscribe(CHANNEL).await;
        let (letters, waiting) = mpsc::channel(WAITING);
        tokio::spawn(publish(bus, waiting));
        let relay = Self { gateway, letters };
        relay.send(What::Hello);
        (relay, Incoming { subscription })
    }

    fn send(&self, what: What) {
        self.post(what, None);
    }

    fn post(&self, what: What, done: Option<oneshot::Sender<()>>) {
        let letter = Letter {
            g: self.gateway,
            what,
        };
        match serde_json::to_vec(&letter) {
            Ok(bytes) => {
                if self.letters.try_send((bytes.into(), done)).is_err() {
                    tracing::warn!("other gateways are not told: too much waits to be sent");
                }
            }
            Err(error) => tracing::error!(%error, "a message to other gateways cannot be written"),
        }
    }

    /// Something is said on a channel.
    pub(crate) fn say(&self, name: &Name, broadcast: &Broadcast) {
        let (json, raw) = match &broadcast.said {
            Said::Json(json) => (RawValue::from_string(json.clone()).ok(), None),
            Said::Raw(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        self.send(What::Say {
            t: name.name.to_string(),
            p: name.is_private,
            e: broadcast.event.clone(),
            json,
            raw,
            m: broadcast.meta.clone(),
        });
    }

    /// Presences have changed here.
    pub(crate) fn tell(&self, name: &Name, diff: &Diff) {
        self.send(What::Diff {
            t: name.name.to_string(),
            p: name.is_private,
            d: diff.clone(),
        });
    }

    /// This gateway is gone now.
    pub(crate) async fn say_goodbye(&self) {
        let (done, sent) = oneshot::channel();
        self.post(What::Bye, Some(done));
        let _late = timeout(Duration::from_secs(1), sent).await;
    }
}

async fn publish(bus: Bus, mut letters: mpsc::Receiver<(Bytes, Option<oneshot::Sender<()>>)>) {
    while let Some((letter, done)) = letters.recv().await {
        if let Err(error) = bus.publish(CHANNEL, letter).await {
            tracing::debug!(%error, "other gateways are not told");
        }
        if let Some(done) = done {
            let _nobody = done.send(());
        }
    }
}

/// Takes what other gateways say.
pub(crate) async fn listen(shared: Arc<Shared>, mut incoming: Incoming) {
    let mut heard: HashMap<u64, Instant> = HashMap::new();
    let mut number = 0;
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            event = incoming.subscription.next() => event,
            _ = beats.tick() => {
                shared.relay.send(What::Beat);
                let now = Instant::now();
                let gone: Vec<u64> = heard
                    .iter()
                    .filter(|(_, last)| now.duration_since(**last) > GONE)
                    .map(|(gateway, _)| *gateway)
                    .collect();
                for gateway in gone {
                    heard.remove(&gateway);
                    shared.forget_gateway(gateway);
                }
                continue;
            }
        };
        let message = match event {
            BusEvent::Message(message) => message,
            BusEvent::Gap => {
                shared.relay.send(What::Hello);
                continue;
            }
            BusEvent::Lost => continue,
        };
        let Ok(Letter { g, what }) = serde_json::from_slice::<Letter>(&message.payload) else {
            continue;
        };
        if g == shared.gateway {
            continue;
        }
        heard.insert(g, Instant::now());
        match what {
            What::Beat => {}
            What::Bye => {
                heard.remove(&g);
                shared.forget_gateway(g);
            }
            What::Hello => {
                number += 1;
                shared.give_account(number);
            }
            What::Say {
                t,
                p,
                e,
                json,
                raw,
                m,
            } => {
                let said = match (json, raw) {
                    (Some(json), _) => Said::Json(json.get().to_owned()),
                    (None, Some(raw)) => Said::Raw(STANDARD.decode(raw).unwrap_or_default().into()),
                    (None, None) => continue,
                };
                let broadcast = Broadcast {
                    event: e,
                    said,
                    meta: m,
                };
                if let Some(topic) = shared.topics.find(&name(t, p)) {
                    let told = topic.broadcast(&broadcast, None);
                    shared.metrics.delivered(told);
                }
            }
            What::Diff { t, p, d } => shared.merge(&name(t, p), |presences| presences.merge(g, &d)),
            What::State { t, p, n, s } => {
                shared.merge(&name(t, p), |presences| presences.replace(g, n, &s));
            }
            What::End { n } => {
                for topic in shared.topics.all() {
                    shared.merge(&topic.name, |presences| presences.expire(g, n));
                }
            }
        }
    }
}

fn name(name: String, is_private: bool) -> Name {
    Name {
        name: name.into(),
        is_private,
    }
}

impl Shared {
    /// What another gateway says of presences changes those of a channel, and members are told.
    fn merge(&self, name: &Name, change: impl FnOnce(&mut crate::presence::Presences) -> Diff) {
        let topic = self.topics.open(name);
        let diff = {
            let mut presences = topic
                .presences
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let diff = change(&mut presences);
            // In the order in which it happens.
            if !diff.is_empty() {
                topic.tell_presence(&diff);
            }
            diff
        };
        if diff.joins.is_empty() {
            self.topics.close_if_empty(&topic);
        }
    }

    fn forget_gateway(&self, gateway: u64) {
        for topic in self.topics.all() {
            self.merge(&topic.name, |presences| presences.forget(gateway));
        }
    }

    /// Tells all presences of this gateway.
    fn give_account(&self, number: u64) {
        for topic in self.topics.all() {
            let own = {
                let presences = topic
                    .presences
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                presences.own().clone()
            };
            if own.is_empty() {
                continue;
            }
            let (t, p) = (topic.name.name.to_string(), topic.name.is_private);
            let mut parts: Vec<Entries> = vec![Entries::new()];
            for (key, metas) in own {
                if parts.last().is_some_and(|part| part.len() >= PART) {
                    parts.push(Entries::new());
                }
                if let Some(part) = parts.last_mut() {
                    part.insert(key, metas);
                }
            }
            let mut parts = parts.into_iter();
            let first = parts.next().unwrap_or_default();
            self.relay.send(What::State {
                t: t.clone(),
                p,
                n: number,
                s: first,
            });
            for joins in parts {
                let d = Diff {
                    joins,
                    leaves: Entries::new(),
                };
                self.relay.send(What::Diff { t: t.clone(), p, d });
            }
        }
        self.relay.send(What::End { n: number });
    }
}
