//! Which keys of tables show through which views.
//!
//! A key shows through a view when the view has all of its columns, unchanged, directly or
//! through other views.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::raw::{AttributeNumber, Oid, RawCatalog, ViewColumn};

/// Views over views are followed this deep.
const MAX_DEPTH: usize = 64;

/// Ways in which one view can show one key, when it shows columns several times.
const MAX_VARIANTS: usize = 256;

/// The columns of a view that show the columns of a key, in the key's order.
pub(super) type KeyColumns = Box<[AttributeNumber]>;

/// A view that shows a foreign key's columns on one side of it.
pub(super) struct ViewSide {
    pub(super) view: Oid,
    pub(super) columns: KeyColumns,
}

/// Views that show the columns of one table: column of the table → columns of the view.
type Shown = BTreeMap<AttributeNumber, Vec<AttributeNumber>>;

pub(super) struct ViewKeys<'a> {
    raw: &'a RawCatalog,
    /// Table → views over it.
    by_table: HashMap<Oid, Vec<(Oid, Shown)>>,
    primary_keys: HashMap<Oid, Vec<AttributeNumber>>,
}

impl<'a> ViewKeys<'a> {
    pub(super) fn new(raw: &'a RawCatalog) -> Self {
        let mut by_table = shown_columns(raw);
        for views in by_table.values_mut() {
            views.sort_unstable_by_key(|(view, _)| *view);
        }
        let mut keys = Self {
            raw,
            by_table,
            primary_keys: HashMap::new(),
        };
        keys.find_primary_keys();
        keys
    }

    /// Columns of the view that show primary keys of the tables below it, each once.
    pub(super) fn primary_key(&self, view: Oid) -> Vec<AttributeNumber> {
        self.primary_keys.get(&view).cloned().unwrap_or_default()
    }

    /// Views that show `columns` of `table`, once for each combination of columns that do.
    pub(super) fn sides(&self, table: Oid, columns: &[AttributeNumber]) -> Vec<ViewSide> {
        self.by_table
            .get(&table)
            .into_iter()
            .flatten()
            .flat_map(|(view, shown)| {
                variants(shown, columns)
                    .into_iter()
                    .map(|columns| ViewSide {
                        view: *view,
                        columns: columns.into_boxed_slice(),
                    })
            })
            .collect()
    }

    fn find_primary_keys(&mut self) {
        // The last key in the order of tables comes first, as in PostgREST's answers.
        for key in self.raw.keys.iter().rev().filter(|key| key.is_primary) {
            for (view, shown) in self.by_table.get(&key.relation).into_iter().flatten() {
                let columns: Option<Vec<AttributeNumber>> = key
                    .columns
                    .iter()
                    .map(|number| shown.get(number).and_then(|views| views.first()).copied())
                    .collect();
                if let Some(columns) = columns {
                    self.primary_keys.entry(*view).or_default().extend(columns);
                }
            }
        }
    }
}

/// All combinations of one view column for each of `columns`.
fn variants(shown: &Shown, columns: &[AttributeNumber]) -> Vec<Vec<AttributeNumber>> {
    let mut variants = vec![Vec::with_capacity(columns.len())];
    for column in columns {
        let Some(choices) = shown.get(column) else {
            return Vec::new();
        };
        variants = variants
            .iter()
            .flat_map(|prefix: &Vec<AttributeNumber>| {
                choices.iter().map(move |&choice| {
                    let mut variant = prefix.clone();
                    variant.push(choice);
                    variant
                })
            })
            .take(MAX_VARIANTS)
            .collect();
    }
    variants
}

/// Follows the columns of the exposed views down to tables.
fn shown_columns(raw: &RawCatalog) -> HashMap<Oid, Vec<(Oid, Shown)>> {
    let mut by_table: HashMap<Oid, Vec<(Oid, Shown)>> = HashMap::new();
    if raw.view_columns.is_empty() {
        return by_table;
    }
    let sources: HashMap<(Oid, AttributeNumber), ViewColumn> = raw
        .view_columns
        .iter()
        .map(|column| ((column.view, column.column), *column))
        .collect();
    let exposed: HashSet<Oid> = raw
        .relations
        .iter()
        .filter(|relation| relation.is_view)
        .map(|relation| relation.oid)
        .collect();
    let mut by_view: BTreeMap<(Oid, Oid), Shown> = BTreeMap::new();
    for column in raw
        .view_columns
        .iter()
        .filter(|column| exposed.contains(&column.view))
    {
        let mut step = Some(column);
        let mut depth = 0;
        while let Some(source) = step.filter(|_| depth < MAX_DEPTH) {
            by_view
                .entry((source.source, column.view))
                .or_default()
                .entry(source.source_column)
                .or_default()
                .push(column.column);
            step = sources.get(&(source.source, source.source_column));
            depth += 1;
        }
    }
    for ((table, view), mut shown) in by_view {
        for columns in shown.values_mut() {
            columns.sort_unstable();
            columns.dedup();
        }
        by_table.entry(table).or_default().push((view, shown));
    }
    by_table
}
