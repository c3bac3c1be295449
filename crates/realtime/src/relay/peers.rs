//! What is known of the other gateways: which are there, and whether anything they told of presences was missed.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How often a gateway says that it is there, and asks again at most.
pub(super) const BEAT: Duration = Duration::from_secs(2);
/// One that is not heard for so long is gone.
const GONE: Duration = Duration::from_secs(7);
/// How rarely one that does not give a complete account is asked again at last.
const RARELY: Duration = Duration::from_secs(10);

/// The other gateways.
#[derive(Debug, Default)]
pub(super) struct Peers {
    known: HashMap<u64, Peer>,
}

#[derive(Debug)]
struct Peer {
    heard: Instant,
    /// That of its last letter.
    number: u64,
    /// Its last account that has begun.
    account: u64,
    /// Whether nothing is missing since then.
    is_whole: bool,
    /// When to ask it for an account, if something is missing.
    ask: Option<Instant>,
    asked: Option<Instant>,
    wait: Duration,
}

impl Peer {
    fn new(now: Instant) -> Self {
        Self {
            heard: now,
            // One that has never told anything of presences leaves nothing to ask for.
            number: 0,
            account: 0,
            is_whole: false,
            ask: None,
            asked: None,
            wait: BEAT,
        }
    }

    fn miss(&mut self, now: Instant) {
        self.is_whole = false;
        if self.ask.is_none() {
            let earliest = self.asked.map_or(now, |asked| asked + BEAT);
            self.ask = Some(earliest.max(now));
        }
    }

    /// It is giving an account, which may be all that is missing.
    fn be_patient(&mut self, now: Instant) {
        self.ask = self.ask.map(|at| at.max(now + BEAT));
    }
}

impl Peers {
    /// A gateway has sent a letter of a number, about presences or not; whether its news is newer than all before.
    pub(super) fn hear(
        &mut self,
        gateway: u64,
        number: u64,
        is_about_presences: bool,
        now: Instant,
    ) -> bool {
        let peer = self.known.entry(gateway).or_insert_with(|| Peer::new(now));
        peer.heard = now;
        let expected = peer.number + u64::from(is_about_presences);
        if number > expected {
            peer.miss(now);
        }
        peer.number = peer.number.max(number);
        number >= expected
    }

    pub(super) fn knows(&self, gateway: u64) -> bool {
        self.known.contains_key(&gateway)
    }

    /// The account that what a gateway tells now belongs to.
    pub(super) fn account(&self, gateway: u64) -> u64 {
        self.known.get(&gateway).map_or(0, |peer| peer.account)
    }

    /// A part of an account has come; whoever gives it is not asked meanwhile.
    pub(super) fn go_on(&mut self, gateway: u64, now: Instant) {
        if let Some(peer) = self.known.get_mut(&gateway).filter(|peer| peer.is_whole) {
            peer.be_patient(now);
        }
    }

    pub(super) fn begin(&mut self, gateway: u64, account: u64, now: Instant) {
        if let Some(peer) = self.known.get_mut(&gateway) {
            peer.account = account;
            peer.is_whole = true;
            peer.be_patient(now);
        }
    }

    /// An account has ended; whether all of it was heard.
    pub(super) fn end(&mut self, gateway: u64, account: u64) -> bool {
        let Some(peer) = self.known.get_mut(&gateway) else {
            return false;
        };
        let is_complete = peer.is_whole && peer.account == account;
        if is_complete {
            peer.ask = None;
            peer.wait = BEAT;
        }
        is_complete
    }

    /// Those that are to be asked for an account now. They are asked again until one was complete.
    pub(super) fn due(&mut self, now: Instant) -> Vec<u64> {
        let due = self
            .known
            .iter_mut()
            .filter(|(_, peer)| peer.ask.is_some_and(|at| at <= now));
        due.map(|(gateway, peer)| {
            peer.ask = Some(now + peer.wait);
            peer.asked = Some(now);
            peer.wait = (2 * peer.wait).min(RARELY);
            *gateway
        })
        .collect()
    }

    /// Forgets those that are gone, and says which.
    pub(super) fn gone(&mut self, now: Instant) -> Vec<u64> {
        let gone = self
            .known
            .extract_if(|_, peer| now.duration_since(peer.heard) > GONE);
        gone.map(|(gateway, _)| gateway).collect()
    }

    pub(super) fn forget(&mut self, gateway: u64) {
        self.known.remove(&gateway);
    }
}
