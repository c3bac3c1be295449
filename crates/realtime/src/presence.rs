//! Who is present on a channel: of this gateway, and as other gateways tell it.
//!
//! A presence is a key with one or several entries (`metas`), each tracked by one join and known by a reference. Others'
//! entries are held with the account of their gateway that has told them last, so that what a later one leaves out can go.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use bytestring::ByteString;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::frame::push_text;

/// Entries of one channel: beyond it nothing more is tracked.
pub(crate) const ENTRIES: usize = 10_000;
/// How deep what is tracked may be nested.
const DEPTH: usize = 32;

/// An entry.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Meta {
    /// Its `phx_ref`.
    #[serde(rename = "r")]
    reference: Arc<str>,
    /// What was tracked, as clients are told it.
    #[serde(rename = "m")]
    json: Arc<RawValue>,
}

/// Entries by key.
pub(crate) type Entries = BTreeMap<String, Vec<Meta>>;

/// What has changed.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Diff {
    #[serde(default, skip_serializing_if = "Entries::is_empty")]
    pub(crate) joins: Entries,
    #[serde(default, skip_serializing_if = "Entries::is_empty")]
    pub(crate) leaves: Entries,
}

/// Why something is not tracked.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum TrackError {
    #[error("A presence is nested at most {DEPTH} levels deep")]
    Depth,
    #[error("A channel has at most {ENTRIES} presences")]
    Entries,
    #[error("The presences of a channel have at most {0} bytes")]
    Bytes(usize),
}

/// The presences of a channel.
#[derive(Debug, Default)]
pub(crate) struct Presences {
    keys: BTreeMap<String, Key>,
    /// Where entries are among those of their key, by reference.
    places: HashMap<Arc<str>, u64>,
    last_place: u64,
    /// How many are of this gateway.
    own: usize,
    /// Bytes of everybody, as clients are told it.
    bytes: usize,
    told: Option<ByteString>,
}

#[derive(Debug)]
struct Key {
    /// As clients are told it.
    json: String,
    /// In the order in which they came.
    held: BTreeMap<u64, Held>,
}

#[derive(Debug)]
struct Held {
    origin: Origin,
    meta: Meta,
}

/// Who says that an entry is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Here,
    There {
        gateway: u64,
        /// The last account of that gateway that has told it.
        account: u64,
    },
}

/// An entry, up to which an account has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    key: String,
    at: u64,
}

impl Meta {
    /// Bytes among the metas of a key.
    fn bytes(&self) -> usize {
        self.json.get().len() + 1
    }
}

impl PartialEq for Meta {
    fn eq(&self, other: &Self) -> bool {
        self.reference == other.reference
    }
}

impl Diff {
    pub(crate) fn is_empty(&self) -> bool {
        self.joins.is_empty() && self.leaves.is_empty()
    }

    /// As clients are told it: first who has left. The presences of supabase-js lose the reference of what is left and
    /// joined in one message, and keep both.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut told = Vec::with_capacity(2);
        if !self.leaves.is_empty() {
            let mut out = "{\"joins\":{},\"leaves\":".to_owned();
            push_entries(&mut out, &self.leaves);
            out.push('}');
            told.push(out);
        }
        if !self.joins.is_empty() {
            let mut out = "{\"joins\":".to_owned();
            push_entries(&mut out, &self.joins);
            out.push_str(",\"leaves\":{}}");
            told.push(out);
        }
        told
    }
}

fn push_entries(out: &mut String, entries: &Entries) {
    out.push('{');
    for (at, (key, metas)) in entries.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_text(out, key);
        push_metas(out, metas.iter());
    }
    out.push('}');
}

const BEFORE_METAS: &str = ":{\"metas\":[";
const AFTER_METAS: &str = "]}";

fn push_metas<'a>(out: &mut String, metas: impl Iterator<Item = &'a Meta>) {
    out.push_str(BEFORE_METAS);
    for (at, meta) in metas.enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(meta.json.get());
    }
    out.push_str(AFTER_METAS);
}

fn is_deeper(value: &Value, most: usize) -> bool {
    match value {
        Value::Array(values) => most == 0 || values.iter().any(|value| is_deeper(value, most - 1)),
        Value::Object(members) => {
            most == 0 || members.values().any(|value| is_deeper(value, most - 1))
        }
        _ => false,
    }
}

