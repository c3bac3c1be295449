//! Two gateways over a bus in memory, where letters are lost as a test wants it.

use std::time::{Duration, Instant};

use serde_json::Map;
use tokio::time::timeout;

use super::account::give_account;
use super::*;
use crate::metrics::Metrics;
use crate::topic::Topics;

struct Parts {
    topics: Topics,
    relay: Relay,
    metrics: Metrics,
}

struct Gateway<'a> {
    parts: &'a Parts,
    incoming: Incoming,
    listener: Listener<'a>,
    accounts: u64,
    now: Instant,
}

async fn parts(store: &Store, gateway: u64) -> (Parts, Incoming) {
    let (relay, incoming) = Relay::start(store, gateway).await;
    let parts = Parts {
        topics: Topics::default(),
        relay,
        metrics: Metrics::default(),
    };
    (parts, incoming)
}

fn name() -> Name {
    Name {
        name: "room".into(),
        is_private: true,
    }
}

/// What comes at once.
async fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    timeout(Duration::ZERO, future).await.ok()
}

impl<'a> Gateway<'a> {
    fn new(parts: &'a Parts, incoming: Incoming) -> Self {
        Self {
            parts,
            incoming,
            listener: Listener::new(&parts.topics, &parts.relay, &parts.metrics),
            accounts: 0,
            now: Instant::now(),
        }
    }

    /// As the task of a socket does.
    fn track(&self, key: &str, reference: &str, length: usize) {
        self.track_in(&name(), key, reference, length);
    }

    fn track_in(&self, name: &Name, key: &str, reference: &str, length: usize) {
        let tracked = Map::from_iter([("x".to_owned(), "x".repeat(length).into())]);
        let topic = self.parts.topics.open(name);
        let mut presences = topic.presences();
        let diff = presences
            .track(key, None, reference, tracked, usize::MAX / 2)
            .expect("it is tracked");
        self.parts.relay.tell(&topic.name, &diff);
    }

    fn untrack(&self, key: &str, reference: &str) {
        let topic = self.parts.topics.open(&name());
        let mut presences = topic.presences();
        let diff = presences.untrack(key, reference);
        self.parts.relay.tell(&topic.name, &diff);
    }

    fn sees(&self) -> String {
        match self.parts.topics.find(&name()) {
            Some(topic) => topic.presences().told().to_string(),
            None => "{}".to_owned(),
        }
    }

    fn beat(&mut self, later: Duration) {
        self.now += later;
        self.listener.beat(self.now);
    }

    /// Waits until everything has been sent.
    async fn drain(&self) {
        while self.parts.relay.letters.capacity() < WAITING {
            tokio::task::yield_now().await;
        }
    }

    async fn flush(&self) {
        let (sent, has_gone) = oneshot::channel();
        self.parts.relay.post(&What::Beat, Some(sent));
        has_gone.await.expect("it is told");
    }

    /// Gives the account that it was asked for, if it was.
    async fn answer(&mut self) {
        if now(self.parts.relay.asked.notified()).await.is_some() {
            self.accounts += 1;
            let (topics, relay) = (&self.parts.topics, &self.parts.relay);
            assert!(give_account(topics, relay, self.accounts).await);
        }
    }

    /// Reads what has come, but for what is lost.
    async fn read(&mut self, is_lost: &mut impl FnMut(&What) -> bool) {
        while let Some(event) = now(self.incoming.subscription.next()).await {
            if let BusEvent::Message(message) = event {
                let letter: Letter = serde_json::from_slice(&message.payload).expect("a letter");
                if !is_lost(&letter.what) {
                    self.listener.take(&message.payload, self.now);
                }
            }
        }
    }
}

