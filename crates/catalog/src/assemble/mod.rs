//! Builds a [`Catalog`] from flat rows.
//!
//! Owns the order of the steps and the maps; which relationships follow from the rows is decided
//! in [`relationships`] and [`views`].

mod edges;
mod names;
mod relationships;
mod routines;
mod views;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use self::names::ColumnNames;
use self::views::ViewKeys;
use crate::raw::{
    Oid, RawCatalog, RawColumn, RawIndexKey, RawKey, RawRelation, RawUniqueIndex, ReadableColumns,
    RoleSetting,
};
use crate::{Catalog, Column, IndexKey, Table, UniqueIndex};

/// Setting that becomes the isolation level of a role's transactions instead of being set.
const ISOLATION: &str = "default_transaction_isolation";

impl Catalog {
    /// Builds the maps and infers the relationships, by the rules of PostgREST 16.
    pub fn assemble(mut raw: RawCatalog) -> Self {
        raw.columns
            .sort_unstable_by_key(|column| (column.relation, column.number));
        raw.relations.sort_unstable_by_key(|relation| relation.oid);
        let names = ColumnNames::new(&raw.columns);
        let view_keys = ViewKeys::new(&raw);
        let primary_keys = primary_keys(&raw.relations, &raw.keys, &names, &view_keys);
        let relationships = relationships::infer(&raw, &names, &view_keys, &primary_keys);
        let unique_indexes = unique_indexes(raw.unique_indexes, &names);

        let mut catalog = Self {
            version: raw.version,
            schemas: raw.schemas,
            relationships,
            media_handlers: raw.media_handlers,
            ..Self::default()
        };
        for table in tables(
            raw.relations,
            raw.columns,
            primary_keys,
            unique_indexes,
            raw.readable_columns,
        ) {
            let name = table.name.clone();
            catalog.tables.insert(&name, table);
        }
        for routine in raw.routines {
            let name = routine.name.clone();
            catalog.routines.entry_or_default(&name).push(routine);
        }
        for overloads in catalog.routines.values_mut() {
            overloads.sort_by(routines::order);
            overloads.shrink_to_fit();
        }
        for representation in raw.representations {
            catalog
                .representations
                .entry(Arc::clone(&representation.source))
                .or_default()
                .insert(Arc::clone(&representation.target), representation);
        }
        catalog.add_role_settings(raw.role_settings);
        catalog
    }

    fn add_role_settings(&mut self, settings: Vec<RoleSetting>) {
        for setting in settings {
            if &*setting.name == ISOLATION {
                self.role_isolation.insert(setting.role, setting.value);
            } else {
                self.role_settings
                    .entry(setting.role)
                    .or_default()
                    .push((setting.name, setting.value));
            }
        }
    }
}

/// Primary keys of tables and of views that show all columns of one.
///
/// PostgREST orders a table's key columns by name, which is the order of the conditions in a
/// `Location` header.
fn primary_keys(
    relations: &[RawRelation],
    keys: &[RawKey],
    names: &ColumnNames,
    view_keys: &ViewKeys<'_>,
) -> HashMap<Oid, Box<[Arc<str>]>> {
    let views: HashSet<Oid> = relations
        .iter()
        .filter(|relation| relation.is_view)
        .map(|view| view.oid)
        .collect();
    let mut primary_keys = HashMap::with_capacity(relations.len());
    for key in keys
        .iter()
        .filter(|key| key.is_primary && !views.contains(&key.relation))
    {
        if let Some(mut columns) = names.all(key.relation, &key.columns) {
            columns.sort_unstable();
            primary_keys.insert(key.relation, columns);
        }
    }
    for &view in &views {
        let columns: Box<[Arc<str>]> = view_keys
            .primary_key(view)
            .into_iter()
            .filter_map(|number| names.one(view, number).cloned())
            .collect();
        if !columns.is_empty() {
            primary_keys.insert(view, columns);
        }
    }
    primary_keys
}

/// Unique indexes by their relation; those on columns that are not known are left out.
fn unique_indexes(
    indexes: Vec<RawUniqueIndex>,
    names: &ColumnNames,
) -> HashMap<Oid, Vec<UniqueIndex>> {
    let mut by_relation: HashMap<Oid, Vec<UniqueIndex>> = HashMap::new();
    for index in indexes {
        let keys = index.keys.into_iter().map(|key| match key {
            RawIndexKey::Column(number) => names
                .one(index.relation, number)
                .map(|name| IndexKey::Column(Arc::clone(name))),
            RawIndexKey::Expression(expression) => Some(IndexKey::Expression(expression)),
        });
        if let Some(keys) = keys.collect() {
            by_relation
                .entry(index.relation)
                .or_default()
                .push(UniqueIndex {
                    name: index.name,
                    keys,
                    predicate: index.predicate,
                    writers: index.writers,
                });
        }
    }
    by_relation
}

/// Tables after which the memory of the rows they were made of is given back.
const BATCH: usize = 512;

/// Moves the columns into their tables. Both lists are sorted by the relation's identifier and
/// consumed from the end, so that rows and tables are never all there at once.
fn tables(
    relations: Vec<RawRelation>,
    mut columns: Vec<RawColumn>,
    mut primary_keys: HashMap<Oid, Box<[Arc<str>]>>,
    mut unique_indexes: HashMap<Oid, Vec<UniqueIndex>>,
    readable: Vec<ReadableColumns>,
) -> impl Iterator<Item = Table> {
    let mut restrictions: HashMap<Oid, Vec<ReadableColumns>> = HashMap::new();
    for restriction in readable {
        restrictions
            .entry(restriction.relation)
            .or_default()
            .push(restriction);
    }
    relations
        .into_iter()
        .rev()
        .enumerate()
        .map(move |(index, relation)| {
            while columns
                .pop_if(|column| column.relation > relation.oid)
                .is_some()
            {}
            let start = columns.partition_point(|column| column.relation < relation.oid);
            let (numbers, own): (Vec<i16>, Vec<Column>) = columns
                .drain(start..)
                .map(|column| (column.number, column.column))
                .unzip();
            if index % BATCH == 0 {
                columns.shrink_to_fit();
            }
            let readable = restrictions
                .remove(&relation.oid)
                .into_iter()
                .flatten()
                .map(|restriction| (restriction.role, positions(&numbers, &restriction.columns)))
                .collect();
            Table {
                name: relation.name,
                description: relation.description,
                is_view: relation.is_view,
                insertable: relation.insertable,
                updatable: relation.updatable,
                deletable: relation.deletable,
                primary_key: primary_keys.remove(&relation.oid).unwrap_or_default(),
                unique_indexes: unique_indexes
                    .remove(&relation.oid)
                    .unwrap_or_default()
                    .into_boxed_slice(),
                columns: own.into_boxed_slice(),
                readable,
            }
        })
}

/// Indexes of the columns with these numbers.
fn positions(numbers: &[i16], wanted: &[i16]) -> Box<[u16]> {
    let mut positions: Vec<u16> = wanted
        .iter()
        .filter_map(|number| numbers.binary_search(number).ok())
        .filter_map(|index| u16::try_from(index).ok())
        .collect();
    positions.sort_unstable();
    positions.into_boxed_slice()
}
