//! A list of rows, one after the other.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Rowset, Sink};

pub(super) struct Rows<'a, S> {
    of: Rowset,
    sink: &'a mut S,
}

impl<'a, S: Sink> Rows<'a, S> {
    pub(super) fn new(of: Rowset, sink: &'a mut S) -> Self {
        Self { of, sink }
    }
}

/// Reads rows from text of their own: what is damaged in it says nothing about the rest of the export.
pub(super) fn read_rows(json: &str, of: &Rowset, sink: &mut impl Sink) {
    let mut read = serde_json::Deserializer::from_str(json);
    let rows = Rows {
        of: of.clone(),
        sink: &mut *sink,
    };
    if rows
        .deserialize(&mut read)
        .and_then(|()| read.end())
        .is_err()
    {
        sink.damaged(of);
    }
}

impl<'de, S: Sink> DeserializeSeed<'de> for Rows<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Rows<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element::<Box<RawValue>>()? {
            self.sink.row(&self.of, row.get());
        }
        Ok(())
    }

    /// A table that was never written.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.sink.damaged(&self.of);
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.sink.damaged(&self.of);
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.sink.damaged(&self.of);
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.sink.damaged(&self.of);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.sink.damaged(&self.of);
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.sink.damaged(&self.of);
        Ok(())
    }
}