impl Key {
    fn new(name: &str) -> Self {
        let mut json = String::with_capacity(name.len() + 2);
        push_text(&mut json, name);
        Self {
            json,
            held: BTreeMap::new(),
        }
    }

    /// Bytes among the keys, without those of its metas.
    fn bytes(&self) -> usize {
        self.json.len() + BEFORE_METAS.len() + AFTER_METAS.len() + 1
    }
}

impl Presences {
    /// Tracks something under a key, in the place of what has a reference. Everybody together may have so many bytes.
    ///
    /// # Errors
    /// [`TrackError`]; then nothing has changed.
    pub(crate) fn track(
        &mut self,
        key: &str,
        before: Option<&str>,
        reference: &str,
        mut tracked: Map<String, Value>,
        most: usize,
    ) -> Result<Diff, TrackError> {
        if tracked.values().any(|value| is_deeper(value, DEPTH - 1)) {
            return Err(TrackError::Depth);
        }
        let replaced = before.and_then(|before| self.held(key, before)?.own());
        let freed = replaced.map(Meta::bytes);
        if let Some(replaced) = replaced {
            tracked.insert("phx_ref_prev".to_owned(), (*replaced.reference).into());
        } else if self.places.len() >= ENTRIES {
            return Err(TrackError::Entries);
        }
        tracked.insert("phx_ref".to_owned(), reference.into());
        // Neither a map of text nor its values can fail.
        let json = to_raw_value(&tracked).map_err(|_| TrackError::Depth)?;
        let meta = Meta {
            reference: reference.into(),
            json: json.into(),
        };
        let known = self.keys.get(key);
        let added = meta.bytes() + known.map_or_else(|| Key::new(key).bytes(), |_| 0);
        if self.bytes + added > most + freed.unwrap_or_default() {
            return Err(TrackError::Bytes(most));
        }
        let mut diff = Diff::default();
        if let Some(before) = before
            && let Some(left) = self.remove(key, before, Origin::Here)
        {
            diff.leaves.insert(key.to_owned(), vec![left]);
        }
        self.insert(key, Origin::Here, &meta);
        diff.joins.insert(key.to_owned(), vec![meta]);
        Ok(diff)
    }

    /// Tracks it no more.
    pub(crate) fn untrack(&mut self, key: &str, reference: &str) -> Diff {
        let mut diff = Diff::default();
        if let Some(left) = self.remove(key, reference, Origin::Here) {
            diff.leaves.insert(key.to_owned(), vec![left]);
        }
        diff
    }

    /// Everybody, as clients are told it.
    pub(crate) fn told(&mut self) -> ByteString {
        if let Some(told) = &self.told {
            return told.clone();
        }
        let mut out = String::with_capacity(self.bytes + 2);
        out.push('{');
        for (at, key) in self.keys.values().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(&key.json);
            push_metas(&mut out, key.held.values().map(|held| &held.meta));
        }
        out.push('}');
        let told = ByteString::from(out);
        self.told = Some(told.clone());
        told
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether anybody is present at this gateway.
    pub(crate) fn has_own(&self) -> bool {
        self.own > 0
    }

    /// Those of this gateway after a place, of about so many bytes, and up to where if there may be more.
    pub(crate) fn part(&self, after: Option<&Place>, most: usize) -> (Entries, Option<Place>) {
        let mut part = Entries::new();
        let mut bytes = 0;
        let mut last = None;
        let from = after.map_or("", |place| place.key.as_str());
        let keys = self
            .keys
            .range::<str, _>((Bound::Included(from), Bound::Unbounded));
        for (name, key) in keys {
            let first = match after {
                Some(place) if place.key == *name => place.at + 1,
                _ => 0,
            };
            let own = key.held.range(first..);
            for (at, held) in own.filter(|(_, held)| held.origin == Origin::Here) {
                let size = key.json.len() + held.meta.bytes() + held.meta.reference.len();
                if let Some((name, at)) = last
                    && bytes + size > most
                {
                    let key = String::clone(name);
                    return (part, Some(Place { key, at }));
                }
                bytes += size;
                last = Some((name, *at));
                let metas = part.entry(name.clone()).or_default();
                metas.push(held.meta.clone());
            }
        }
        (part, None)
    }

