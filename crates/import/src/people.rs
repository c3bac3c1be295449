//! Who somebody is: profiles and sign-ins of all files become people, one for each e-mail address.

mod address;
mod usernames;

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use self::address::address;
use crate::collect::{Collected, Fate, Place, Remark};
use crate::credentials::Password;
use crate::database::Known;
use crate::ids::{derived, id_of};
use crate::moment::Moment;
use crate::outcome::{Merge, Note, Reason};
use crate::table::Table;

pub(crate) use self::usernames::name_all;

/// Whether it can be an e-mail address.
pub(crate) fn is_address(text: &str) -> bool {
    address(text).is_some()
}

/// Somebody, under one of the names that files have for them.
#[derive(Debug)]
struct Claim {
    place: Place,
    old_id: Box<str>,
    ids: Vec<Uuid>,
    /// The row of the profile, and its number among profiles.
    profile: Option<(usize, usize)>,
}

/// A person.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    /// Where the person is spoken of.
    pub(crate) place: Place,
    pub(crate) old_id: Box<str>,
    /// The row of the profile that counts, and its number among profiles.
    pub(crate) profile: Option<(usize, usize)>,
    pub(crate) username: String,
    pub(crate) created: Option<Moment>,
    pub(crate) updated: Option<Moment>,
    pub(crate) password: Option<Password>,
    /// When the password was last used.
    pub(crate) used: Option<Moment>,
    pub(crate) has_profile: bool,
    pub(crate) has_account: bool,
}

/// Everybody.
#[derive(Debug, Default)]
pub(crate) struct People {
    pub(crate) all: Vec<Person>,
    /// By file, and the id there.
    by_file: HashMap<(u16, Uuid), usize>,
    /// By id alone; none where files mean different people by it.
    by_id: HashMap<Uuid, Option<usize>>,
    /// Those whose profiles are kept out.
    lost: HashSet<(u16, Uuid)>,
    pub(crate) credentials: Vec<Fate>,
}

/// Who is spoken of, before the database is asked.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    by_email: BTreeMap<String, Vec<Claim>>,
    /// Sign-ins, by address: place among them.
    credentials: HashMap<String, Vec<usize>>,
    /// Further ids of people, by file.
    aliases: Vec<((u16, Uuid), String)>,
    lost: HashSet<(u16, Uuid)>,
    fates: Vec<Fate>,
}

impl People {
    /// The person that a file means by an id.
    pub(crate) fn find(&self, file: u16, id: Uuid) -> Option<&Person> {
        let by_id = || self.by_id.get(&id).copied().flatten();
        let at = self.by_file.get(&(file, id)).copied().or_else(by_id)?;
        self.all.get(at)
    }

    /// Whether the profile is in the file, and kept out.
    pub(crate) fn is_lost(&self, file: u16, id: Uuid) -> bool {
        self.lost.contains(&(file, id))
    }
}

impl Claims {
    /// Reads profiles and sign-ins. `default_admin` is the address of the first administrator, who has none.
    pub(crate) fn of(all: &mut Collected, default_admin: Option<&str>) -> Self {
        let mut claims = Self {
            fates: vec![Fate::New; all.credentials.len()],
            ..Self::default()
        };
        let mut by_user: HashMap<(u16, Uuid), String> = HashMap::new();
        for (place, credential) in &all.credentials {
            if let (Some(user), Some(email)) = (&credential.user, &credential.email) {
                by_user.insert((place.file, id_of(user)), email.clone());
            }
        }
        let newest = newest_profiles(all);
        let mut owners: HashMap<(u16, Uuid), String> = HashMap::new();
        for at in newest {
            claims.profile(all, at, &by_user, default_admin, &mut owners);
        }
        claims.sign_ins(all, &owners);
        claims
    }

