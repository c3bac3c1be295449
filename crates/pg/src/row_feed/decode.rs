//! From messages of the output plugin to changes of rows.

use std::collections::HashMap;
use std::sync::Arc;

use crate::feed::pgoutput::{Malformed, Output, Relation, Value};

/// A table as its changes describe it.
#[derive(Debug, PartialEq, Eq)]
pub struct RowRelation {
    /// Its object identifier.
    pub table: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Names of its columns, in the order of values.
    pub columns: Vec<String>,
    /// Which of them are of the key by which rows are known.
    pub keys: Vec<bool>,
    /// Rows are known by all they hold: its replica identity is `full`.
    pub is_full: bool,
    /// Grows each time that it is described anew.
    pub version: u64,
}

/// A change.
#[derive(Clone, Debug)]
pub struct RowChange {
    /// The transaction.
    pub xid: u32,
    /// When it was committed, in microseconds since 2000.
    pub time: i64,
    /// The table.
    pub relation: Arc<RowRelation>,
    /// What has happened.
    pub what: RowWhat,
}

/// What has happened to a row.
#[derive(Clone, Debug)]
pub enum RowWhat {
    /// It is new.
    Insert {
        /// Its values.
        new: Vec<Value>,
    },
    /// It is another.
    Update {
        /// As it was, if the table's replica identity is `full`.
        old: Option<Vec<Value>>,
        /// Its key as it was, if that has changed; other values are null.
        key: Option<Vec<Value>>,
        /// As it is.
        new: Vec<Value>,
    },
    /// It is gone.
    Delete {
        /// As it was; the key alone unless the table's replica identity is `full`.
        old: Vec<Value>,
        /// Whether it is the whole row.
        is_whole: bool,
    },
}

/// How much a [`Decoder`] has taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    done: u64,
    partial: (u64, u64),
}

/// What a message has come to.
#[derive(Debug)]
pub(super) enum Step {
    Nothing,
    Change(RowChange),
    /// A transaction has ended, here.
    Committed(u64),
    /// A transaction has changed definitions.
    Redefined(u32),
}

/// Gathers what messages say.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    relations: HashMap<u32, Arc<RowRelation>>,
    versions: u64,
    xid: u32,
    time: i64,
    /// Where the commit of the transaction is.
    position: u64,
    /// Changes of the transaction so far.
    count: u64,
    /// Up to where transactions have been delivered.
    done: u64,
    /// A transaction of which so many changes have been delivered.
    partial: (u64, u64),
    /// Whether nobody is to be told what the transaction does.
    is_quiet: bool,
}