    /// Another gateway tells what has changed there since it began an account. What it tells twice counts once.
    pub(crate) fn merge(&mut self, gateway: u64, account: u64, told: &Diff) -> Diff {
        let origin = Origin::There { gateway, account };
        let mut diff = Diff::default();
        for (key, metas) in &told.leaves {
            for meta in metas {
                if let Some(left) = self.remove(key, &meta.reference, origin) {
                    diff.leaves.entry(key.clone()).or_default().push(left);
                }
            }
        }
        for (key, metas) in &told.joins {
            for meta in metas {
                if self.insert(key, origin, meta) {
                    let joined = diff.joins.entry(key.clone()).or_default();
                    joined.push(meta.clone());
                }
            }
        }
        diff
    }

    /// A gateway has completed an account: what was told before it, and not since, is gone there.
    pub(crate) fn expire(&mut self, gateway: u64, account: u64) -> Diff {
        self.retain(|origin| match origin {
            Origin::Here => true,
            Origin::There {
                gateway: other,
                account: told,
            } => other != gateway || told >= account,
        })
    }

    /// A gateway is gone.
    pub(crate) fn forget(&mut self, gateway: u64) -> Diff {
        self.expire(gateway, u64::MAX)
    }

    fn held(&self, key: &str, reference: &str) -> Option<&Held> {
        let place = self.places.get(reference)?;
        self.keys.get(key)?.held.get(place)
    }

    /// Whether it is new.
    fn insert(&mut self, key: &str, origin: Origin, meta: &Meta) -> bool {
        if let Some(place) = self.places.get(&meta.reference) {
            let known = self.keys.get_mut(key).map(|key| key.held.get_mut(place));
            if let Some(Some(held)) = known
                && held.origin.is_same_gateway(origin)
            {
                held.origin = origin;
            }
            return false;
        }
        self.told = None;
        self.last_place += 1;
        self.places
            .insert(Arc::clone(&meta.reference), self.last_place);
        let key = self.keys.entry(key.to_owned()).or_insert_with(|| {
            let key = Key::new(key);
            self.bytes += key.bytes();
            key
        });
        self.bytes += meta.bytes();
        self.own += usize::from(origin == Origin::Here);
        let meta = meta.clone();
        key.held.insert(self.last_place, Held { origin, meta });
        true
    }

    fn remove(&mut self, name: &str, reference: &str, origin: Origin) -> Option<Meta> {
        let place = *self.places.get(reference)?;
        let key = self.keys.get_mut(name)?;
        if !key.held.get(&place)?.origin.is_same_gateway(origin) {
            return None;
        }
        let held = key.held.remove(&place)?;
        self.told = None;
        self.bytes -= held.meta.bytes();
        if key.held.is_empty() {
            self.bytes -= key.bytes();
            self.keys.remove(name);
        }
        self.places.remove(reference);
        self.own -= usize::from(origin == Origin::Here);
        Some(held.meta)
    }

    /// Removes all others' entries but for some.
    fn retain(&mut self, stays: impl Fn(Origin) -> bool) -> Diff {
        let mut gone: Vec<(String, Origin, Arc<str>)> = Vec::new();
        for (name, key) in &self.keys {
            let held = key.held.values().filter(|held| !stays(held.origin));
            gone.extend(held.map(|held| {
                let reference = Arc::clone(&held.meta.reference);
                (name.clone(), held.origin, reference)
            }));
        }
        let mut diff = Diff::default();
        for (key, origin, reference) in gone {
            if let Some(left) = self.remove(&key, &reference, origin) {
                diff.leaves.entry(key).or_default().push(left);
            }
        }
        diff
    }
}

impl Held {
    fn own(&self) -> Option<&Meta> {
        (self.origin == Origin::Here).then_some(&self.meta)
    }
}