    fn profile(
        &mut self,
        all: &mut Collected,
        at: usize,
        by_user: &HashMap<(u16, Uuid), String>,
        default_admin: Option<&str>,
        owners: &mut HashMap<(u16, Uuid), String>,
    ) {
        let profile = &all.profiles[at];
        let number = profile.row;
        let row = &all.rows[number];
        let (file, place, old_id) = (row.place.file, row.place, row.old_id.clone());
        // Others refer to a user, who has the profile's id unless it says otherwise.
        let mut ids: Vec<Uuid> = profile.user.into_iter().collect();
        ids.extend(Some(row.id).filter(|id| profile.user != Some(*id)));
        let borrowed = || {
            let mut found = ids.iter().filter_map(|id| by_user.get(&(file, *id)));
            let session = || ids.iter().find_map(|id| all.sessions.get(&(file, *id)));
            found.next().or_else(session).cloned()
        };
        let is_first = profile.username.as_deref() == Some("admin");
        let first = || default_admin.filter(|_| is_first).map(str::to_owned);
        let told = profile.email.clone();
        let is_borrowed = told.is_none();
        let email = told.or_else(borrowed).or_else(first);
        let email = match email {
            None => Err(Reason::NoAddress),
            Some(text) => {
                address(&text).ok_or_else(|| Reason::BadAddress(text.chars().take(60).collect()))
            }
        };
        match email {
            Ok(email) => {
                if is_borrowed {
                    all.notes.push(Remark {
                        table: Table::Profiles,
                        place,
                        id: old_id.clone(),
                        what: Note::BorrowedAddress,
                    });
                }
                for id in &ids {
                    owners.insert((file, *id), email.clone());
                }
                self.by_email.entry(email).or_default().push(Claim {
                    place,
                    old_id,
                    ids,
                    profile: Some((number, at)),
                });
            }
            Err(reason) => {
                self.lost.extend(ids.into_iter().map(|id| (file, id)));
                all.rows[number].fate = Fate::Kept(reason);
            }
        }
    }

    /// Gives sign-ins to people, and makes people of those that have no profile.
    fn sign_ins(&mut self, all: &mut Collected, owners: &HashMap<(u16, Uuid), String>) {
        for (at, (place, credential)) in all.credentials.iter().enumerate() {
            let user = credential.user.as_deref().map(id_of);
            let by_user = user.and_then(|user| owners.get(&(place.file, user)).cloned());
            let by_email = || credential.email.as_deref().and_then(address);
            let Some(email) = by_user.or_else(by_email) else {
                self.fates[at] = Fate::Kept(Reason::Nobody);
                continue;
            };
            self.credentials.entry(email.clone()).or_default().push(at);
            let claims = self.by_email.entry(email.clone()).or_default();
            if claims.is_empty() {
                let old_id = credential.user.as_deref().unwrap_or_default();
                all.notes.push(Remark {
                    table: Table::Credentials,
                    place: *place,
                    id: old_id.into(),
                    what: Note::FromCredentials,
                });
                claims.push(Claim {
                    place: *place,
                    old_id: old_id.into(),
                    ids: vec![user.unwrap_or_else(|| derived("email", &email))],
                    profile: None,
                });
            } else if let Some(user) = user {
                self.aliases.push(((place.file, user), email));
            }
        }
    }

    pub(crate) fn emails(&self) -> Vec<String> {
        self.by_email.keys().cloned().collect()
    }

    pub(crate) fn ids(&self) -> Vec<Uuid> {
        let claims = self.by_email.values().flatten();
        claims.flat_map(|claim| claim.ids.iter().copied()).collect()
    }

    /// Decides who is who, with what the database knows.
    pub(crate) fn decide(mut self, all: &mut Collected, known: &Known) -> People {
        let mut people = People {
            lost: std::mem::take(&mut self.lost),
            credentials: std::mem::take(&mut self.fates),
            ..People::default()
        };
        let mut taken: HashSet<Uuid> = HashSet::new();
        for (email, claims) in std::mem::take(&mut self.by_email) {
            let mut person = identify(&email, &claims, all, known, &mut taken);
            let sign_ins = self.credentials.remove(&email).unwrap_or_default();
            choose_password(&mut person, &sign_ins, all, &mut people.credentials);
            judge_profiles(&person, &claims, all);
            let at = people.all.len();
            for claim in &claims {
                for id in &claim.ids {
                    people.by_file.insert((claim.place.file, *id), at);
                    let others = people.by_id.entry(*id).or_insert(Some(at));
                    if *others != Some(at) {
                        *others = None;
                    }
                }
            }
            people.all.push(person);
        }
        let by_email = people.all.iter().map(|person| person.email.as_str());
        let by_email: HashMap<&str, usize> = by_email.zip(0..).collect();
        for (id, email) in self.aliases {
            if let Some(at) = by_email.get(email.as_str()) {
                people.by_file.entry(id).or_insert(*at);
            }
        }
        people
    }
}