impl Decoder {
    /// How much has been taken.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            done: self.done,
            partial: self.partial,
        }
    }

    /// What was taken after a mark has not been delivered.
    pub(super) fn undo(&mut self, mark: Mark) {
        (self.done, self.partial) = (mark.done, mark.partial);
    }

    /// A new stream begins, which may say again what was delivered.
    pub(super) fn restart(&mut self) {
        self.relations.clear();
        (self.position, self.count) = (0, 0);
    }

    /// What was delivered does not matter any more.
    pub(super) fn forget(&mut self) {
        *self = Self {
            versions: self.versions,
            ..Self::default()
        };
    }

    /// Whether a transaction has begun and not ended.
    pub(super) fn is_inside(&self) -> bool {
        self.position != 0
    }

    pub(super) fn take(&mut self, output: Output) -> Result<Step, Malformed> {
        let (table, what) = match output {
            Output::Begin {
                position,
                time,
                xid,
            } => {
                (self.position, self.time, self.xid) = (position.0, time, xid);
                self.count = 0;
                self.is_quiet = false;
                return Ok(Step::Nothing);
            }
            Output::Commit { end } => {
                self.done = self.done.max(self.position);
                self.position = 0;
                return Ok(Step::Committed(end.0));
            }
            Output::Relation(relation) => {
                self.describe(relation);
                return Ok(Step::Nothing);
            }
            Output::Message { prefix } if prefix == "passerelle.definitions" => {
                return Ok(Step::Redefined(self.xid));
            }
            // Old data that are brought in are no news.
            Output::Message { prefix } if prefix == "passerelle.quiet" => {
                self.is_quiet = self.is_inside();
                return Ok(Step::Nothing);
            }
            Output::Message { .. } | Output::Other | Output::Truncate { .. } => {
                return Ok(Step::Nothing);
            }
            Output::Insert { table, new } => (table, RowWhat::Insert { new: new.values()? }),
            Output::Update(update) => {
                let what = RowWhat::Update {
                    old: update.old,
                    key: update.key,
                    new: update.new,
                };
                (update.table, what)
            }
            Output::Delete {
                table,
                old,
                is_whole,
            } => {
                let old = old.values()?;
                (table, RowWhat::Delete { old, is_whole })
            }
        };
        if !self.is_new() || self.is_quiet {
            return Ok(Step::Nothing);
        }
        let relation = self.relations.get(&table).ok_or(Malformed)?;
        Ok(Step::Change(RowChange {
            xid: self.xid,
            time: self.time,
            relation: Arc::clone(relation),
            what,
        }))
    }

    /// Counts a change; whether it has not been delivered before.
    fn is_new(&mut self) -> bool {
        self.count += 1;
        let (position, count) = self.partial;
        if self.position <= self.done || (self.position == position && self.count <= count) {
            return false;
        }
        self.partial = (self.position, self.count);
        true
    }

    fn describe(&mut self, relation: Relation) {
        self.versions += 1;
        let known = RowRelation {
            table: relation.table,
            schema: relation.schema,
            name: relation.name,
            columns: relation.columns,
            keys: relation.keys,
            is_full: relation.is_full,
            version: self.versions,
        };
        self.relations.insert(known.table, Arc::new(known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Position;

    fn begin(position: u64) -> Output {
        Output::Begin {
            position: Position(position),
            time: 1,
            xid: 7,
        }
    }

    fn insert() -> Output {
        let bytes = vec![b'I', 0, 0, 0, 7, b'N', 0, 1, b'n'];
        Output::read(bytes.into()).expect("an insert")
    }

    fn table() -> Output {
        Output::Relation(Relation {
            table: 7,
            schema: "public".to_owned(),
            name: "posts".to_owned(),
            columns: vec!["id".to_owned()],
            keys: vec![true],
            is_full: false,
        })
    }

    #[test]
    fn what_a_new_stream_says_again_is_not_delivered_again() {
        let mut decoder = Decoder::default();
        let mut changes = |outputs: Vec<Output>| {
            let steps = outputs.into_iter().map(|output| decoder.take(output));
            let changes = steps.filter(|step| matches!(step, Ok(Step::Change(_))));
            changes.count()
        };
        let commit = |end| Output::Commit { end: Position(end) };
        let first = vec![begin(10), table(), insert(), insert(), commit(11)];
        assert_eq!(changes(first), 2);
        assert_eq!(changes(vec![begin(20), insert(), insert()]), 2);
        // The connection is lost in the middle, and the stream goes back further than it has to.
        decoder.restart();
        let mut changes = |outputs: Vec<Output>| {
            let steps = outputs.into_iter().map(|output| decoder.take(output));
            let changes = steps.filter(|step| matches!(step, Ok(Step::Change(_))));
            changes.count()
        };
        let again = vec![begin(10), table(), insert(), insert(), commit(11)];
        assert_eq!(changes(again), 0);
        let rest = vec![begin(20), insert(), insert(), insert(), commit(21)];
        assert_eq!(changes(rest), 1);
        assert_eq!(changes(vec![begin(30), insert(), commit(31)]), 1);
    }

    #[test]
    fn a_quiet_transaction_is_told_to_nobody() {
        let mut decoder = Decoder::default();
        let mut changes = |outputs: Vec<Output>| {
            let steps = outputs.into_iter().map(|output| decoder.take(output));
            let changes = steps.filter(|step| matches!(step, Ok(Step::Change(_))));
            changes.count()
        };
        let quiet = || Output::Message {
            prefix: "passerelle.quiet".to_owned(),
        };
        let commit = |end| Output::Commit { end: Position(end) };
        let silent = vec![begin(10), quiet(), table(), insert(), commit(11)];
        assert_eq!(changes(silent), 0);
        assert_eq!(changes(vec![begin(20), insert(), commit(21)]), 1);
        // Outside of a transaction it says nothing.
        assert_eq!(changes(vec![quiet(), begin(30), insert(), commit(31)]), 1);
    }
}
