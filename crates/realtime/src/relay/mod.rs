//! What gateways tell one another: what is said on channels, and who is present where.
//!
//! Presences are told as they change, by numbered letters. A gateway that has missed one asks whose it was for an account of all,
//! until one has come complete; then what is not in it is gone. One that is not heard for a while is taken for dead, and those
//! present there are gone.

mod account;
mod letter;
mod listener;
mod peers;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use passerelle_store::{Bus, BusEvent, Store, Subscription};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::account::give_accounts;
use self::letter::{Letter, What};
use self::listener::Listener;
use self::peers::BEAT;
use crate::presence::Diff;
use crate::state::Shared;
use crate::topic::{Broadcast, Name, Said};

const CHANNEL: &str = "realtime";
/// Messages that wait to be sent.
const WAITING: usize = 8192;

/// Sends messages to other gateways, in order and without waiting.
#[derive(Debug)]
pub(crate) struct Relay {
    gateway: u64,
    letters: mpsc::Sender<Sealed>,
    outbox: Mutex<Outbox>,
    /// Somebody wants an account of this gateway.
    asked: Notify,
}

/// What letters are numbered by, in the order in which they are sent.
#[derive(Debug, Default)]
struct Outbox {
    number: u64,
    has_said_goodbye: bool,
}

/// A letter that waits to be sent.
#[derive(Debug)]
struct Sealed {
    letter: Letter<Box<RawValue>>,
    /// Whether it was.
    sent: Option<oneshot::Sender<bool>>,
}

/// What comes from others.
pub(crate) struct Incoming {
    subscription: Subscription,
}

/// Room for one letter.
struct Room<'a> {
    relay: &'a Relay,
    permit: mpsc::Permit<'a, Sealed>,
}

/// A letter on its way.
struct Sending(oneshot::Receiver<bool>);

impl Room<'_> {
    fn send(self, what: &What) -> Sending {
        let (sent, receiver) = oneshot::channel();
        if let Some(written) = written(what) {
            let outbox = self.relay.outbox.lock();
            let mut outbox = outbox.unwrap_or_else(PoisonError::into_inner);
            if let Some(letter) = self.relay.seal(&mut outbox, what, written) {
                let sent = Some(sent);
                self.permit.send(Sealed { letter, sent });
            }
        }
        Sending(receiver)
    }
}

impl Sending {
    /// Whether it has gone out.
    async fn has_gone(self) -> bool {
        self.0.await == Ok(true)
    }
}

impl Relay {
    pub(crate) async fn start(store: &Store, gateway: u64) -> (Self, Incoming) {
        let bus = store.bus();
        let subscription = bus.subscribe(CHANNEL).await;
        let (letters, waiting) = mpsc::channel(WAITING);
        tokio::spawn(publish(bus, waiting));
        let relay = Self {
            gateway,
            letters,
            outbox: Mutex::default(),
            asked: Notify::new(),
        };
        relay.send(&What::Hello);
        (relay, Incoming { subscription })
    }

    fn send(&self, what: &What) {
        self.post(what, None);
    }

    /// A letter that does not find room leaves a hole in the numbers, which others notice.
    fn post(&self, what: &What, sent: Option<oneshot::Sender<bool>>) {
        let Some(written) = written(what) else {
            return;
        };
        let mut outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(letter) = self.seal(&mut outbox, what, written) else {
            return;
        };
        let is_full = self.letters.try_send(Sealed { letter, sent }).is_err();
        drop(outbox);
        if is_full {
            tracing::warn!("other gateways are not told: too much waits to be sent");
        }
    }

    fn seal(
        &self,
        outbox: &mut Outbox,
        what: &What,
        written: Box<RawValue>,
    ) -> Option<Letter<Box<RawValue>>> {
        let is_said = matches!(what, What::Say { .. });
        if outbox.has_said_goodbye && !is_said {
            return None;
        }
        outbox.has_said_goodbye |= matches!(what, What::Bye);
        outbox.number += u64::from(what.is_about_presences());
        Some(Letter {
            gateway: self.gateway,
            number: outbox.number,
            what: written,
        })
    }

    /// Waits until a letter can be sent.
    async fn room(&self) -> Option<Room<'_>> {
        let permit = self.letters.reserve().await.ok()?;
        Some(Room {
            relay: self,
            permit,
        })
    }

    /// Something is said on a channel.
    pub(crate) fn say(&self, name: &Name, broadcast: &Broadcast) {
        let (json, raw) = match &broadcast.said {
            Said::Json(json) => (RawValue::from_string(json.clone()).ok(), None),
            Said::Raw(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        self.send(&What::Say {
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
        self.send(&What::Diff {
            t: name.name.to_string(),
            p: name.is_private,
            d: diff.clone(),
        });
    }

    /// This gateway is gone now.
    pub(crate) async fn say_goodbye(&self) {
        let (done, sent) = oneshot::channel();
        self.post(&What::Bye, Some(done));
        let _late = timeout(Duration::from_secs(1), sent).await;
    }
}

fn written(what: &What) -> Option<Box<RawValue>> {
    to_raw_value(what)
        .inspect_err(
            |error| tracing::error!(%error, "a message to other gateways cannot be written"),
        )
        .ok()
}

async fn publish(bus: Bus, mut letters: mpsc::Receiver<Sealed>) {
    while let Some(Sealed { letter, sent }) = letters.recv().await {
        let is_sent = match serde_json::to_vec(&letter) {
            Ok(bytes) => match bus.publish(CHANNEL, Bytes::from(bytes)).await {
                Ok(_) => true,
                Err(error) => {
                    tracing::debug!(%error, "other gateways are not told");
                    false
                }
            },
            Err(_) => false,
        };
        if let Some(sent) = sent {
            let _nobody = sent.send(is_sent);
        }
    }
}

/// Takes what other gateways say.
pub(crate) async fn listen(shared: Arc<Shared>, mut incoming: Incoming) {
    let mut accounts = JoinSet::new();
    let giving = Arc::clone(&shared);
    accounts.spawn(async move { give_accounts(&giving.topics, &giving.relay).await });
    let mut listener = Listener::new(&shared.topics, &shared.relay, &shared.metrics);
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = incoming.subscription.next() => match event {
                BusEvent::Message(message) => listener.take(&message.payload, Instant::now()),
                // What was missed is seen by the number of the next letter, and the answer is one.
                BusEvent::Gap => shared.relay.send(&What::Hello),
                BusEvent::Lost => {}
            },
            _ = beats.tick() => listener.beat(Instant::now()),
        }
    }
}
