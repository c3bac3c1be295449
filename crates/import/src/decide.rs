//! Which rows are imported: each is the only one of its id and its natural key, and what it refers to is there.

mod alike;
mod made;
mod tree;

use std::collections::{HashMap, HashSet};

use passerelle_pg::ControlTransaction;
use uuid::Uuid;

use crate::collect::{Collected, Fate, Remark, Row};
use crate::database::{DatabaseError, Key, existing, naturals, untouched_settings, with_roles};
use crate::moment::Moment;
use crate::outcome::{Merge, Note, Reason};
use crate::people::People;
use crate::table::{Loss, Natural, Table};

pub(crate) use self::made::complete;
pub(crate) use self::tree::parents_first;

/// What is known of a row that others refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Present,
    /// It is in a file, and kept out.
    Lost,
}

/// What has been decided.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    standing: HashMap<(Table, Uuid), Standing>,
    /// Suggestions that are another one by now.
    suggestions: HashMap<Uuid, Uuid>,
    /// What rows of files refer to.
    referred: HashSet<(Table, Uuid)>,
    /// Settings that take the place of those that the application began with.
    pub(crate) settings: Vec<(Uuid, usize)>,
}

/// Decides about all rows but those of people.
pub(crate) async fn decide(
    transaction: &ControlTransaction<'_>,
    all: &mut Collected,
    people: &People,
) -> Result<Decisions, DatabaseError> {
    let mut decisions = Decisions::default();
    for remark in &all.kept {
        let lost = (remark.table, crate::ids::id_of(&remark.id));
        if !remark.id.is_empty() {
            decisions.standing.insert(lost, Standing::Lost);
        }
    }
    for row in &all.rows {
        let references = row.table.references().zip(row.references);
        let targets = references.filter_map(|((_, table, _), id)| Some((table, id?)));
        decisions.referred.extend(targets);
    }
    for table in Table::plain() {
        decisions.table(transaction, all, people, table).await?;
    }
    Ok(decisions)
}

impl Decisions {
    async fn table(
        &mut self,
        transaction: &ControlTransaction<'_>,
        all: &mut Collected,
        people: &People,
        table: Table,
    ) -> Result<(), DatabaseError> {
        let rows: Vec<usize> = (0..all.rows.len())
            .filter(|at| all.rows[*at].table == table)
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let rows = only_newest(all, &rows);
        let ids: Vec<Uuid> = rows.iter().map(|at| all.rows[*at].id).collect();
        let in_database = existing(transaction, table, &ids).await?;
        for at in &rows {
            let row = &mut all.rows[*at];
            self.rename(row, people);
            if in_database.contains(&row.id) {
                row.fate = Fate::Exists;
            }
        }
        let open = still_new(all, &rows);
        self.references(transaction, all, people, &open).await?;
        if table.is_tree() {
            tree::judge(all, &still_new(all, &rows), &self.standing);
        }
        if table == Table::UserRoles {
            roles(transaction, all, people, &still_new(all, &rows)).await?;
        }
        self.naturals(transaction, all, table, &still_new(all, &rows))
            .await?;
        alike::judge(all, table, &rows, &self.referred);
        for at in rows {
            let row = &all.rows[at];
            let standing = match row.fate {
                Fate::Kept(_) => Standing::Lost,
                _ => Standing::Present,
            };
            self.standing.insert((table, row.id), standing);
        }
        Ok(())
    }

    /// People and suggestions have the ids of the database from here on.
    fn rename(&self, row: &mut Row, people: &People) {
        let targets = row.table.references().map(|(_, target, _)| target);
        for (target, reference) in targets.zip(&mut row.references) {
            let Some(id) = reference else {
                continue;
            };
            match target {
                Table::Profiles => {
                    if let Some(person) = people.find(row.place.file, *id) {
                        *id = person.id;
                    }
                }
                Table::Suggestions => {
                    if let Some(other) = self.suggestions.get(id) {
                        *id = *other;
                    }
                }
                _ => {}
            }
        }
    }

