//! Channels: who has joined, and what is said there.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use bytestring::ByteString;

use crate::frame::{Version, push_text, write_binary};
use crate::outlet::{Out, Outlet};
use crate::presence::{Diff, Presences};

/// What topics of clients begin with.
pub(crate) const PREFIX: &str = "realtime:";

/// The name of a channel, without the prefix. Private and public ones of one name do not hear each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) name: Arc<str>,
    pub(crate) is_private: bool,
}

/// A channel that somebody has joined.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) name: Name,
    /// As clients write it.
    pub(crate) path: String,
    members: RwLock<Members>,
    pub(crate) presences: Mutex<Presences>,
}

/// Who has joined, by join.
#[derive(Debug, Default)]
struct Members {
    by_join: BTreeMap<u64, Member>,
    /// The channel has been forgotten; another may have taken its name. That is said while the presences are locked, too.
    is_closed: bool,
}

/// Somebody who has joined.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) outlet: Arc<Outlet>,
    /// Tells joins apart.
    pub(crate) join: u64,
    pub(crate) hears_itself: bool,
    pub(crate) sees_presence: bool,
}

/// Something that is said.
#[derive(Clone, Debug)]
pub(crate) struct Broadcast {
    pub(crate) event: String,
    pub(crate) said: Said,
    /// An object of JSON, or nothing.
    pub(crate) meta: String,
}

/// What is said.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// JSON.
    Json(String),
    /// Anything else, for clients of version 2.
    Raw(Bytes),
}

impl Broadcast {
    /// As members of a version are told it; raw bytes are nothing to the first.
    fn frame(&self, version: Version, topic: &str) -> Option<Out> {
        match &self.said {
            Said::Json(json) => {
                let mut payload = String::with_capacity(json.len() + 64);
                payload.push_str("{\"type\":\"broadcast\",\"event\":");
                push_text(&mut payload, &self.event);
                payload.push_str(",\"payload\":");
                payload.push_str(json);
                if !self.meta.is_empty() {
                    payload.push_str(",\"meta\":");
                    payload.push_str(&self.meta);
                }
                payload.push('}');
                let frame = version.write(None, None, topic, "broadcast", &payload);
                Some(Out::Text(frame.into()))
            }
            Said::Raw(bytes) if version == Version::V2 => {
                write_binary(topic, &self.event, &self.meta, bytes).map(Out::Binary)
            }
            Said::Raw(_) => None,
        }
    }

    /// For one member.
    pub(crate) fn send_to(&self, outlet: &Outlet, join: u64, topic: &str) {
        if let Some(out) = self.frame(outlet.version, topic) {
            outlet.send_for(join, out);
        }
    }
}

/// A frame that is made once for each version.
struct Frames<F> {
    make: F,
    made: Vec<(Version, Option<Out>)>,
}

impl<F: Fn(Version) -> Option<Out>> Frames<F> {
    fn new(make: F) -> Self {
        Self {
            make,
            made: Vec::with_capacity(2),
        }
    }

    fn of(&mut self, version: Version) -> Option<Out> {
        let at = self.made.iter().position(|(of, _)| *of == version);
        let at = at.unwrap_or_else(|| {
            self.made.push((version, (self.make)(version)));
            self.made.len() - 1
        });
        match &self.made[at].1 {
            Some(Out::Text(text)) => Some(Out::Text(ByteString::clone(text))),
            Some(Out::Binary(bytes)) => Some(Out::Binary(Bytes::clone(bytes))),
            _ => None,
        }
    }
}

impl Topic {
    fn new(name: Name) -> Self {
        Self {
            path: format!("{PREFIX}{}", name.name),
            name,
            members: RwLock::default(),
            presences: Mutex::default(),
        }
    }

    /// Tells everybody; the sender only if it hears itself. How many were told.
    pub(crate) fn broadcast(&self, broadcast: &Broadcast, sender: Option<u64>) -> u64 {
        let mut frames = Frames::new(|version| broadcast.frame(version, &self.path));
        let members = self.members();
        let mut told = 0;
        for member in members.by_join.values() {
            if sender == Some(member.join) && !member.hears_itself {
                continue;
            }
            if let Some(out) = frames.of(member.outlet.version) {
                member.outlet.send_for(member.join, out);
                told += 1;
            }
        }
        told
    }

    /// Tells everybody who wants to know of presences.
    pub(crate) fn tell_presence(&self, diff: &Diff) {
        for told in diff.told() {
            self.tell_diff(&told);
        }
    }

    fn tell_diff(&self, diff: &str) {
        let mut frames = Frames::new(|version: Version| {
            let frame = version.write(None, None, &self.path, "presence_diff", diff);
            Some(Out::Text(frame.into()))
        });
        let members = self.members();
        let all = members.by_join.values();
        for member in all.filter(|member| member.sees_presence) {
            if let Some(out) = frames.of(member.outlet.version) {
                member.outlet.send_for(member.join, out);
            }
        }
    }

