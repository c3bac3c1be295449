//! What a transaction has changed, gathered from its messages.

use std::collections::{BTreeSet, HashMap, HashSet};

use passerelle_catalog::QualifiedName;

use super::pgoutput::{Output, Relation, Update, Value};
use super::{Counters, FeedCommit};

/// Says that what tables are and who may read them has changed.
const DEFINITIONS: &str = "passerelle.definitions";
/// Says that everything that is kept is to be forgotten.
const FLUSH: &str = "passerelle.flush";

/// Gathers the messages of one transaction after the other.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    /// Which columns of a table do not count.
    ignored: HashMap<u32, Vec<bool>>,
    xid: u32,
    touched: BTreeSet<u32>,
    definitions: bool,
    flush: bool,
}

impl Transactions {
    /// Takes a message; the transaction that it ends.
    pub(super) fn take(&mut self, output: Output, counters: &Counters) -> Option<FeedCommit> {
        match output {
            Output::Begin { xid, .. } => self.xid = xid,
            Output::Relation(relation) => self.describe(&relation, counters),
            Output::Insert { table, .. } | Output::Delete { table, .. } => {
                self.touched.insert(table);
            }
            Output::Update(update) => {
                if !self.touched.contains(&update.table) && self.counts(&update) {
                    self.touched.insert(update.table);
                }
            }
            Output::Truncate { tables } => self.touched.extend(tables),
            Output::Message { prefix } => match prefix.as_str() {
                DEFINITIONS => self.definitions = true,
                FLUSH => self.flush = true,
                _ => {}
            },
            Output::Other => {}
            Output::Commit { end } => {
                return Some(FeedCommit {
                    xid: self.xid,
                    position: end,
                    tables: std::mem::take(&mut self.touched).into_iter().collect(),
                    definitions: std::mem::take(&mut self.definitions),
                    flush: std::mem::take(&mut self.flush),
                });
            }
        }
        None
    }

    fn describe(&mut self, relation: &Relation, counters: &Counters) {
        let name = QualifiedName::new(relation.schema.as_str(), relation.name.as_str());
        let Some(names) = counters.get(&name) else {
            self.ignored.remove(&relation.table);
            return;
        };
        let names: HashSet<&str> = names.iter().map(String::as_str).collect();
        let columns = relation.columns.iter();
        let ignored = columns.map(|column| names.contains(column.as_str()));
        self.ignored.insert(relation.table, ignored.collect());
    }

    /// Whether an update has changed more than counters, as far as can be told.
    fn counts(&self, update: &Update) -> bool {
        let (Some(ignored), Some(old)) = (self.ignored.get(&update.table), &update.old) else {
            return true;
        };
        if old.len() != ignored.len() || update.new.len() != ignored.len() {
            return true;
        }
        let mut values = ignored.iter().zip(old).zip(&update.new);
        values.any(|((ignored, old), new)| !ignored && *new != Value::Unchanged && old != new)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::feed::Position;

    fn counters() -> Counters {
        let name = QualifiedName::new("public", "posts");
        HashMap::from([(name, vec!["views".to_owned()])])
    }

    fn begin(xid: u32) -> Output {
        let position = Position(9);
        let time = 0;
        Output::Begin {
            position,
            time,
            xid,
        }
    }

    fn posts() -> Output {
        Output::Relation(Relation {
            table: 7,
            schema: "public".to_owned(),
            name: "posts".to_owned(),
            columns: vec!["title".to_owned(), "views".to_owned()],
            keys: vec![true, false],
            is_full: false,
        })
    }

    fn row(title: &'static str, views: &'static str) -> Vec<Value> {
        [title, views]
            .map(|value| Value::Data(Bytes::from_static(value.as_bytes())))
            .to_vec()
    }

    fn update(old: Option<Vec<Value>>, new: Vec<Value>) -> Output {
        let table = 7;
        Output::Update(Update {
            table,
            old,
            key: None,
            new,
        })
    }

    fn touched(outputs: Vec<Output>) -> Vec<u32> {
        let mut transactions = Transactions::default();
        let counters = counters();
        let end = Output::Commit { end: Position(9) };
        let all = [begin(3), posts()];
        let all = all.into_iter().chain(outputs).chain([end]);
        let commit = all.filter_map(|one| transactions.take(one, &counters));
        commit.last().expect("a commit").tables
    }

    #[test]
    fn counters_alone_do_not_count() {
        let counted = update(Some(row("a", "1")), row("a", "2"));
        assert!(touched(vec![counted.clone()]).is_empty());
        let renamed = update(Some(row("a", "1")), row("b", "1"));
        assert_eq!(touched(vec![renamed]), [7]);
        assert_eq!(touched(vec![update(None, row("a", "1"))]), [7]);
        let apart = vec![Value::Unchanged, Value::Null];
        assert!(touched(vec![update(Some(row("a", "1")), apart)]).is_empty());
        let mut bytes = vec![b'I', 0, 0, 0, 7, b'N', 0, 1, b'n'];
        let insert = Output::read(std::mem::take(&mut bytes).into()).expect("an insert");
        assert_eq!(touched(vec![counted, insert]), [7]);
    }

    #[test]
    fn nothing_is_left_for_the_next() {
        let mut transactions = Transactions::default();
        let none = Counters::default();
        let mut run = |outputs: Vec<Output>| {
            let commits = outputs.into_iter();
            let mut commits = commits.filter_map(|one| transactions.take(one, &none));
            commits.next().expect("a commit")
        };
        let prefix = "passerelle.definitions".to_owned();
        let first = run(vec![
            begin(3),
            Output::Truncate { tables: vec![9, 7] },
            Output::Message { prefix },
            Output::Commit { end: Position(9) },
        ]);
        assert_eq!((first.tables, first.definitions), (vec![7, 9], true));
        let second = run(vec![begin(4), Output::Commit { end: Position(12) }]);
        let expected = FeedCommit {
            xid: 4,
            position: Position(12),
            ..FeedCommit::default()
        };
        assert_eq!(second, expected);
    }
}
