//! Who is present on a channel: of this gateway, and as other gateways tell it.
//!
//! A presence is a key with one or several entries (`metas`), each tracked by one join and known by a reference. Others'
//! entries are kept by gateway, so that all of one's go when it is gone.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An entry: what was tracked, with `phx_ref`.
pub(crate) type Meta = Map<String, Value>;
/// Entries by key.
pub(crate) type Entries = BTreeMap<String, Vec<Meta>>;

/// What has changed.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Diff {
    #[serde(default)]
    pub(crate) joins: Entries,
    #[serde(default)]
    pub(crate) leaves: Entries,
}

/// The presences of a channel.
#[derive(Debug, Default)]
pub(crate) struct Presences {
    own: Entries,
    /// By gateway, each with the number of its last account of itself.
    others: HashMap<u64, (u64, Entries)>,
}

impl Diff {
    pub(crate) fn is_empty(&self) -> bool {
        self.joins.is_empty() && self.leaves.is_empty()
    }

    /// As clients are told it: first who has left. The presences of supabase-js lose the reference of what is left and
    /// joined in one message, and keep both.
    pub(crate) fn told(&self) -> Vec<String> {
        let none = Entries::new();
        let parts = [(&none, &self.leaves), (&self.joins, &none)];
        let parts = parts
            .into_iter()
            .filter(|(joins, leaves)| !joins.is_empty() || !leaves.is_empty());
        parts
            .map(|(joins, leaves)| {
                json!({ "joins": wrapped(joins), "leaves": wrapped(leaves) }).to_string()
            })
            .collect()
    }
}

fn wrapped(entries: &Entries) -> Value {
    let keys = entries
        .iter()
        .map(|(key, metas)| (key.clone(), json!({ "metas": metas })));
    Value::Object(keys.collect())
}

