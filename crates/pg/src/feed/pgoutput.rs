//! Messages of the output plugin `pgoutput` (PostgreSQL, "Logical Replication Message Formats"), as far
//! as they are needed.

use bytes::{Buf as _, Bytes, TryGetError};
use thiserror::Error;

use super::position::Position;

/// A message of the plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Begin {
        /// Where the commit is.
        position: Position,
        /// When it was committed, in microseconds since 2000.
        time: i64,
        xid: u32,
    },
    Commit {
        /// Where the commit ends.
        end: Position,
    },
    /// What a table is; comes before its first change.
    Relation(Relation),
    Insert {
        table: u32,
        new: Tuple,
    },
    Update(Update),
    Delete {
        table: u32,
        /// The whole row, if the table's replica identity is `full`; otherwise the key alone.
        old: Tuple,
        is_whole: bool,
    },
    Truncate {
        tables: Vec<u32>,
    },
    /// Something that was said with `pg_logical_emit_message`.
    Message {
        prefix: String,
    },
    /// Where the change was made, or what type a column has.
    Other,
}

/// What a table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) table: u32,
    pub(crate) schema: String,
    pub(crate) name: String,
    /// Names of its columns.
    pub(crate) columns: Vec<String>,
    /// Which of them are of the key by which rows are known.
    pub(crate) keys: Vec<bool>,
    /// Rows are known by all they hold: the table's replica identity is `full`.
    pub(crate) is_full: bool,
}

/// A row that is read when it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tuple(Bytes);

impl Tuple {
    /// Its values.
    pub(crate) fn values(&self) -> Result<Vec<Value>, Malformed> {
        row(&mut self.0.clone())
    }
}

/// How a row was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    pub(crate) table: u32,
    /// The whole row as it was, if the table's replica identity is `full`.
    pub(crate) old: Option<Vec<Value>>,
    /// The key as it was, if it has changed.
    pub(crate) key: Option<Vec<Value>>,
    pub(crate) new: Vec<Value>,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// There is none.
    Null,
    /// It is stored apart and was not changed.
    Unchanged,
    /// As text.
    Data(Bytes),
}

/// The plugin has said what it should not say.
#[derive(Debug, Error)]
#[error("a malformed message of the output plugin")]
pub(crate) struct Malformed;

impl From<TryGetError> for Malformed {
    fn from(_: TryGetError) -> Self {
        Self
    }
}

impl Output {
    pub(crate) fn read(mut bytes: Bytes) -> Result<Self, Malformed> {
        let from = &mut bytes;
        Ok(match from.try_get_u8()? {
            b'B' => Self::Begin {
                position: Position(from.try_get_u64()?),
                time: from.try_get_i64()?,
                xid: from.try_get_u32()?,
            },
            b'C' => {
                // Flags and the position where the commit begins.
                skip(from, 9)?;
                Self::Commit {
                    end: Position(from.try_get_u64()?),
                }
            }
            b'R' => Self::Relation(relation(from)?),
            b'I' => {
                let table = from.try_get_u32()?;
                skip(from, 1)?;
                let new = Tuple(bytes);
                Self::Insert { table, new }
            }
            b'U' => Self::Update(update(from)?),
            b'D' => {
                let table = from.try_get_u32()?;
                let is_whole = from.try_get_u8()? == b'O';
                let old = Tuple(bytes);
                Self::Delete {
                    table,
                    old,
                    is_whole,
                }
            }
            b'T' => Self::Truncate {
                tables: truncated(from)?,
            },
            b'M' => {
                // Flags and position.
                skip(from, 9)?;
                Self::Message {
                    prefix: text(from)?,
                }
            }
            b'O' | b'Y' => Self::Other,
            _ => return Err(Malformed),
        })
    }
}

fn relation(from: &mut Bytes) -> Result<Relation, Malformed> {
    let table = from.try_get_u32()?;
    let (schema, name) = (text(from)?, text(from)?);
    // The replica identity.
    let is_full = from.try_get_u8()? == b'f';
    let columns = (0..from.try_get_u16()?).map(|_| {
        let is_key = from.try_get_u8()? & 1 == 1;
        let name = text(from)?;
        // Type and modifier.
        skip(from, 8)?;
        Ok((name, is_key))
    });
    let columns: Vec<(String, bool)> = columns.collect::<Result<_, Malformed>>()?;
    let (columns, keys) = columns.into_iter().unzip();
    Ok(Relation {
        table,
        schema,
        name,
        columns,
        keys,
        is_full,
    })
}

