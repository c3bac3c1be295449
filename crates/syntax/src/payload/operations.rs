//! Values that are operations: objects with one member that names what is done to the column.
//!
//! The body itself goes to PostgreSQL as it came; what is read here are the names of the operations
//! and what kind of JSON their operands are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::PayloadError;

/// What is done to what a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueOperation {
    /// `$inc`: a number is added.
    Increment,
    /// `$merge`: members of an object take the place of those that are there.
    Merge,
    /// `$append`: elements are added at the end.
    Append,
    /// `$prepend`: elements are added at the beginning.
    Prepend,
    /// `$remove`: elements or members are taken away.
    Remove,
}

impl ValueOperation {
    const ALL: [Self; 5] = [
        Self::Increment,
        Self::Merge,
        Self::Append,
        Self::Prepend,
        Self::Remove,
    ];

    /// The member that names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Increment => "$inc",
            Self::Merge => "$merge",
            Self::Append => "$append",
            Self::Prepend => "$prepend",
            Self::Remove => "$remove",
        }
    }

    /// What its operand is.
    pub const fn operand(self) -> &'static str {
        match self {
            Self::Increment => "a number",
            Self::Merge => "an object",
            Self::Append | Self::Prepend | Self::Remove => "an array",
        }
    }

    fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    fn takes(self, operand: &str) -> bool {
        let first = operand.as_bytes().first();
        match self {
            Self::Increment => first.is_some_and(|byte| matches!(byte, b'-' | b'0'..=b'9')),
            Self::Merge => first == Some(&b'{'),
            Self::Append | Self::Prepend | Self::Remove => first == Some(&b'['),
        }
    }
}

/// The operations of a body by column; `keys` are the columns that are read, sorted. Other values
/// stand for themselves.
pub(super) fn read(
    body: &[u8],
    is_object: bool,
    keys: &[String],
) -> Result<Vec<(String, ValueOperation)>, PayloadError> {
    let text = std::str::from_utf8(body).map_err(|_| PayloadError::InvalidJson)?;
    let mut rows = Rows {
        keys,
        first: None,
        fault: None,
    };
    let mut source = serde_json::Deserializer::from_str(text);
    let read = if is_object {
        (&mut rows).deserialize(&mut source)
    } else {
        source.deserialize_seq(&mut rows)
    };
    let read = read.and_then(|()| source.end());
    if let Some(fault) = rows.fault {
        return Err(fault);
    }
    read.map_err(|_| PayloadError::InvalidJson)?;
    let first = rows.first.unwrap_or_default().into_iter();
    Ok(first
        .map(|(column, operation)| (keys[column].clone(), operation))
        .collect())
}

/// Operations of one row by the position of their column. A row takes no more memory and time than
/// it is long, however many columns there are.
type Operations = BTreeMap<usize, ValueOperation>;

/// The rows of a body.
struct Rows<'k> {
    keys: &'k [String],
    /// Operations of the first row.
    first: Option<Operations>,
    /// Why reading ended.
    fault: Option<PayloadError>,
}

impl Rows<'_> {
    fn operation(&mut self, column: usize, value: &str) -> Option<ValueOperation> {
        let (operation, operand) = operation(value)?;
        if !operation.takes(operand) && self.fault.is_none() {
            self.fault = Some(PayloadError::Operand {
                column: self.keys[column].clone(),
                operation,
            });
        }
        Some(operation)
    }

    /// All rows have the same operations, because one statement changes them all.
    fn compare(&mut self, row: Operations) {
        let Some(first) = &self.first else {
            self.first = Some(row);
            return;
        };
        let mut columns = first.keys().chain(row.keys());
        let differs = columns.find(|column| first.get(column) != row.get(column));
        if let (Some(&column), None) = (differs, &self.fault) {
            self.fault = Some(PayloadError::MixedOperations {
                column: self.keys[column].clone(),
            });
        }
    }
}

impl<'de> Visitor<'de> for &mut Rows<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(&mut *self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut row = Operations::new();
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            match self.keys.binary_search_by(|key| key.as_str().cmp(&name)) {
                // Of several members of one name the last counts, as it does to PostgreSQL.
                Ok(column) => {
                    let value = members.next_value::<&'de RawValue>()?;
                    match self.operation(column, value.get()) {
                        Some(operation) => row.insert(column, operation),
                        None => row.remove(&column),
                    };
                }
                Err(_) => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.compare(row);
        match self.fault {
            Some(_) => Err(A::Error::custom("no operations")),
            None => Ok(()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_map(self)
    }
}

/// The operation that a value is, and its operand.
fn operation(value: &str) -> Option<(ValueOperation, &str)> {
    struct Single;

    impl<'de> Visitor<'de> for Single {
        type Value = (ValueOperation, &'de str);

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("an operation")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let other = || A::Error::custom("a value");
            let name = members.next_key::<Cow<'de, str>>()?.ok_or_else(other)?;
            let operation = ValueOperation::read(&name).ok_or_else(other)?;
            let operand = members.next_value::<&'de RawValue>()?;
            match members.next_key::<IgnoredAny>()? {
                None => Ok((operation, operand.get())),
                Some(IgnoredAny) => Err(other()),
            }
        }
    }

    if !value.starts_with('{') {
        return None;
    }
    serde_json::Deserializer::from_str(value)
        .deserialize_map(Single)
        .ok()
}