    /// Keeps rows out whose references lead nowhere.
    async fn references(
        &mut self,
        transaction: &ControlTransaction<'_>,
        all: &mut Collected,
        people: &People,
        open: &[usize],
    ) -> Result<(), DatabaseError> {
        let everybody: HashSet<Uuid> = people.all.iter().map(|person| person.id).collect();
        let Some(first) = open.first() else {
            return Ok(());
        };
        let table = all.rows[*first].table;
        for (number, (column, target, loss)) in table.references().enumerate() {
            if target == table {
                // Trees are judged as a whole; what the database has counts there, too.
                let ids = referred(all, open, number, |_| false);
                for id in existing(transaction, target, &ids).await? {
                    self.standing
                        .entry((target, id))
                        .or_insert(Standing::Present);
                }
                continue;
            }
            let is_there =
                |id: Uuid| everybody.contains(&id) || self.standing.contains_key(&(target, id));
            let unknown = referred(all, open, number, is_there);
            let in_database = existing(transaction, target, &unknown).await?;
            for at in open {
                let row = &mut all.rows[*at];
                let Some(id) = row.references[number] else {
                    continue;
                };
                let standing = self.standing.get(&(target, id));
                let is_present = in_database.contains(&id)
                    || standing == Some(&Standing::Present)
                    || (target == Table::Profiles && everybody.contains(&id));
                if is_present || row.fate != Fate::New {
                    continue;
                }
                if loss == Loss::SetNull {
                    row.references[number] = None;
                    all.notes.push(Remark {
                        table,
                        place: row.place,
                        id: row.old_id.clone(),
                        what: Note::Blanked(column.name, target),
                    });
                    continue;
                }
                let is_lost = standing.is_some()
                    || (target == Table::Profiles && people.is_lost(row.place.file, id));
                row.fate = Fate::Kept(if is_lost {
                    Reason::Lost(column.name, target)
                } else {
                    Reason::Dangling(column.name, target)
                });
            }
        }
        Ok(())
    }

    /// Keeps all but one row of each natural key out.
    async fn naturals(
        &mut self,
        transaction: &ControlTransaction<'_>,
        all: &mut Collected,
        table: Table,
        open: &[usize],
    ) -> Result<(), DatabaseError> {
        if table.natural() == Natural::Nothing {
            return Ok(());
        }
        let parents: HashSet<Uuid> = open
            .iter()
            .filter_map(|at| all.rows[*at].references[0])
            .collect();
        let parents: Vec<Uuid> = parents.into_iter().collect();
        let taken = naturals(transaction, table, &parents).await?;
        let untouched = match table {
            Table::AdminConfigs => untouched_settings(transaction).await?,
            _ => HashSet::new(),
        };
        let mut order = open.to_vec();
        order.sort_by_key(|at| preference(&all.rows[*at]));
        let mut winners: HashMap<Key, usize> = HashMap::new();
        for at in order {
            let key = key(&all.rows[at]);
            let winner = *winners.entry(key).or_insert(at);
            let there = taken.get(&key).copied();
            let fate = match (table, there) {
                (Table::AdminConfigs, Some(id)) if winner == at && untouched.contains(&id) => {
                    self.settings.push((id, at));
                    Fate::New
                }
                (Table::Suggestions, Some(id)) => {
                    self.suggestions.insert(all.rows[at].id, id);
                    Fate::Merged(Merge::SameSuggestion)
                }
                (Table::UserRoles, Some(_)) => Fate::Merged(Merge::OneRole),
                (_, Some(_)) => Fate::Merged(Merge::AlreadyThere),
                (_, None) if winner == at => Fate::New,
                (Table::Suggestions, None) => {
                    let id = all.rows[winner].id;
                    self.suggestions.insert(all.rows[at].id, id);
                    Fate::Merged(Merge::SameSuggestion)
                }
                (Table::UserRoles, None) => Fate::Merged(Merge::OneRole),
                (_, None) => Fate::Kept(Reason::Duplicate(all.rows[winner].old_id.to_string())),
            };
            all.rows[at].fate = fate;
        }
        Ok(())
    }
}

