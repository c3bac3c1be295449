//! Foreign keys as edges between exposed relations: tables, and the views that show the key.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::names::ColumnNames;
use super::views::ViewKeys;
use crate::ColumnPair;
use crate::raw::{AttributeNumber, Oid, RawCatalog, RawForeignKey, RawKey};

/// A foreign key, or its image in a view, between two exposed relations.
pub(super) struct Edge<'a> {
    pub(super) key: &'a RawForeignKey,
    pub(super) origin: Oid,
    pub(super) target: Oid,
    pub(super) columns: Box<[ColumnPair]>,
    /// The key's columns are a primary or unique key of the origin.
    pub(super) one_to_one: bool,
    pub(super) is_self: bool,
}

/// Column sets that are unique, by relation; each sorted.
struct UniqueKeys(HashMap<Oid, Vec<Box<[AttributeNumber]>>>);

impl UniqueKeys {
    /// Only relations with a foreign key matter.
    fn new(keys: &[RawKey], foreign_keys: &[RawForeignKey]) -> Self {
        let origins: HashSet<Oid> = foreign_keys.iter().map(|key| key.origin).collect();
        let mut unique: HashMap<Oid, Vec<Box<[AttributeNumber]>>> = HashMap::new();
        for key in keys.iter().filter(|key| origins.contains(&key.relation)) {
            let mut columns = key.columns.clone();
            columns.sort_unstable();
            unique.entry(key.relation).or_default().push(columns);
        }
        Self(unique)
    }

    fn covers(&self, key: &RawForeignKey) -> bool {
        let Some(keys) = self.0.get(&key.origin) else {
            return false;
        };
        let mut columns = key.origin_columns.clone();
        columns.sort_unstable();
        keys.contains(&columns)
    }
}

/// All edges between exposed relations.
pub(super) fn edges<'a>(
    raw: &'a RawCatalog,
    names: &ColumnNames,
    views: &ViewKeys<'_>,
) -> Vec<Edge<'a>> {
    let exposed: HashSet<Oid> = raw.relations.iter().map(|relation| relation.oid).collect();
    let unique = UniqueKeys::new(&raw.keys, &raw.foreign_keys);
    let mut edges = Vec::with_capacity(raw.foreign_keys.len());
    for key in &raw.foreign_keys {
        let one_to_one = unique.covers(key);
        let origin_views = views.sides(key.origin, &key.origin_columns);
        let target_views = views.sides(key.target, &key.target_columns);
        let origins: Vec<(Oid, &[AttributeNumber])> = exposed
            .contains(&key.origin)
            .then_some((key.origin, &*key.origin_columns))
            .into_iter()
            .chain(origin_views.iter().map(|side| (side.view, &*side.columns)))
            .collect();
        let targets: Vec<(Oid, &[AttributeNumber])> = exposed
            .contains(&key.target)
            .then_some((key.target, &*key.target_columns))
            .into_iter()
            .chain(target_views.iter().map(|side| (side.view, &*side.columns)))
            .collect();
        for &(origin, origin_columns) in &origins {
            for &(target, target_columns) in &targets {
                let pairs = names
                    .all(origin, origin_columns)
                    .zip(names.all(target, target_columns))
                    .map(|(left, right)| pairs(&left, &right));
                let Some(columns) = pairs else { continue };
                edges.push(Edge {
                    key,
                    origin,
                    target,
                    columns,
                    one_to_one,
                    is_self: origin == target,
                });
            }
        }
    }
    edges
}

fn pairs(left: &[Arc<str>], right: &[Arc<str>]) -> Box<[ColumnPair]> {
    left.iter().cloned().zip(right.iter().cloned()).collect()
}