fn reference(meta: &Meta) -> &str {
    meta.get("phx_ref")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn remove(entries: &mut Entries, key: &str, wanted: &str) -> Option<Meta> {
    let metas = entries.get_mut(key)?;
    let at = metas.iter().position(|meta| reference(meta) == wanted)?;
    let meta = metas.remove(at);
    if metas.is_empty() {
        entries.remove(key);
    }
    Some(meta)
}

impl Presences {
    /// Tracks something under a key, in the place of what has a reference.
    pub(crate) fn track(
        &mut self,
        key: &str,
        before: Option<&str>,
        reference: &str,
        mut meta: Meta,
    ) -> Diff {
        let mut diff = Diff::default();
        if let Some(before) = before
            && let Some(left) = remove(&mut self.own, key, before)
        {
            meta.insert("phx_ref_prev".to_owned(), before.into());
            diff.leaves.insert(key.to_owned(), vec![left]);
        }
        meta.insert("phx_ref".to_owned(), reference.into());
        self.own
            .entry(key.to_owned())
            .or_default()
            .push(meta.clone());
        diff.joins.insert(key.to_owned(), vec![meta]);
        diff
    }

    /// Tracks it no more.
    pub(crate) fn untrack(&mut self, key: &str, reference: &str) -> Diff {
        let mut diff = Diff::default();
        if let Some(left) = remove(&mut self.own, key, reference) {
            diff.leaves.insert(key.to_owned(), vec![left]);
        }
        diff
    }

    /// Everybody, as clients are told it.
    pub(crate) fn told(&self) -> String {
        let mut all = self.own.clone();
        for (_, entries) in self.others.values() {
            for (key, metas) in entries {
                all.entry(key.clone())
                    .or_default()
                    .extend(metas.iter().cloned());
            }
        }
        wrapped(&all).to_string()
    }

    /// Those of this gateway.
    pub(crate) fn own(&self) -> &Entries {
        &self.own
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.others.values().all(|(_, entries)| entries.is_empty())
    }

    /// Another gateway tells what has changed there. What it tells twice counts once.
    pub(crate) fn merge(&mut self, gateway: u64, told: &Diff) -> Diff {
        let (_, entries) = self.others.entry(gateway).or_default();
        let mut diff = Diff::default();
        for (key, metas) in &told.leaves {
            for meta in metas {
                if let Some(left) = remove(entries, key, reference(meta)) {
                    diff.leaves.entry(key.clone()).or_default().push(left);
                }
            }
        }
        for (key, metas) in &told.joins {
            for meta in metas {
                let known = entries.entry(key.clone()).or_default();
                if known
                    .iter()
                    .all(|other| reference(other) != reference(meta))
                {
                    known.push(meta.clone());
                    diff.joins
                        .entry(key.clone())
                        .or_default()
                        .push(meta.clone());
                }
            }
        }
        diff
    }

    /// Another gateway gives an account of itself, which has a number.
    pub(crate) fn replace(&mut self, gateway: u64, number: u64, told: &Entries) -> Diff {
        let known = self.others.entry(gateway).or_default();
        let before = std::mem::replace(known, (number, told.clone())).1;
        let without = |of: &Entries, other: &Entries| {
            let mut rest = Entries::new();
            for (key, metas) in of {
                let others = other.get(key);
                let is_known = |meta: &Meta| {
                    others.is_some_and(|others| {
                        others.iter().any(|one| reference(one) == reference(meta))
                    })
                };
                let left: Vec<Meta> = metas
                    .iter()
                    .filter(|meta| !is_known(meta))
                    .cloned()
                    .collect();
                if !left.is_empty() {
                    rest.insert(key.clone(), left);
                }
            }
            rest
        };
        Diff {
            joins: without(told, &before),
            leaves: without(&before, told),
        }
    }

    /// What a gateway has not said again in its account of a number is gone there.
    pub(crate) fn expire(&mut self, gateway: u64, number: u64) -> Diff {
        match self.others.get(&gateway) {
            Some((known, _)) if *known < number => self.forget(gateway),
            _ => Diff::default(),
        }
    }

    /// A gateway is gone.
    pub(crate) fn forget(&mut self, gateway: u64) -> Diff {
        let left = self.others.remove(&gateway);
        Diff {
            joins: Entries::new(),
            leaves: left.map(|(_, entries)| entries).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(text: &str) -> Meta {
        Meta::from_iter([("x".to_owned(), text.into())])
    }

    #[test]
    fn an_update_is_a_leave_and_a_join() {
        let mut presences = Presences::default();
        let first = presences.track("ada", None, "r1", meta("a"));
        assert_eq!(reference(&first.joins["ada"][0]), "r1");
        let second = presences.track("ada", Some("r1"), "r2", meta("b"));
        assert_eq!(reference(&second.leaves["ada"][0]), "r1");
        assert_eq!(second.joins["ada"][0]["phx_ref_prev"], "r1");
        assert_eq!(presences.untrack("ada", "r2").leaves.len(), 1);
        assert!(presences.untrack("ada", "r2").is_empty());
        assert!(presences.is_empty());
    }

    #[test]
    fn others_come_and_go() {
        let mut here = Presences::default();
        let mut there = Presences::default();
        let joined = there.track("ada", None, "r1", meta("a"));
        assert_eq!(here.merge(7, &joined), joined);
        assert!(here.merge(7, &joined).is_empty(), "told twice");
        there.track("bob", None, "r2", meta("b"));
        let account = here.replace(7, 1, there.own());
        assert_eq!(account.joins.keys().collect::<Vec<_>>(), ["bob"]);
        there.untrack("ada", "r1");
        let account = here.replace(7, 2, there.own());
        assert_eq!(account.leaves.keys().collect::<Vec<_>>(), ["ada"]);
        assert!(here.expire(7, 2).is_empty());
        assert_eq!(here.expire(7, 3).leaves.len(), 1);
        assert!(here.is_empty());
    }
}