/// Roles come with accounts that are new; whoever was there before keeps the one they have.
async fn roles(
    transaction: &ControlTransaction<'_>,
    all: &mut Collected,
    people: &People,
    open: &[usize],
) -> Result<(), DatabaseError> {
    let old: HashSet<Uuid> = people
        .all
        .iter()
        .filter(|person| person.has_account || person.has_profile)
        .map(|person| person.id)
        .collect();
    let new: HashSet<Uuid> = people
        .all
        .iter()
        .filter(|person| !old.contains(&person.id))
        .map(|person| person.id)
        .collect();
    let ids: Vec<Uuid> = old.iter().copied().collect();
    let have = with_roles(transaction, &ids).await?;
    for at in open {
        let row = &mut all.rows[*at];
        let is_new = row.references[0].is_some_and(|id| new.contains(&id));
        let has_one = row.references[0].is_some_and(|id| have.contains(&id));
        if row.number == 1 && !is_new {
            row.number = 0;
            if !has_one {
                all.notes.push(Remark {
                    table: Table::UserRoles,
                    place: row.place,
                    id: row.old_id.clone(),
                    what: Note::RoleStays,
                });
            }
        }
    }
    Ok(())
}

/// Makes ordinary people of all administrators that would be new.
pub(crate) fn demote(all: &mut Collected) {
    for row in &mut all.rows {
        if row.table == Table::UserRoles && row.fate == Fate::New && row.number == 1 {
            row.number = 0;
            all.notes.push(Remark {
                table: Table::UserRoles,
                place: row.place,
                id: row.old_id.clone(),
                what: Note::NoAdministrator,
            });
        }
    }
}

/// The newest row of each id; the others are decided here.
fn only_newest(all: &mut Collected, rows: &[usize]) -> Vec<usize> {
    let mut newest: HashMap<Uuid, usize> = HashMap::new();
    for at in rows {
        let other = *newest.entry(all.rows[*at].id).or_insert(*at);
        if other == *at {
            continue;
        }
        let (old, new) = if preference(&all.rows[*at]) < preference(&all.rows[other]) {
            (other, *at)
        } else {
            (*at, other)
        };
        newest.insert(all.rows[new].id, new);
        let is_same = all.rows[old].content == all.rows[new].content;
        all.rows[old].fate = if is_same {
            Fate::Merged(Merge::SameRow)
        } else {
            Fate::Kept(Reason::Older)
        };
    }
    let mut newest: Vec<usize> = newest.into_values().collect();
    newest.sort_unstable();
    newest
}

/// What comes first is preferred: administrators among roles, then what is newer.
fn preference(row: &Row) -> (bool, i64, crate::collect::Place) {
    let is_admin = row.table == Table::UserRoles && row.number == 1;
    let time = row.updated.or(row.created).map_or(i64::MIN, Moment::order);
    (!is_admin, -time.max(-i64::MAX), row.place)
}

fn still_new(all: &Collected, rows: &[usize]) -> Vec<usize> {
    let new = rows.iter().copied();
    new.filter(|at| all.rows[*at].fate == Fate::New).collect()
}

/// What rows refer to by one of their references, but for what is known.
fn referred(
    all: &Collected,
    rows: &[usize],
    number: usize,
    is_known: impl Fn(Uuid) -> bool,
) -> Vec<Uuid> {
    let ids = rows
        .iter()
        .filter_map(|at| all.rows[*at].references[number]);
    let ids: HashSet<Uuid> = ids.filter(|id| !is_known(*id)).collect();
    ids.into_iter().collect()
}

fn key(row: &Row) -> Key {
    let reference = |number: usize| row.references[number].unwrap_or_default();
    match row.table.natural() {
        Natural::Nothing => (row.id, 0),
        Natural::One => (reference(0), 0),
        Natural::Two => (reference(0), reference(1).as_u128()),
        Natural::Target => {
            let target = row.references[1].unwrap_or_else(|| reference(2));
            (reference(0), target.as_u128())
        }
        Natural::Numbered => (reference(0), u128::from(row.number.unsigned_abs())),
        Natural::Text => (Uuid::nil(), u128::from(row.key)),
    }
}
