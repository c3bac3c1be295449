//! Which unique key an insert may run into.

use std::sync::Arc;

use passerelle_catalog::{IndexKey, Table, UniqueIndex};
use passerelle_syntax::Resolution;

use crate::context::Context;
use crate::{Conflict, ConflictKey, PlanError};

impl Context<'_> {
    /// The key that `on_conflict` names, or the primary key.
    ///
    /// # Errors
    /// [`PlanError::AmbiguousIndex`] when several partial indexes are on the columns it names.
    pub(crate) fn conflict(
        self,
        table: &Table,
        resolution: Resolution,
    ) -> Result<Conflict, PlanError> {
        let Some(names) = &self.request.on_conflict else {
            return Ok(Conflict::on(table.primary_key.iter().cloned(), resolution));
        };
        let index = if self.settings.index_conflict {
            index(table, names, self.role)?
        } else {
            None
        };
        Ok(match index {
            Some(index) => Conflict::of_index(index, resolution),
            // What PostgreSQL does not know it refuses.
            None => Conflict::on(
                names.iter().map(|name| Arc::from(name.as_str())),
                resolution,
            ),
        })
    }
}

/// The index that has to be told apart for PostgreSQL: one that is named, or the partial one on the
/// columns that are named, unless these are unique anyway.
fn index<'t>(
    table: &'t Table,
    names: &[String],
    role: &str,
) -> Result<Option<&'t UniqueIndex>, PlanError> {
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    if columns.iter().any(|column| table.column(column).is_none()) {
        return Ok(match columns.as_slice() {
            [name] => table.unique_index(name),
            _ => None,
        });
    }
    if table.is_unique_key(&columns) {
        return Ok(None);
    }
    let partial = table.unique_indexes.iter();
    let partial: Vec<&UniqueIndex> = partial.filter(|index| index.is_on(&columns)).collect();
    match partial.as_slice() {
        [] => Ok(None),
        [index] => Ok(Some(index)),
        several => Err(PlanError::AmbiguousIndex {
            relation: table.name.name.to_string(),
            columns: names.to_vec(),
            candidates: several
                .iter()
                .filter(|index| index.writers.iter().any(|writer| &**writer == role))
                .map(|index| index.name.to_string())
                .collect(),
        }),
    }
}

impl Conflict {
    /// On these columns.
    pub(crate) fn on(columns: impl IntoIterator<Item = Arc<str>>, resolution: Resolution) -> Self {
        Self {
            resolution,
            keys: columns.into_iter().map(ConflictKey::Column).collect(),
            predicate: None,
        }
    }

    fn of_index(index: &UniqueIndex, resolution: Resolution) -> Self {
        let keys = index.keys.iter().map(|key| match key {
            IndexKey::Column(name) => ConflictKey::Column(Arc::clone(name)),
            IndexKey::Expression(expression) => ConflictKey::Expression(Arc::clone(expression)),
        });
        Self {
            resolution,
            keys: keys.collect(),
            predicate: index.predicate.clone(),
        }
    }
}