impl Origin {
    fn is_same_gateway(self, other: Self) -> bool {
        match (self, other) {
            (Self::Here, Self::Here) => true,
            (Self::There { gateway, .. }, Self::There { gateway: other, .. }) => gateway == other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLENTY: usize = 1 << 20;

    fn tracked(value: Value) -> Map<String, Value> {
        Map::from_iter([("x".to_owned(), value)])
    }

    fn track(presences: &mut Presences, key: &str, reference: &str) -> Diff {
        let tracked = tracked(reference.into());
        presences
            .track(key, None, reference, tracked, PLENTY)
            .expect("it is tracked")
    }

    fn references(entries: &Entries) -> Vec<&str> {
        let metas = entries.values().flatten();
        metas.map(|meta| &*meta.reference).collect()
    }

    fn nested(depth: usize) -> Value {
        (1..depth).fold(json!([]), |inner, _| json!([inner]))
    }

    /// As it comes out of a letter.
    fn sent<T: Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
        let written = serde_json::to_vec(value).expect("it is written");
        serde_json::from_slice(&written).expect("it is read")
    }

    fn told(presences: &mut Presences) -> Value {
        serde_json::from_str(&presences.told()).expect("it is JSON")
    }

    #[test]
    fn an_update_is_a_leave_and_a_join() {
        let mut presences = Presences::default();
        let first = track(&mut presences, "ada", "r1");
        assert_eq!(references(&first.joins), ["r1"]);
        let second = presences
            .track("ada", Some("r1"), "r2", tracked(json!(2)), PLENTY)
            .expect("it is tracked");
        assert_eq!(references(&second.leaves), ["r1"]);
        let frames: Vec<Value> = second
            .told()
            .iter()
            .map(|frame| serde_json::from_str(frame).expect("it is JSON"))
            .collect();
        let before = json!({ "metas": [{ "x": "r1", "phx_ref": "r1" }] });
        let after = json!({ "metas": [{ "x": 2, "phx_ref": "r2", "phx_ref_prev": "r1" }] });
        let expected = [
            json!({ "joins": {}, "leaves": { "ada": before } }),
            json!({ "joins": { "ada": after }, "leaves": {} }),
        ];
        assert_eq!(frames, expected);
        assert_eq!(told(&mut presences), json!({ "ada": after }));
        assert_eq!(presences.untrack("ada", "r2").leaves.len(), 1);
        assert!(presences.untrack("ada", "r2").is_empty());
        assert!(presences.is_empty() && !presences.has_own());
        assert_eq!(told(&mut presences), json!({}));
    }

    #[test]
    fn others_come_and_go() {
        let mut here = Presences::default();
        let mut there = Presences::default();
        let joined = track(&mut there, "ada", "r1");
        assert_eq!(here.merge(7, 0, &sent(&joined)), joined);
        assert!(here.merge(7, 0, &joined).is_empty(), "told twice");
        assert!(here.merge(8, 0, &joined).is_empty(), "not its own");
        assert!(here.untrack("ada", "r1").is_empty(), "not tracked here");
        assert_eq!(told(&mut here), told(&mut there));
        let left = there.untrack("ada", "r1");
        assert_eq!(here.merge(7, 0, &sent(&left)), left);
        assert!(here.is_empty());
        here.merge(7, 0, &joined);
        track(&mut here, "ada", "r2");
        assert_eq!(references(&here.forget(7).leaves), ["r1"]);
        assert_eq!(told(&mut here)["ada"]["metas"][0]["phx_ref"], "r2");
    }

    #[test]
    fn changes_during_an_account_belong_to_it() {
        let mut here = Presences::default();
        let mut there = Presences::default();
        for (key, reference) in [("a", "gone"), ("b", "stays"), ("c", "leaves")] {
            here.merge(7, 1, &track(&mut there, key, reference));
        }
        // That this one has left was not heard.
        there.untrack("a", "gone");
        let (first, rest) = there.part(None, 1);
        assert_eq!(references(&first), ["stays"]);
        // Behind where the account is, and before it.
        let changes = [
            track(&mut there, "a", "new"),
            there.untrack("c", "leaves"),
            track(&mut there, "d", "last"),
        ];
        let mut seen = vec![here.merge(7, 2, &state(first))];
        for change in &changes {
            seen.push(here.merge(7, 2, change));
        }
        let (second, rest) = there.part(rest.as_ref(), PLENTY);
        assert_eq!(rest, None);
        seen.push(here.merge(7, 2, &state(second)));
        let joins: Vec<&str> = seen
            .iter()
            .flat_map(|diff| references(&diff.joins))
            .collect();
        let leaves: Vec<&str> = seen
            .iter()
            .flat_map(|diff| references(&diff.leaves))
            .collect();
        assert_eq!((joins, leaves), (vec!["new", "last"], vec!["leaves"]));
        assert_eq!(references(&here.expire(7, 2).leaves), ["gone"]);
        assert_eq!(told(&mut here), told(&mut there));
    }

    fn state(joins: Entries) -> Diff {
        let leaves = Entries::new();
        Diff { joins, leaves }
    }

    #[test]
    fn parts_are_bounded_by_bytes_within_a_key_too() {
        let mut there = Presences::default();
        let long = "x".repeat(1000);
        for number in 0..100 {
            let key = ["ada", "bob"][number % 2];
            let reference = format!("r{number}");
            let tracked = tracked(long.clone().into());
            there
                .track(key, None, &reference, tracked, PLENTY)
                .expect("it is tracked");
        }
        let mut here = Presences::default();
        let mut after = None;
        let mut parts = 0;
        loop {
            let (part, rest) = there.part(after.as_ref(), 10_000);
            let bytes = serde_json::to_vec(&part).expect("it is written").len();
            assert!(bytes < 10_500, "{bytes}");
            here.merge(7, 1, &state(part));
            parts += 1;
            after = rest;
            if after.is_none() {
                break;
            }
        }
        assert!(parts > 9, "{parts}");
        assert_eq!(told(&mut here), told(&mut there));
    }

    #[test]
    fn what_is_too_deep_is_not_tracked() {
        let mut presences = Presences::default();
        let mut track = |depth: usize| {
            let tracked = tracked(nested(depth));
            presences.track("ada", None, &format!("r{depth}"), tracked, PLENTY)
        };
        assert!(track(DEPTH - 1).is_ok());
        assert_eq!(track(DEPTH), Err(TrackError::Depth));
    }

    #[test]
    fn what_is_too_much_is_not_tracked() {
        let mut presences = Presences::default();
        let most = 2000;
        let mut tries = 0..;
        let mut full = |presences: &mut Presences, before: Option<&str>, length: usize| {
            let reference = format!("r{}", tries.next().unwrap_or(0));
            let tracked = tracked("x".repeat(length).into());
            // A key that is much longer as JSON.
            presences.track("\u{1}\u{1}", before, &reference, tracked, most)
        };
        full(&mut presences, None, 1000).expect("there is room");
        full(&mut presences, None, 700).expect("there is room");
        let told = presences.told();
        assert_eq!(
            full(&mut presences, None, 300),
            Err(TrackError::Bytes(most))
        );
        assert_eq!(
            full(&mut presences, Some("r0"), 1300),
            Err(TrackError::Bytes(most))
        );
        assert_eq!(presences.told(), told);
        full(&mut presences, Some("r0"), 900).expect("an update takes the place");
        let length = presences.told().len();
        assert!(presences.bytes >= length && presences.bytes < length + 10);
        presences.untrack("\u{1}\u{1}", "r1");
        full(&mut presences, None, 500).expect("there is room again");
        for reference in ["r4", "r5"] {
            presences.untrack("\u{1}\u{1}", reference);
        }
        assert_eq!((presences.bytes, presences.is_empty()), (0, true));
    }

    #[test]
    fn too_many_are_not_tracked() {
        let mut presences = Presences::default();
        for number in 0..ENTRIES {
            track_any(&mut presences, number, None).expect("there is room");
        }
        let one_more = track_any(&mut presences, ENTRIES, None);
        assert_eq!(one_more, Err(TrackError::Entries));
        track_any(&mut presences, ENTRIES, Some("r0")).expect("an update is no more");
    }

    fn track_any(
        presences: &mut Presences,
        number: usize,
        before: Option<&str>,
    ) -> Result<Diff, TrackError> {
        let reference = format!("r{number}");
        presences.track("ada", before, &reference, Map::new(), usize::MAX / 2)
    }
}
