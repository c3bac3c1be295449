//! Names of columns by relation and number.

use std::sync::Arc;

use crate::raw::{AttributeNumber, Oid, RawColumn};

pub(super) struct ColumnNames {
    sorted: Vec<(Oid, AttributeNumber, Arc<str>)>,
}

impl ColumnNames {
    /// `columns` must be sorted by relation and number.
    pub(super) fn new(columns: &[RawColumn]) -> Self {
        let sorted = columns
            .iter()
            .map(|column| {
                (
                    column.relation,
                    column.number,
                    Arc::clone(&column.column.name),
                )
            })
            .collect();
        Self { sorted }
    }

    pub(super) fn one(&self, relation: Oid, number: AttributeNumber) -> Option<&Arc<str>> {
        let index = self
            .sorted
            .binary_search_by_key(&(relation, number), |&(oid, number, _)| (oid, number))
            .ok()?;
        self.sorted.get(index).map(|(_, _, name)| name)
    }

    /// The names of all these columns, or nothing when one is unknown.
    pub(super) fn all(
        &self,
        relation: Oid,
        numbers: &[AttributeNumber],
    ) -> Option<Box<[Arc<str>]>> {
        numbers
            .iter()
            .map(|&number| self.one(relation, number).cloned())
            .collect()
    }
}
