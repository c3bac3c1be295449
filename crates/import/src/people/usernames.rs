//! Usernames are one person's each.

use std::collections::{HashMap, HashSet};

use super::{People, Person};
use crate::collect::{Collected, Place, Remark};
use crate::moment::Moment;
use crate::outcome::Note;
use crate::table::Table;

/// The most characters of a name that is made here, so that there is room for a number.
const LONGEST: usize = 200;

/// Gives everybody who is new a username of their own: the one they had, if nobody else has it.
pub(crate) fn name_all(people: &mut People, all: &mut Collected, names: HashSet<String>) {
    let mut taken = Taken {
        names,
        numbers: HashMap::new(),
    };
    let shared = shared(people, all);
    let mut order: Vec<usize> = (0..people.all.len()).collect();
    let wanted = |person: &Person| {
        let (_, at) = person.profile?;
        all.profiles[at].username.clone()
    };
    let wishes: Vec<Option<String>> = people.all.iter().map(wanted).collect();
    // Whose address begins with the name is the likeliest to have chosen it.
    order.sort_by_key(|at| {
        let person = &people.all[*at];
        let is_own = wishes[*at].as_deref() == Some(local_part(&person.email));
        let made = person.created.map_or(i64::MAX, Moment::order);
        (!is_own, made, person.email.clone())
    });
    for at in order {
        let person = &mut people.all[at];
        if person.has_profile {
            continue;
        }
        let local = local_part(&person.email);
        let wish = wishes[at].as_deref();
        let is_overwritten = person.profile.is_some_and(|(row, _)| {
            let file = all.rows[row].place.file;
            // Addresses of several domains may well begin alike.
            wish.is_some_and(|wish| wish != local && shared.contains(&(file, wish.to_owned())))
        });
        let base = match wish {
            Some(wish) if !is_overwritten => wish,
            _ => local,
        };
        let name = taken.take(base);
        let mut note = |what| {
            all.notes.push(Remark {
                table: Table::Profiles,
                place: person.place,
                id: person.old_id.clone(),
                what,
            });
        };
        if let Some(wish) = wish {
            if is_overwritten {
                note(Note::SharedName(short(wish)));
            }
            if wish != name {
                note(Note::Username(short(wish), short(&name)));
            }
        }
        person.username = name;
    }
}

/// Usernames that several people of a file have.
fn shared(people: &People, all: &Collected) -> HashSet<(u16, String)> {
    let mut owners: HashMap<(u16, String), HashSet<Place>> = HashMap::new();
    for profile in &all.profiles {
        let row = &all.rows[profile.row];
        let file = row.place.file;
        let Some(name) = &profile.username else {
            continue;
        };
        if let Some(person) = people.find(file, row.id) {
            let owners = owners.entry((file, name.clone())).or_default();
            owners.insert(person.place);
        }
    }
    let shared = owners.into_iter().filter(|(_, owners)| owners.len() > 1);
    shared.map(|(name, _)| name).collect()
}

fn local_part(email: &str) -> &str {
    let local = email.split_once('@').map_or(email, |(local, _)| local);
    match local.char_indices().nth(LONGEST) {
        Some((end, _)) => &local[..end],
        None => local,
    }
}

/// Names that somebody has, and which numbers were given to them.
struct Taken {
    names: HashSet<String>,
    numbers: HashMap<String, u64>,
}

impl Taken {
    /// Takes the name, with a number if somebody has it.
    fn take(&mut self, base: &str) -> String {
        if self.names.insert(base.to_owned()) {
            return base.to_owned();
        }
        let base: String = base.chars().take(LONGEST).collect();
        let number = self.numbers.entry(base.clone()).or_insert(1);
        loop {
            *number += 1;
            let name = format!("{base}-{number}");
            if self.names.insert(name.clone()) {
                return name;
            }
        }
    }
}

fn short(name: &str) -> String {
    name.chars().take(60).collect()
}