fn update(from: &mut Bytes) -> Result<Update, Malformed> {
    let table = from.try_get_u32()?;
    let (mut old, mut key) = (None, None);
    loop {
        match from.try_get_u8()? {
            b'O' => old = Some(row(from)?),
            b'K' => key = Some(row(from)?),
            b'N' => {
                let new = row(from)?;
                return Ok(Update {
                    table,
                    old,
                    key,
                    new,
                });
            }
            _ => return Err(Malformed),
        }
    }
}

fn row(from: &mut Bytes) -> Result<Vec<Value>, Malformed> {
    let values = (0..from.try_get_u16()?).map(|_| {
        Ok(match from.try_get_u8()? {
            b'n' => Value::Null,
            b'u' => Value::Unchanged,
            b't' | b'b' => {
                let length = usize::try_from(from.try_get_u32()?).map_err(|_| Malformed)?;
                if from.len() < length {
                    return Err(Malformed);
                }
                Value::Data(from.split_to(length))
            }
            _ => return Err(Malformed),
        })
    });
    values.collect()
}

fn truncated(from: &mut Bytes) -> Result<Vec<u32>, Malformed> {
    let tables = from.try_get_u32()?;
    // Options.
    skip(from, 1)?;
    let tables = (0..tables).map(|_| Ok(from.try_get_u32()?));
    tables.collect()
}

fn text(from: &mut Bytes) -> Result<String, Malformed> {
    let end = from.iter().position(|byte| *byte == 0).ok_or(Malformed)?;
    let text = String::from_utf8_lossy(&from.split_to(end)).into_owned();
    from.advance(1);
    Ok(text)
}

fn skip(from: &mut Bytes, bytes: usize) -> Result<(), Malformed> {
    if from.len() < bytes {
        return Err(Malformed);
    }
    from.advance(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_before_and_after() {
        let mut bytes = vec![b'U', 0, 0, 0, 7, b'O', 0, 2];
        bytes.extend([b't', 0, 0, 0, 1, b'a', b'n']);
        bytes.extend([b'N', 0, 2, b'u', b't', 0, 0, 0, 2, b'b', b'c']);
        let read = Output::read(bytes.clone().into()).expect("an update");
        let expected = Update {
            table: 7,
            old: Some(vec![Value::Data(Bytes::from_static(b"a")), Value::Null]),
            key: None,
            new: vec![Value::Unchanged, Value::Data(Bytes::from_static(b"bc"))],
        };
        assert_eq!(read, Output::Update(expected));
        // Cut anywhere, it is malformed and nothing worse.
        for end in 0..bytes.len() {
            assert!(Output::read(bytes[..end].to_vec().into()).is_err(), "{end}");
        }
    }

    #[test]
    fn what_a_table_is() {
        let mut bytes = vec![b'R', 0, 0, 0, 7];
        bytes.extend(b"public\0posts\0d\0\x02");
        bytes.extend(b"\x01id\0\0\0\0\x17\xff\xff\xff\xff");
        bytes.extend(b"\x00views\0\0\0\0\x17\xff\xff\xff\xff");
        let expected = Relation {
            table: 7,
            schema: "public".to_owned(),
            name: "posts".to_owned(),
            columns: vec!["id".to_owned(), "views".to_owned()],
            keys: vec![true, false],
            is_full: false,
        };
        let read = Output::read(bytes.into()).expect("a relation");
        assert_eq!(read, Output::Relation(expected));
    }

    #[test]
    fn truncations_and_strangers() {
        let bytes = [b'T', 0, 0, 0, 2, 0, 0, 0, 0, 7, 0, 0, 0, 9];
        let read = Output::read(Bytes::copy_from_slice(&bytes)).expect("a truncation");
        let tables = vec![7, 9];
        assert_eq!(read, Output::Truncate { tables });
        assert!(Output::read(Bytes::from_static(b"?")).is_err());
        assert!(Output::read(Bytes::new()).is_err());
    }
}
