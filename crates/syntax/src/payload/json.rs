//! JSON bodies: are they JSON, and which members do their objects have.
//!
//! One pass without recursion below the rows, so any depth is fine here; PostgreSQL has its own
//! limit (`max_stack_depth`). Memory is one byte per level of nesting and the names of the first
//! object.

use super::{Payload, PayloadError};
use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;

/// A body whose columns the request names. Whether it is JSON is for PostgreSQL to say.
pub(super) fn unread(bytes: Bytes, columns: &[String]) -> Payload {
    let mut keys = columns.to_vec();
    keys.sort_unstable();
    keys.dedup();
    Payload::Json {
        is_object: first_significant(&bytes) == Some(b'{'),
        bytes,
        keys,
        operations: Vec::new(),
    }
}

/// Reads a body with the members of its objects.
pub(super) fn read(bytes: Bytes) -> Result<Payload, PayloadError> {
    let text = std::str::from_utf8(&bytes).map_err(|_| PayloadError::InvalidJson)?;
    let keys = match first_significant(&bytes) {
        Some(b'{') => Some((true, object(text)?)),
        Some(b'[') => rows(text)?.map(|keys| (false, keys)),
        _ => {
            validate(text)?;
            None
        }
    };
    Ok(match keys {
        Some((is_object, keys)) => Payload::Json {
            bytes,
            is_object,
            keys,
            operations: Vec::new(),
        },
        None => Payload::Json {
            bytes: Bytes::from_static(b"[]"),
            is_object: false,
            keys: Vec::new(),
            operations: Vec::new(),
        },
    })
}

fn first_significant(bytes: &[u8]) -> Option<u8> {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    bytes.iter().find(|byte| !blank(byte)).copied()
}

/// Any value, that is not looked into.
fn validate(text: &str) -> Result<(), PayloadError> {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(IgnoredAny) => Ok(()),
        Err(_) => Err(PayloadError::InvalidJson),
    }
}

/// Names of the members of an object.
fn object(text: &str) -> Result<Vec<String>, PayloadError> {
    let mut names = BTreeSet::new();
    let mut source = serde_json::Deserializer::from_str(text);
    source
        .deserialize_map(Members {
            begun: &mut false,
            each: |name: &str| collect(&mut names, name),
        })
        .and_then(|()| source.end())
        .map_err(|_| PayloadError::InvalidJson)?;
    Ok(names.into_iter().collect())
}

fn collect(names: &mut BTreeSet<String>, name: &str) {
    if !names.contains(name) {
        names.insert(name.to_owned());
    }
}

/// Names of the members that all objects of an array have; none for an empty array.
fn rows(text: &str) -> Result<Option<Vec<String>>, PayloadError> {
    let mut rows = Rows::default();
    let mut source = serde_json::Deserializer::from_str(text);
    match source
        .deserialize_seq(&mut rows)
        .and_then(|()| source.end())
    {
        Ok(()) if rows.differ => Err(PayloadError::DifferentKeys),
        Ok(()) => Ok(rows.keys),
        // It may be JSON all the same.
        Err(_) if rows.other => {
            validate(text)?;
            Err(PayloadError::DifferentKeys)
        }
        Err(_) => Err(PayloadError::InvalidJson),
    }
}

/// What is known of the rows read so far.
#[derive(Default)]
struct Rows {
    /// Names in the first row, sorted; absent before it.
    keys: Option<Vec<String>>,
    /// For each name, and before the first, the one that followed it last: rows tend to have the
    /// same order, and then no name needs to be searched for.
    followers: Vec<usize>,
    /// Number of the row in which each name was seen last.
    seen: Vec<usize>,
    /// Rows compared with the first.
    number: usize,
    /// A row has other members than the first.
    differ: bool,
    /// Something else than an object stands where a row begins, and reading ended there.
    other: bool,
}

impl Rows {
    fn learn(&mut self, names: BTreeSet<String>) {
        self.followers = (0..=names.len()).collect();
        self.seen = vec![0; names.len()];
        self.keys = Some(names.into_iter().collect());
    }
}

/// Ticks the names of one row off those of the first.
struct Row<'r> {
    keys: &'r [String],
    followers: &'r mut [usize],
    seen: &'r mut [usize],
    number: usize,
    /// One more than the index of the name before.
    previous: usize,
    found: usize,
    unknown: bool,
}

impl Row<'_> {
    fn tick(&mut self, name: &str) {
        let Some(index) = self.position(name) else {
            self.unknown = true;
            return;
        };
        self.previous = index + 1;
        if self.seen[index] != self.number {
            self.seen[index] = self.number;
            self.found += 1;
        }
    }

    fn position(&mut self, name: &str) -> Option<usize> {
        let expected = self.followers[self.previous];
        if self.keys.get(expected).is_some_and(|key| key == name) {
            return Some(expected);
        }
        let found = self.keys.binary_search_by(|key| key.as_str().cmp(name));
        let index = found.ok()?;
        self.followers[self.previous] = index;
        Some(index)
    }

    fn is_complete(&self) -> bool {
        !self.unknown && self.found == self.keys.len()
    }
}

impl<'de> Visitor<'de> for &mut Rows {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while !self.differ && rows.next_element_seed(&mut *self)?.is_some() {}
        // What follows still has to be JSON.
        while rows.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Rows {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        let mut begun = false;
        let outcome = if let Some(keys) = &self.keys {
            self.number += 1;
            let mut row = Row {
                keys,
                followers: &mut self.followers,
                seen: &mut self.seen,
                number: self.number,
                previous: 0,
                found: 0,
                unknown: false,
            };
            let outcome = source.deserialize_map(Members {
                begun: &mut begun,
                each: |name: &str| row.tick(name),
            });
            self.differ = !row.is_complete();
            outcome
        } else {
            let mut names = BTreeSet::new();
            let outcome = source.deserialize_map(Members {
                begun: &mut begun,
                each: |name: &str| collect(&mut names, name),
            });
            self.learn(names);
            outcome
        };
        self.other = !begun;
        outcome
    }
}

/// Calls `each` with the names of an object's members.
struct Members<'b, F> {
    /// Set once there is an object.
    begun: &'b mut bool,
    each: F,
}

impl<'de, F: FnMut(&str)> Visitor<'de> for Members<'_, F> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        *self.begun = true;
        while members.next_key_seed(Name(&mut self.each))?.is_some() {
            members.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// A name, without escapes, that is looked at where it stands.
struct Name<'f, F>(&'f mut F);

impl<'de, F: FnMut(&str)> DeserializeSeed<'de> for Name<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_str(self)
    }
}

impl<F: FnMut(&str)> Visitor<'_> for Name<'_, F> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<(), E> {
        (self.0)(name);
        Ok(())
    }
}
