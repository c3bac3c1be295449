//! Channels: who has joined, and what is said there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
    members: RwLock<Vec<Member>>,
    pub(crate) presences: Mutex<Presences>,
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
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let mut told = 0;
        for member in members.iter() {
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
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        for member in members.iter().filter(|member| member.sees_presence) {
            if let Some(out) = frames.of(member.outlet.version) {
                member.outlet.send_for(member.join, out);
            }
        }
    }

    /// Whether a member is told of presences from now on.
    pub(crate) fn show_presence(&self, join: u64, is_shown: bool) {
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(member) = members.iter_mut().find(|member| member.join == join) {
            member.sees_presence = is_shown;
        }
    }

    fn is_empty(&self) -> bool {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.is_empty()
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
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let topic = known
            .entry(name.clone())
            .or_insert_with(|| Arc::new(Topic::new(name.clone())));
        let mut members = topic
            .members
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        members.push(member);
        drop(members);
        Arc::clone(topic)
    }

    /// Removes a member; a channel goes with the last of them, unless somebody elsewhere is present there.
    pub(crate) fn leave(&self, topic: &Topic, join: u64) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        {
            let mut members = topic
                .members
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = members.iter().position(|member| member.join == join) {
                members.swap_remove(at);
            }
        }
        let presences = topic
            .presences
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if topic.is_empty() && presences.is_empty() {
            known.remove(&topic.name);
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

    /// Forgets a channel that nobody is in.
    pub(crate) fn close_if_empty(&self, topic: &Topic) {
        self.leave(topic, 0);
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
