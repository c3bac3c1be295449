//! Rows that refer to others of their table.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::Standing;
use crate::collect::{Collected, Fate};
use crate::outcome::{Merge, Reason};
use crate::table::Table;

/// Which reference leads to the parent.
pub(crate) fn parent_of(table: Table) -> usize {
    match table {
        Table::ResourceComments => 2,
        _ => 0,
    }
}

/// Keeps rows out whose parent is nowhere, kept out, or of another resource.
pub(super) fn judge(
    all: &mut Collected,
    open: &[usize],
    standing: &HashMap<(Table, Uuid), Standing>,
) {
    let Some(first) = open.first() else {
        return;
    };
    let table = all.rows[*first].table;
    let number = parent_of(table);
    let by_id: HashMap<Uuid, usize> = all
        .rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.table == table)
        .filter(|(_, row)| row.fate != Fate::Merged(Merge::SameRow))
        .filter(|(_, row)| row.fate != Fate::Kept(Reason::Older))
        .map(|(at, row)| (row.id, at))
        .collect();
    let mut seen: HashMap<usize, Seen> = HashMap::new();
    for start in open {
        let mut way = Vec::new();
        let mut at = *start;
        let above = loop {
            let row = &all.rows[at];
            match seen.get(&at) {
                Some(Seen::Above) => break Some(Reason::Circle),
                _ if matches!(row.fate, Fate::Kept(_)) => {
                    break Some(Reason::Lost("parent_id", table));
                }
                Some(Seen::Decided) => break None,
                None if row.fate != Fate::New => break None,
                None => {}
            }
            seen.insert(at, Seen::Above);
            way.push(at);
            let Some(parent) = row.references[number] else {
                break None;
            };
            if let Some(above) = by_id.get(&parent) {
                at = *above;
                continue;
            }
            break match standing.get(&(table, parent)) {
                Some(Standing::Present) => None,
                Some(Standing::Lost) => Some(Reason::Lost("parent_id", table)),
                None => Some(Reason::Dangling("parent_id", table)),
            };
        };
        settle(all, table, &by_id, &way, above, at);
        seen.extend(way.into_iter().map(|at| (at, Seen::Decided)));
    }
}

/// How far a row has been looked at.
enum Seen {
    /// It is on the way from a row to its root.
    Above,
    Decided,
}

/// Decides a way from a row up to its root, from above. `knot` is where a circle closes.
fn settle(
    all: &mut Collected,
    table: Table,
    by_id: &HashMap<Uuid, usize>,
    way: &[usize],
    mut above: Option<Reason>,
    knot: usize,
) {
    let number = parent_of(table);
    for at in way.iter().rev() {
        let row = &all.rows[*at];
        let parent = row.references[number].and_then(|id| by_id.get(&id));
        let is_elsewhere = table == Table::ResourceComments
            && parent.is_some_and(|parent| all.rows[*parent].references[0] != row.references[0]);
        if above.is_none() && is_elsewhere {
            above = Some(Reason::OtherResource);
        }
        if let Some(reason) = above.take() {
            // What hangs on a circle is not part of it.
            let goes_on = reason == Reason::Circle && *at != knot;
            all.rows[*at].fate = Fate::Kept(reason);
            above = Some(if goes_on {
                Reason::Circle
            } else {
                Reason::Lost("parent_id", table)
            });
        }
    }
}

/// The rows in an order in which parents come first.
pub(crate) fn parents_first(all: &Collected, table: Table, rows: &[usize]) -> Vec<usize> {
    let number = parent_of(table);
    let by_id: HashMap<Uuid, usize> = rows.iter().map(|at| (all.rows[*at].id, *at)).collect();
    let mut placed: HashSet<usize> = HashSet::with_capacity(rows.len());
    let mut order = Vec::with_capacity(rows.len());
    for start in rows {
        let mut way = Vec::new();
        let mut next = Some(*start);
        while let Some(at) = next.filter(|at| !placed.contains(at)) {
            placed.insert(at);
            way.push(at);
            next = all.rows[at].references[number].and_then(|id| by_id.get(&id).copied());
        }
        order.extend(way.into_iter().rev());
    }
    order
}