/// The profiles that count where a file has several with one id; the others are decided here.
fn newest_profiles(all: &mut Collected) -> Vec<usize> {
    let mut newest: BTreeMap<(u16, Uuid), usize> = BTreeMap::new();
    for (at, profile) in all.profiles.iter().enumerate() {
        let row = &all.rows[profile.row];
        let key = (row.place.file, row.id);
        let Some(other) = newest.insert(key, at) else {
            continue;
        };
        let before = &all.rows[all.profiles[other].row];
        let (old, new) = if before.updated > row.updated {
            newest.insert(key, other);
            (row, before)
        } else {
            (before, row)
        };
        let fate = if old.content == new.content {
            Fate::Merged(Merge::SameRow)
        } else {
            Fate::Kept(Reason::Older)
        };
        let old = if newest[&key] == at { other } else { at };
        let number = all.profiles[old].row;
        all.rows[number].fate = fate;
    }
    let mut newest: Vec<usize> = newest.into_values().collect();
    newest.sort_unstable();
    newest
}

/// One person for an address.
fn identify(
    email: &str,
    claims: &[Claim],
    all: &mut Collected,
    known: &Known,
    taken: &mut HashSet<Uuid>,
) -> Person {
    let by_email = known.profiles.by_email.get(email);
    let mut found = by_email
        .or_else(|| known.accounts.by_email.get(email))
        .copied();
    let first = claims.iter().min_by_key(|claim| {
        (
            made(claim, all).map_or(i64::MAX, Moment::order),
            claim.ids[0],
        )
    });
    let place = first.map_or(Place { file: 0, index: 0 }, |claim| claim.place);
    if found.is_none() {
        let mut ids = claims.iter().flat_map(|claim| &claim.ids).copied();
        found = ids.find(|id| {
            (known.profiles.ids.contains(id) || known.accounts.ids.contains(id))
                && !taken.contains(id)
        });
        if found.is_some() {
            all.notes.push(Remark {
                table: Table::Profiles,
                place,
                id: first.map(|claim| claim.old_id.clone()).unwrap_or_default(),
                what: Note::OtherAddress,
            });
        }
    }
    let own = first
        .map(|claim| claim.ids[0])
        .filter(|id| !taken.contains(id));
    let id = found.or(own).unwrap_or_else(|| derived("email", email));
    taken.insert(id);
    let profiles = claims.iter().filter_map(|claim| claim.profile);
    let profile = profiles.max_by_key(|(row, _)| {
        let row = &all.rows[*row];
        (
            row.updated.map_or(i64::MIN, Moment::order),
            std::cmp::Reverse(row.place),
        )
    });
    Person {
        id,
        email: email.to_owned(),
        place,
        old_id: first.map(|claim| claim.old_id.clone()).unwrap_or_default(),
        profile,
        username: String::new(),
        created: first.and_then(|claim| made(claim, all)),
        updated: profile.and_then(|(row, _)| all.rows[row].updated),
        password: None,
        used: None,
        has_profile: known.profiles.ids.contains(&id),
        has_account: known.accounts.ids.contains(&id),
    }
}

fn made(claim: &Claim, all: &Collected) -> Option<Moment> {
    claim.profile.and_then(|(row, _)| all.rows[row].created)
}

/// The password that was used last counts.
fn choose_password(person: &mut Person, sign_ins: &[usize], all: &Collected, fates: &mut [Fate]) {
    let newest = sign_ins.iter().copied().max_by_key(|at| {
        let (place, credential) = &all.credentials[*at];
        let time = |moment: Option<Moment>| moment.map_or(i64::MIN, Moment::order);
        (
            time(credential.used.or(credential.created)),
            time(credential.created),
            std::cmp::Reverse(*place),
        )
    });
    for at in sign_ins {
        fates[*at] = Fate::Merged(Merge::OlderPassword);
    }
    let Some(newest) = newest else {
        return;
    };
    let (_, credential) = &all.credentials[newest];
    fates[newest] = if person.has_account {
        Fate::Exists
    } else if person.has_profile {
        Fate::Kept(Reason::Unproven)
    } else if credential.password.is_reset() {
        Fate::Kept(Reason::ResetPassword)
    } else {
        person.password = Some(credential.password.clone());
        person.used = credential.used;
        Fate::New
    };
    person.created = person.created.or(credential.created);
}

fn judge_profiles(person: &Person, claims: &[Claim], all: &mut Collected) {
    for claim in claims {
        let Some((row, _)) = claim.profile else {
            continue;
        };
        let counts = person.profile.is_some_and(|(own, _)| own == row);
        all.rows[row].fate = match (counts, person.has_profile) {
            (true, false) => Fate::New,
            (true, true) if claim.ids.contains(&person.id) => Fate::Exists,
            _ => Fate::Merged(Merge::SamePerson),
        };
    }
}
