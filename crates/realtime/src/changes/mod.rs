//! Changes of rows: who wants to know of which, who may, and what they are told.

mod binding;
mod deliver;
mod filter;
mod frames;
mod judge;
mod record;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use self::binding::Binding;
use crate::outlet::{Audience, Out, Outlet};

pub(crate) use self::binding::Spec;
pub(crate) use self::deliver::{Deliverer, missed};

/// Somebody who wants to know.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) join: u64,
    pub(crate) outlet: Arc<Outlet>,
    /// As clients write it.
    pub(crate) topic: String,
    pub(crate) audience: Audience,
    pub(crate) specs: Vec<Arc<Spec>>,
    /// It wants to know when messages from the database come.
    pub(crate) waits_for_feed: bool,
}

/// Whether changes come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Following {
    /// It has not begun yet.
    Starting,
    Live,
    /// Why not. For clients.
    Down(String),
}

/// All who want to know.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    inner: RwLock<Inner>,
}

#[derive(Debug)]
struct Inner {
    by_join: HashMap<u64, Arc<Subscription>>,
    groups: HashMap<Binding, Group>,
    following: Following,
    /// Who has not been told yet that changes come.
    untold: Vec<Arc<Subscription>>,
}

/// Those who want the same.
#[derive(Debug)]
struct Group {
    spec: Arc<Spec>,
    members: HashMap<Person, Vec<Arc<Subscription>>>,
}

/// Role and subject.
type Person = (Arc<str>, Arc<str>);

impl Default for Subscriptions {
    fn default() -> Self {
        Self {
            inner: RwLock::new(Inner {
                by_join: HashMap::new(),
                groups: HashMap::new(),
                following: Following::Starting,
                untold: Vec::new(),
            }),
        }
    }
}

impl Subscriptions {
    /// Adds somebody; the same join takes the place of what it was before. They are told when changes come.
    pub(crate) fn add(&self, subscription: Subscription) {
        let subscription = Arc::new(subscription);
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let is_known = inner.remove(subscription.join);
        inner.insert(&subscription);
        if is_known {
            return;
        }
        match &inner.following {
            Following::Starting => inner.untold.push(subscription),
            Following::Live => subscription.tell_following(),
            Following::Down(reason) => {
                subscription.tell_down(reason);
                inner.untold.push(subscription);
            }
        }
    }

    /// Removes somebody.
    pub(crate) fn remove(&self, join: u64) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.remove(join);
        inner
            .untold
            .retain(|subscription| subscription.join != join);
    }

    /// Somebody is somebody else now.
    pub(crate) fn replace_audience(&self, join: u64, audience: Audience) {
        let known = {
            let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
            inner.by_join.get(&join).cloned()
        };
        if let Some(known) = known {
            self.add(Subscription {
                join,
                outlet: Arc::clone(&known.outlet),
                topic: known.topic.clone(),
                audience,
                specs: known.specs.clone(),
                waits_for_feed: known.waits_for_feed,
            });
        }
    }

    /// Changes come, or not.
    pub(crate) fn follow(&self, following: Following) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if following == Following::Live {
            for subscription in std::mem::take(&mut inner.untold) {
                subscription.tell_following();
            }
        } else if let Following::Down(reason) = &following
            && inner.following == Following::Starting
        {
            for subscription in &inner.untold {
                subscription.tell_down(reason);
            }
        }
        inner.following = following;
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.by_join.len()
    }

    /// Whose socket it is of everybody.
    pub(crate) fn outlets(&self) -> Vec<Arc<Outlet>> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let mut outlets: Vec<Arc<Outlet>> = inner
            .by_join
            .values()
            .map(|subscription| Arc::clone(&subscription.outlet))
            .collect();
        outlets.sort_by_key(|outlet| outlet.id);
        outlets.dedup_by_key(|outlet| outlet.id);
        outlets
    }
}

impl Inner {
    fn insert(&mut self, subscription: &Arc<Subscription>) {
        let audience = &subscription.audience;
        let key = (Arc::clone(&audience.role), Arc::clone(&audience.subject));
        // Who asks twice for the same is told once.
        let mut seen = HashSet::new();
        for spec in &subscription.specs {
            if !seen.insert(&spec.binding) {
                continue;
            }
            let group = self.groups.entry(spec.binding.clone());
            let group = group.or_insert_with(|| Group {
                spec: Arc::clone(spec),
                members: HashMap::new(),
            });
            let members = group.members.entry(key.clone()).or_default();
            members.push(Arc::clone(subscription));
        }
        self.by_join
            .insert(subscription.join, Arc::clone(subscription));
    }

    fn remove(&mut self, join: u64) -> bool {
        let Some(subscription) = self.by_join.remove(&join) else {
            return false;
        };
        let audience = &subscription.audience;
        let key = (Arc::clone(&audience.role), Arc::clone(&audience.subject));
        for spec in &subscription.specs {
            let Some(group) = self.groups.get_mut(&spec.binding) else {
                continue;
            };
            if let Some(members) = group.members.get_mut(&key) {
                members.retain(|member| member.join != join);
                if members.is_empty() {
                    group.members.remove(&key);
                }
            }
            if group.members.is_empty() {
                self.groups.remove(&spec.binding);
            }
        }
        true
    }
}

impl Subscription {
    fn tell_following(&self) {
        if !self.specs.is_empty() {
            self.tell("postgres_changes", "ok", "Subscribed to PostgreSQL");
        }
        if self.waits_for_feed {
            self.tell("system", "ok", "Replication connection established");
        }
    }

    fn tell_down(&self, reason: &str) {
        if !self.specs.is_empty() {
            self.tell("postgres_changes", "error", reason);
        }
        if self.waits_for_feed {
            let reason = "Messages from the database are not available at the moment";
            self.tell("system", "error", reason);
        }
    }

    fn tell(&self, extension: &str, status: &str, message: &str) {
        let payload = system(&self.topic, extension, status, message);
        let frame = self
            .outlet
            .version
            .write(None, None, &self.topic, "system", &payload);
        self.outlet.send_for(self.join, Out::Text(frame.into()));
    }
}

/// The payload of a `system` message.
pub(crate) fn system(topic: &str, extension: &str, status: &str, message: &str) -> String {
    let channel = topic.strip_prefix(crate::topic::PREFIX).unwrap_or(topic);
    serde_json::json!({
        "extension": extension, "status": status, "message": message, "channel": channel,
    })
    .to_string()
}