    /// Whether a member is told of presences from now on.
    pub(crate) fn show_presence(&self, join: u64, is_shown: bool) {
        let sees = |members: &Members| members.by_join.get(&join).map(|one| one.sees_presence);
        if sees(&self.members()) == Some(is_shown) {
            return;
        }
        if let Some(member) = self.members_mut().by_join.get_mut(&join) {
            member.sees_presence = is_shown;
        }
    }

    pub(crate) fn presences(&self) -> MutexGuard<'_, Presences> {
        self.presences
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn members(&self) -> RwLockReadGuard<'_, Members> {
        self.members.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn members_mut(&self) -> RwLockWriteGuard<'_, Members> {
        self.members.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes presences and tells members. If the channel has been forgotten, nothing is done.
    fn change(&self, change: &mut dyn FnMut(&mut Presences) -> Diff) -> Option<Diff> {
        let mut presences = self.presences();
        if self.members().is_closed {
            return None;
        }
        let diff = change(&mut presences);
        // In the order in which it happens.
        if !diff.is_empty() {
            self.tell_presence(&diff);
        }
        Some(diff)
    }

    /// Whether it has been forgotten; members and presences end it only by being none.
    fn close_if_empty(&self) -> bool {
        let presences = self.presences();
        let mut members = self.members_mut();
        members.is_closed |= members.by_join.is_empty() && presences.is_empty();
        members.is_closed
    }
}

/// All channels of this gateway.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    known: RwLock<HashMap<Name, Arc<Topic>>>,
}

impl Topics {
    /// Adds a member.
    pub(crate) fn join(&self, name: &Name, member: Member) -> Arc<Topic> {
        loop {
            let topic = self.open(name);
            let mut members = topic.members_mut();
            if !members.is_closed {
                members.by_join.insert(member.join, member);
                drop(members);
                return topic;
            }
        }
    }

    /// Removes a member; a channel goes with the last of them, unless somebody elsewhere is present there.
    pub(crate) fn leave(&self, topic: &Topic, join: u64) {
        topic.members_mut().by_join.remove(&join);
        self.close_if_empty(topic);
    }

    /// Forgets a channel that nobody is in.
    pub(crate) fn close_if_empty(&self, topic: &Topic) {
        if !topic.members().by_join.is_empty() || !topic.presences().is_empty() {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // Another may have its name by now.
        let is_known = known
            .get(&topic.name)
            .is_some_and(|known| std::ptr::eq(Arc::as_ptr(known), topic));
        if is_known && topic.close_if_empty() {
            known.remove(&topic.name);
        }
    }

    /// What another gateway says of presences changes those of a channel, and members are told.
    pub(crate) fn change(&self, name: &Name, mut change: impl FnMut(&mut Presences) -> Diff) {
        loop {
            let topic = self.open(name);
            if topic.change(&mut change).is_some() {
                self.close_if_empty(&topic);
                return;
            }
        }
    }

    /// The same for all channels that there are.
    pub(crate) fn change_all(&self, mut change: impl FnMut(&mut Presences) -> Diff) {
        for topic in self.all() {
            if topic
                .change(&mut change)
                .is_some_and(|diff| !diff.is_empty())
            {
                self.close_if_empty(&topic);
            }
        }
    }

    /// A channel, if there is one.
    pub(crate) fn find(&self, name: &Name) -> Option<Arc<Topic>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(name).cloned()
    }

    /// A channel, which is made if there is none.
    pub(crate) fn open(&self, name: &Name) -> Arc<Topic> {
        if let Some(topic) = self.find(name) {
            return topic;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let topic = known
            .entry(name.clone())
            .or_insert_with(|| Arc::new(Topic::new(name.clone())));
        Arc::clone(topic)
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Arc<Topic>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().cloned().collect()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlet::outlet;

    fn name() -> Name {
        Name {
            name: "a".into(),
            is_private: false,
        }
    }

    fn member(join: u64) -> Member {
        let (outlet, _inlet) = outlet(Version::V2, 16, 1024);
        Member {
            outlet,
            join,
            hears_itself: false,
            sees_presence: true,
        }
    }

    #[test]
    fn a_channel_that_is_gone_does_not_take_its_successor_along() {
        let topics = Topics::default();
        let gone = topics.join(&name(), member(1));
        topics.leave(&gone, 1);
        assert_eq!(topics.count(), 0);
        let live = topics.join(&name(), member(2));
        topics.close_if_empty(&gone);
        topics.leave(&gone, 1);
        let found = topics.find(&name()).expect("it is still there");
        assert!(Arc::ptr_eq(&found, &live));
    }
}