/// Everybody reads and answers, over and over.
async fn settle(gateways: &mut [&mut Gateway<'_>], mut is_lost: impl FnMut(&What) -> bool) {
    for _ in 0..5 {
        for gateway in gateways.iter_mut() {
            gateway.answer().await;
            gateway.flush().await;
        }
        for gateway in gateways.iter_mut() {
            gateway.read(&mut is_lost).await;
        }
    }
}

fn nothing(_: &What) -> bool {
    false
}

macro_rules! two_gateways {
    ($here:ident, $there:ident) => {
        let store = Store::memory();
        let (mine, incoming) = parts(&store, 1).await;
        let mut $here = Gateway::new(&mine, incoming);
        let (others, incoming) = parts(&store, 2).await;
        let mut $there = Gateway::new(&others, incoming);
    };
}

#[tokio::test]
async fn a_gateway_that_was_forgotten_comes_back() {
    two_gateways!(here, there);
    there.track("ada", "r1", 1);
    settle(&mut [&mut here, &mut there], nothing).await;
    assert!(here.sees().contains("r1"));
    assert_eq!(there.accounts, 0, "nothing was missed");

    here.beat(Duration::from_secs(8));
    assert_eq!(here.sees(), "{}");
    settle(&mut [&mut here, &mut there], nothing).await;
    assert_eq!(here.sees(), there.sees());
    assert!(here.sees().contains("r1"));
}

#[tokio::test]
async fn who_stood_still_takes_nobody_for_dead_at_once() {
    two_gateways!(here, there);
    there.track("ada", "r1", 1);
    settle(&mut [&mut here, &mut there], nothing).await;
    here.beat(Duration::ZERO);
    here.beat(Duration::from_secs(8));
    assert!(here.sees().contains("r1"));
    here.beat(Duration::from_secs(2));
    assert_eq!(here.sees(), "{}");
}

#[tokio::test]
async fn what_was_said_before_a_gateway_came_is_asked_for() {
    let store = Store::memory();
    let (others, incoming) = parts(&store, 2).await;
    let mut there = Gateway::new(&others, incoming);
    there.track("ada", "r1", 1);
    there.flush().await;
    let (mine, incoming) = parts(&store, 1).await;
    let mut here = Gateway::new(&mine, incoming);
    settle(&mut [&mut here, &mut there], nothing).await;
    assert!(here.sees().contains("r1"));
    assert_eq!(here.sees(), there.sees());
}

#[tokio::test]
async fn what_is_lost_is_asked_for_until_it_has_come() {
    two_gateways!(here, there);
    for (key, reference) in [("ada", "r1"), ("bob", "r2")] {
        there.track(key, reference, 1);
    }
    settle(&mut [&mut here, &mut there], nothing).await;
    // Nobody but the next letter tells of these.
    there.untrack("ada", "r1");
    there.track("cleo", "r3", 1);
    let is_diff = |what: &What| matches!(what, What::Diff { .. });
    let kinds: [fn(&What) -> bool; 4] = [
        |what| matches!(what, What::Ask { .. }),
        |what| matches!(what, What::Begin { .. }),
        |what| matches!(what, What::State { .. }),
        |what| matches!(what, What::End { .. }),
    ];
    for kind in kinds {
        let mut seen = 0;
        for _ in 0..3 {
            settle(&mut [&mut here, &mut there], |what| {
                seen += usize::from(kind(what));
                is_diff(what) || kind(what)
            })
            .await;
            here.beat(Duration::from_secs(6));
            there.beat(Duration::from_secs(6));
        }
        assert!(seen > 0, "it has been asked for again");
        assert!(
            here.sees().contains("r1"),
            "an account with a hole ends nothing"
        );
    }
    assert_ne!(here.sees(), there.sees());
    settle(&mut [&mut here, &mut there], nothing).await;
    assert_eq!(here.sees(), there.sees());
    let accounts = there.accounts;
    for _ in 0..3 {
        here.beat(Duration::from_secs(6));
        settle(&mut [&mut here, &mut there], nothing).await;
    }
    assert_eq!(there.accounts, accounts, "it is asked for no more");
}

#[tokio::test]
async fn a_letter_that_comes_late_changes_nothing() {
    two_gateways!(here, there);
    there.track("ada", "r1", 1);
    there.flush().await;
    let mut late = Vec::new();
    while let Some(event) = now(here.incoming.subscription.next()).await {
        if let BusEvent::Message(message) = event {
            late.push(message.payload);
        }
    }
    there.untrack("ada", "r1");
    settle(&mut [&mut here, &mut there], nothing).await;
    assert_eq!(here.sees(), "{}");
    for letter in late {
        here.listener.take(&letter, here.now);
    }
    assert_eq!(here.sees(), "{}");
}

#[tokio::test]
async fn an_account_is_as_long_as_it_must_be() {
    two_gateways!(here, there);
    for number in 0..40 {
        let key = ["ada", "bob"][number % 2];
        there.track(key, &format!("r{number}"), 30_000);
    }
    let mut longest = 0;
    settle(&mut [&mut here, &mut there], |what| {
        let bytes = serde_json::to_vec(what).map_or(0, |letter| letter.len());
        longest = longest.max(bytes);
        matches!(what, What::Diff { .. })
    })
    .await;
    assert!(there.sees().len() > 2 * passerelle_store::MAX_MESSAGE_BYTES);
    assert!(longest < passerelle_store::MAX_MESSAGE_BYTES / 2);
    assert_eq!(here.sees(), there.sees());
}

#[tokio::test]
async fn an_account_of_many_channels_finds_room() {
    two_gateways!(here, there);
    settle(&mut [&mut here, &mut there], nothing).await;
    for number in 0..WAITING + 10 {
        let name = Name {
            name: format!("room {number}").into(),
            is_private: false,
        };
        there.track_in(&name, "ada", &format!("r{number}"), 1);
    }
    there.drain().await;
    let account = give_account(&there.parts.topics, &there.parts.relay, 1);
    tokio::pin!(account);
    loop {
        tokio::select! {
            biased;
            is_told = &mut account => {
                assert!(is_told);
                break;
            }
            event = here.incoming.subscription.next() => {
                if let BusEvent::Message(message) = event {
                    here.listener.take(&message.payload, here.now);
                }
            }
        }
    }
    here.read(&mut nothing).await;
    assert_eq!(here.parts.topics.count(), WAITING + 10);
}

#[tokio::test]
async fn what_finds_no_room_is_made_good() {
    two_gateways!(here, there);
    settle(&mut [&mut here, &mut there], nothing).await;
    // Nothing is sent meanwhile: the one thread is busy with this.
    for number in 0..WAITING + 10 {
        there.track("ada", &format!("r{number}"), 1);
        if number > 0 {
            there.untrack("ada", &format!("r{}", number - 1));
        }
    }
    there.drain().await;
    settle(&mut [&mut here, &mut there], nothing).await;
    assert_eq!(here.sees(), there.sees());
    assert_eq!(there.accounts, 1);
}

#[tokio::test]
async fn a_goodbye_is_the_last_word_on_presences() {
    two_gateways!(here, there);
    there.track("ada", "r1", 1);
    settle(&mut [&mut here, &mut there], nothing).await;
    there.parts.relay.say_goodbye().await;
    there.track("bob", "r2", 1);
    there.parts.relay.say(
        &name(),
        &Broadcast {
            event: "late".to_owned(),
            said: Said::Json("{}".to_owned()),
            meta: String::new(),
        },
    );
    there.drain().await;
    here.read(&mut |_| false).await;
    assert_eq!(here.sees(), "{}");
    assert!(!here.listener.peers.knows(2));
    assert_eq!(here.parts.topics.count(), 0);
}
