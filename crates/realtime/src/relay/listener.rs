//! What is done about letters of other gateways.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Relay;
use super::letter::{Letter, What, name};
use super::peers::{BEAT, Peers};
use crate::metrics::Metrics;
use crate::presence::{Diff, Entries};
use crate::topic::{Broadcast, Name, Said, Topics};

/// Hears the other gateways.
#[derive(Debug)]
pub(super) struct Listener<'a> {
    topics: &'a Topics,
    relay: &'a Relay,
    metrics: &'a Metrics,
    pub(super) peers: Peers,
    last_beat: Option<Instant>,
}

impl<'a> Listener<'a> {
    pub(super) fn new(topics: &'a Topics, relay: &'a Relay, metrics: &'a Metrics) -> Self {
        Self {
            topics,
            relay,
            metrics,
            peers: Peers::default(),
            last_beat: None,
        }
    }

    /// A letter has come. One that cannot be read is missed; its number will be.
    pub(super) fn take(&mut self, letter: &[u8], now: Instant) {
        let letter = match serde_json::from_slice::<Letter>(letter) {
            Ok(letter) => letter,
            Err(error) => {
                tracing::debug!(%error, "a letter of another gateway cannot be read");
                return;
            }
        };
        if letter.gateway == self.relay.gateway {
            return;
        }
        self.read(letter, now);
        self.ask(now);
    }

    /// Says that this gateway is there, and notices who is not.
    pub(super) fn beat(&mut self, now: Instant) {
        self.relay.send(&What::Beat);
        let before = self.last_beat.replace(now);
        // One that stood still itself has not read yet what others said meanwhile.
        if before.is_none_or(|before| now.duration_since(before) < 2 * BEAT) {
            for gateway in self.peers.gone(now) {
                self.forget(gateway);
            }
        }
        self.ask(now);
    }

    fn ask(&mut self, now: Instant) {
        for gateway in self.peers.due(now) {
            self.relay.send(&What::Ask { of: gateway });
        }
    }

    fn read(&mut self, letter: Letter, now: Instant) {
        let Letter {
            gateway,
            number,
            what,
        } = letter;
        // One that says something after its goodbye is gone all the same.
        let is_said = matches!(what, What::Say { .. });
        let is_about_presences = what.is_about_presences();
        if !is_said || self.peers.knows(gateway) {
            let peers = &mut self.peers;
            let is_new = peers.hear(gateway, number, is_about_presences, now);
            if is_about_presences && !is_new {
                return;
            }
        }
        match what {
            What::Bye => {
                self.peers.forget(gateway);
                self.forget(gateway);
            }
            What::Hello => self.relay.send(&What::Beat),
            What::Ask { of } if of == self.relay.gateway => self.relay.asked.notify_one(),
            What::Beat | What::Ask { .. } => {}
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
                    (None, None) => return,
                };
                let broadcast = Broadcast {
                    event: e,
                    said,
                    meta: m,
                };
                if let Some(topic) = self.topics.find(&name(t, p)) {
                    let told = topic.broadcast(&broadcast, None);
                    self.metrics.delivered(told);
                }
            }
            What::Diff { t, p, d } => {
                self.merge(gateway, &name(t, p), &d);
            }
            What::Begin { account } => self.peers.begin(gateway, account, now),
            What::State { t, p, s } => {
                self.peers.go_on(gateway, now);
                let d = Diff {
                    joins: s,
                    leaves: Entries::new(),
                };
                self.merge(gateway, &name(t, p), &d);
            }
            What::End { account } => {
                if self.peers.end(gateway, account) {
                    let topics = self.topics;
                    topics.change_all(|presences| presences.expire(gateway, account));
                }
            }
        }
    }

    fn merge(&self, gateway: u64, name: &Name, told: &Diff) {
        // Nobody leaves a channel that there is not.
        if told.joins.is_empty() && self.topics.find(name).is_none() {
            return;
        }
        let account = self.peers.account(gateway);
        self.topics
            .change(name, |presences| presences.merge(gateway, account, told));
    }

    fn forget(&self, gateway: u64) {
        self.topics
            .change_all(|presences| presences.forget(gateway));
    }
}
