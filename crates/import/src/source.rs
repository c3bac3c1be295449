//! Reads an export, row by row, whatever its shape.

mod rows;

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use self::rows::{Rows, read_rows};
use crate::table::Table;

/// How tables are called in a dump of localStorage.
const TABLE_PREFIX: &str = "hub-lib-db-";
const APP_PREFIX: &str = "hub-lib-";

/// Which of the three forms an export has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{ metadata, tables, auth, authData, analytics }`
    Export,
    /// `{ table: rows }`
    Tables,
    /// Everything that localStorage holds, as it lies there.
    Dump,
}

/// What a list of rows holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rowset {
    Table(Table),
    Credentials,
    /// A table that the application does not have.
    Unknown(String),
}

/// Who is told what an export holds, in its order.
pub(crate) trait Sink {
    /// A row, as JSON.
    fn row(&mut self, of: &Rowset, json: &str);
    /// What follows of a table cannot be read.
    fn damaged(&mut self, of: &Rowset);
    /// Who was signed in.
    fn session(&mut self, json: &str);
    /// When the export was made, among other things.
    fn metadata(&mut self, json: &str);
    /// A file that lies beside the tables.
    fn file(&mut self, key: &str, json: &str);
    /// Something that is not of use.
    fn left_out(&mut self, key: &str, why: &'static str);
}

/// Reads an export; none if it holds nothing of the application.
pub(crate) fn read(
    source: impl Read,
    sink: &mut impl Sink,
) -> Result<Option<Shape>, serde_json::Error> {
    let mut shape = None;
    let mut json = serde_json::Deserializer::from_reader(source);
    Root {
        sink,
        shape: &mut shape,
    }
    .deserialize(&mut json)?;
    json.end()?;
    Ok(shape)
}

struct Root<'a, S> {
    sink: &'a mut S,
    shape: &'a mut Option<Shape>,
}

impl<'de, S: Sink> DeserializeSeed<'de> for Root<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Root<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let sink = &mut *self.sink;
            if let Some(shape) = shape_of(&key) {
                self.shape.get_or_insert(shape);
            }
            match key.as_str() {
                "tables" => map.next_value_seed(Tables { sink })?,
                "metadata" => sink.metadata(map.next_value::<Box<RawValue>>()?.get()),
                "auth" => sink.session(map.next_value::<Box<RawValue>>()?.get()),
                "authData" => map.next_value_seed(Rows::new(Rowset::Credentials, sink))?,
                key if key.starts_with(APP_PREFIX) => {
                    let value = map.next_value::<Box<RawValue>>()?;
                    stored(key, value.get(), sink);
                }
                key => {
                    if let Some(table) = Table::named(key) {
                        map.next_value_seed(Rows::new(Rowset::Table(table), sink))?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                        sink.left_out(key, "it is not of the application");
                    }
                }
            }
        }
        Ok(())
    }
}

/// What a member of the root says about the form.
fn shape_of(key: &str) -> Option<Shape> {
    match key {
        "tables" | "authData" => Some(Shape::Export),
        key if key.starts_with(APP_PREFIX) => Some(Shape::Dump),
        // It is part of an export as well.
        "analytics" => None,
        key => Table::named(key).map(|_| Shape::Tables),
    }
}

/// The member `tables` of an export.
struct Tables<'a, S> {
    sink: &'a mut S,
}

impl<'de, S: Sink> DeserializeSeed<'de> for Tables<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Tables<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tables")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let rowset = Table::named(&name).map_or(Rowset::Unknown(name), Rowset::Table);
            map.next_value_seed(Rows::new(rowset, &mut *self.sink))?;
        }
        Ok(())
    }
}

/// A member of a dump: JSON as text, or as it is.
fn stored(key: &str, value: &str, sink: &mut impl Sink) {
    let unquoted = value
        .starts_with('"')
        .then(|| serde_json::from_str::<String>(value).ok())
        .flatten();
    let value = unquoted.as_deref().unwrap_or(value);
    if let Some(name) = key.strip_prefix(TABLE_PREFIX) {
        let rowset = Table::named(name).map_or(Rowset::Unknown(name.to_owned()), Rowset::Table);
        return read_rows(value, &rowset, sink);
    }
    match &key[APP_PREFIX.len()..] {
        "auth" => sink.session(value),
        "auth-data" => read_rows(value, &Rowset::Credentials, sink),
        name if name.starts_with("file-") || name.starts_with("avatar-") => sink.file(key, value),
        name if name.starts_with("api-") => {
            sink.left_out(key, "tokens of programs are made anew");
        }
        // Categories and templates lie beside the other tables.
        name => match Table::named(&name.replace('-', "_")) {
            Some(table) => read_rows(value, &Rowset::Table(table), sink),
            None => sink.left_out(key, "it is a setting of the browser"),
        },
    }
}

#[cfg(test)]
mod tests;
