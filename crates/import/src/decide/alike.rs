//! Rows that say the same. Some were made again because the browser had reported an error after the first try; others were
//! different once, until an edit of one overwrote all.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::collect::{Collected, Fate, Remark};
use crate::moment::Moment;
use crate::outcome::{Note, Reason};
use crate::table::Table;

/// Within so many minutes of the one before, a row is a second try.
const SECOND_TRY: u64 = 10;

pub(super) fn judge(
    all: &mut Collected,
    table: Table,
    rows: &[usize],
    referred: &HashSet<(Table, Uuid)>,
) {
    let can_be_made_again = matches!(table, Table::Groups | Table::Collections | Table::Resources);
    if !can_be_made_again && table != Table::ResourceComments {
        return;
    }
    let stays = |at: &usize| matches!(all.rows[*at].fate, Fate::New | Fate::Exists);
    let open: Vec<usize> = rows.iter().copied().filter(stays).collect();
    if can_be_made_again {
        let mut of_one: HashMap<(Option<Uuid>, u64), Vec<usize>> = HashMap::new();
        for at in &open {
            let row = &all.rows[*at];
            of_one
                .entry((row.references[0], row.words))
                .or_default()
                .push(*at);
        }
        for rows in of_one.into_values() {
            second_tries(all, table, rows, referred);
        }
    }
    let mut of_file: HashMap<(u16, u64), Vec<usize>> = HashMap::new();
    for at in &open {
        let row = &all.rows[*at];
        if row.fate == Fate::New {
            let key = (row.place.file, row.words);
            of_file.entry(key).or_default().push(*at);
        }
    }
    let mut alike: Vec<Vec<usize>> = of_file
        .into_values()
        .filter(|rows| rows.len() > 1)
        .collect();
    alike.sort_unstable();
    for rows in alike {
        let first = &all.rows[rows[0]];
        all.notes.push(Remark {
            table,
            place: first.place,
            id: first.old_id.clone(),
            what: Note::Alike(rows.len()),
        });
    }
}

/// Of rows by one person that say the same, those are kept out that nothing refers to and that follow another closely.
fn second_tries(
    all: &mut Collected,
    table: Table,
    mut rows: Vec<usize>,
    referred: &HashSet<(Table, Uuid)>,
) {
    if rows.len() < 2 {
        return;
    }
    rows.sort_by_key(|at| {
        (
            all.rows[*at].created.map(Moment::order),
            all.rows[*at].place,
        )
    });
    let is_close = |one: &usize, other: &usize| {
        let times = (all.rows[*one].created, all.rows[*other].created);
        matches!(times, (Some(one), Some(other)) if one.minutes_from(other) < SECOND_TRY)
    };
    let tries: Vec<Vec<usize>> = rows.chunk_by(is_close).map(<[usize]>::to_vec).collect();
    for tries in tries {
        // One that is in the database was imported before.
        let stays = |at: &&usize| {
            let row = &all.rows[**at];
            row.fate == Fate::Exists || referred.contains(&(table, row.id))
        };
        let used: HashSet<usize> = tries.iter().filter(stays).copied().collect();
        let Some(keeper) = tries.iter().find(|at| used.contains(at)).or(tries.first()) else {
            continue;
        };
        let name = all.rows[*keeper].old_id.to_string();
        for at in &tries {
            if at != keeper && !used.contains(at) {
                all.rows[*at].fate = Fate::Kept(Reason::Retry(name.clone()));
            }
        }
    }
}
