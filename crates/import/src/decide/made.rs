//! Rows that no file has, but that the application would have made beside those that it has.

use std::collections::{HashMap, HashSet};
use std::io;

use passerelle_pg::ControlTransaction;
use uuid::Uuid;

use crate::ImportError;
use crate::collect::{Collected, Fate, Place, Remark, Row};
use crate::database::{Key, naturals, with_roles};
use crate::ids::derived;
use crate::moment::Moment;
use crate::outcome::Note;
use crate::people::People;
use crate::spool::{Cell, Spool, encode};
use crate::table::Table;

/// Everybody gets a role, and owners of groups are members of them with role admin.
pub(crate) async fn complete(
    transaction: &ControlTransaction<'_>,
    all: &mut Collected,
    people: &People,
    spool: &mut Spool,
) -> Result<(), ImportError> {
    let ids: Vec<Uuid> = people.all.iter().map(|person| person.id).collect();
    let mut have = with_roles(transaction, &ids).await?;
    have.extend(
        all.rows
            .iter()
            .filter(|row| row.table == Table::UserRoles && row.fate == Fate::New)
            .filter_map(|row| row.references[0]),
    );
    for person in &people.all {
        if have.insert(person.id) {
            let row = Made {
                table: Table::UserRoles,
                id: derived("role", &person.id.to_string()),
                place: person.place,
                references: [Some(person.id), None, None],
                number: 0,
                created: person.created,
            };
            all.rows.push(row.write(spool)?);
        }
    }
    owners(transaction, all, spool).await
}

async fn owners(
    transaction: &ControlTransaction<'_>,
    all: &mut Collected,
    spool: &mut Spool,
) -> Result<(), ImportError> {
    let groups: Vec<(Uuid, Option<Uuid>, Place, Option<Moment>)> = all
        .rows
        .iter()
        .filter(|row| row.table == Table::Groups && row.fate == Fate::New)
        .map(|row| (row.id, row.references[0], row.place, row.created))
        .collect();
    let ids: Vec<Uuid> = groups.iter().map(|(id, ..)| *id).collect();
    let there: HashSet<Key> = naturals(transaction, Table::GroupMembers, &ids)
        .await?
        .into_keys()
        .collect();
    let members: HashMap<Key, usize> = all
        .rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.table == Table::GroupMembers && row.fate == Fate::New)
        .filter_map(|(at, row)| Some(((row.references[0]?, row.references[1]?.as_u128()), at)))
        .collect();
    for (group, owner, place, created) in groups {
        let Some(owner) = owner else {
            continue;
        };
        let key = (group, owner.as_u128());
        if there.contains(&key) {
            continue;
        }
        if let Some(at) = members.get(&key) {
            let row = &mut all.rows[*at];
            if row.number == 0 {
                row.number = 1;
                all.notes.push(Remark {
                    table: Table::GroupMembers,
                    place: row.place,
                    id: row.old_id.clone(),
                    what: Note::OwnerAdministers,
                });
            }
            continue;
        }
        let row = Made {
            table: Table::GroupMembers,
            id: derived("member", &format!("{group}/{owner}")),
            place,
            references: [Some(group), Some(owner), None],
            number: 1,
            created,
        };
        all.rows.push(row.write(spool)?);
    }
    Ok(())
}

/// A row of four columns, of which the third is a role.
struct Made {
    table: Table,
    id: Uuid,
    place: Place,
    references: [Option<Uuid>; 3],
    number: i64,
    created: Option<Moment>,
}

impl Made {
    fn write(self, spool: &mut Spool) -> io::Result<Row> {
        let columns = self.table.columns().iter();
        let cells: Vec<Cell> = columns.map(|_| Cell::Null).collect();
        Ok(Row {
            table: self.table,
            place: self.place,
            old_id: self.id.to_string().into(),
            id: self.id,
            references: self.references,
            number: self.number,
            key: 0,
            content: 0,
            words: 0,
            created: self.created,
            updated: self.created,
            span: spool.add(&encode(&cells)?)?,
            fate: Fate::New,
            is_made: true,
        })
    }
}
