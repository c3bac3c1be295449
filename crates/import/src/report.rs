//! What has become of every row, for people and for programs.

mod text;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::collect::{Collected, Fate, Place};
use crate::exports::Source;
use crate::people::People;
use crate::source::Shape;
use crate::table::Table;

/// What has become of every row: the same for a dry run.
#[derive(Debug, Serialize)]
pub struct Report {
    files: Vec<FileReport>,
    tables: BTreeMap<String, Counts>,
    people: PeopleReport,
    /// Rows that are kept out, and why.
    kept_out: Vec<KeptOut>,
    /// Rows that are part of others.
    merged: Vec<Told>,
    /// What was mended in rows that are imported.
    mended: Vec<Told>,
    /// What files hold that is of no use.
    left_out: Vec<LeftOutReport>,
    /// How many such keys there are; the first thousand are listed.
    left_out_keys: u64,
    #[serde(skip)]
    order: Vec<String>,
}

#[derive(Debug, Serialize)]
struct FileReport {
    file: String,
    shape: &'static str,
    bytes: u64,
}

/// How many rows. Read are those that are imported, there already, merged and kept out, together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// In all files.
    pub read: u64,
    /// New in the database.
    pub imported: u64,
    /// In the database from before, and left as they were.
    pub existing: u64,
    /// Part of another row.
    pub merged: u64,
    /// Not imported.
    pub kept_out: u64,
    /// New in the database, though no file has them: roles, and owners among the members of groups.
    pub added: u64,
}

#[derive(Debug, Default, Serialize)]
struct PeopleReport {
    /// Who is new, and signs in with the password they had.
    with_password: Vec<String>,
    /// Who is new, and has to set a password.
    without_password: Vec<String>,
    /// Who was in the database before, and stays as they were.
    existing: Vec<String>,
    /// Who of those who are new becomes an administrator.
    administrators: Vec<String>,
}

#[derive(Debug, Serialize)]
struct KeptOut {
    #[serde(flatten)]
    row: RowName,
    code: &'static str,
    reason: String,
}

#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    row: RowName,
    why: String,
}

/// Where a row is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct RowName {
    file: String,
    table: String,
    /// From 0.
    row: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
}

#[derive(Debug, Serialize)]
struct LeftOutReport {
    file: String,
    key: String,
    why: &'static str,
}

impl Report {
    /// How many rows of a table, by its name in the database, or `credentials`, `files`.
    pub fn counts(&self, table: &str) -> Counts {
        self.tables.get(table).copied().unwrap_or_default()
    }

    pub(crate) fn of(sources: &[Source], all: &Collected, people: &People) -> Self {
        let files = sources.iter().map(|source| FileReport {
            file: source.path.display().to_string(),
            shape: match source.shape {
                Shape::Export => "export",
                Shape::Tables => "tables",
                Shape::Dump => "dump",
            },
            bytes: source.bytes,
        });
        let mut report = Self {
            files: files.collect(),
            tables: BTreeMap::new(),
            people: PeopleReport::default(),
            kept_out: Vec::new(),
            merged: Vec::new(),
            mended: Vec::new(),
            left_out: all
                .left_out
                .iter()
                .map(|left| LeftOutReport {
                    file: sources
                        .get(usize::from(left.file))
                        .map(|source| source.path.display().to_string())
                        .unwrap_or_default(),
                    key: left.key.clone(),
                    why: left.why,
                })
                .collect(),
            left_out_keys: all.left_out_keys,
            order: Table::ALL
                .iter()
                .map(|table| table.name().to_owned())
                .collect(),
        };
        for table in Table::ALL {
            let read = all.read.get(&table).copied().unwrap_or_default();
            let counts = Counts {
                read,
                ..Counts::default()
            };
            report.tables.insert(table.name().to_owned(), counts);
        }
        report.rows(all);
        report.credentials(all, people);
        report.embedded(all);
        report.unknown(all);
        report.everybody(all, people);
        report.mend(all);
        report
            .kept_out
            .sort_by(|one, other| one.row.cmp(&other.row));
        report.merged.sort_by(|one, other| one.row.cmp(&other.row));
        report.mended.sort_by(|one, other| one.row.cmp(&other.row));
        report
    }

    fn rows(&mut self, all: &Collected) {
        for remark in &all.kept {
            let fate = Fate::Kept(remark.what.clone());
            self.judge(remark.table, remark.place, &remark.id, &fate);
        }
        for row in &all.rows {
            if row.is_made {
                if row.fate == Fate::New {
                    self.table(row.table.name()).added += 1;
                }
                continue;
            }
            self.judge(row.table, row.place, &row.old_id, &row.fate);
        }
    }

    fn credentials(&mut self, all: &Collected, people: &People) {
        for ((place, credential), fate) in all.credentials.iter().zip(&people.credentials) {
            let id = credential.user.as_deref().unwrap_or_default();
            self.judge(Table::Credentials, *place, id, fate);
        }
    }

    /// A file goes with the rows that name it.
    fn embedded(&mut self, all: &Collected) {
        for ((_, key), embedded) in &all.embedded {
            let fates = || embedded.rows.iter().map(|at| &all.rows[*at].fate);
            let fate = if fates().any(|fate| *fate == Fate::New) {
                Fate::New
            } else if fates().any(|fate| matches!(fate, Fate::Exists | Fate::Merged(_))) {
                Fate::Exists
            } else {
                Fate::Kept(crate::outcome::Reason::UnusedFile)
            };
            self.judge(Table::Files, embedded.place, key, &fate);
        }
    }

    fn unknown(&mut self, all: &Collected) {
        for (file, name, rows) in &all.unknown {
            let name: String = name.chars().take(100).collect();
            let reason = crate::outcome::Reason::UnknownTable(*rows);
            let counts = self.table(&name);
            counts.read += rows;
            counts.kept_out += rows;
            self.kept_out.push(KeptOut {
                row: RowName {
                    file: self.file(*file),
                    table: name,
                    row: 0,
                    id: String::new(),
                },
                code: reason.code(),
                reason: reason.to_string(),
            });
        }
    }

    fn everybody(&mut self, all: &Collected, people: &People) {
        let mut roles: HashMap<uuid::Uuid, bool> = HashMap::new();
        for row in &all.rows {
            if row.table == Table::UserRoles && row.fate == Fate::New && row.number == 1 {
                roles.extend(row.references[0].map(|id| (id, true)));
            }
        }
        for person in &people.all {
            let email = person.email.clone();
            if roles.contains_key(&person.id) {
                self.people.administrators.push(email.clone());
            }
            let list = if person.has_account {
                &mut self.people.existing
            } else if person.password.is_some() {
                &mut self.people.with_password
            } else {
                &mut self.people.without_password
            };
            list.push(email);
        }
    }

    fn mend(&mut self, all: &Collected) {
        // What is kept out was not mended.
        let out: std::collections::HashSet<(Table, Place)> = all
            .rows
            .iter()
            .filter(|row| row.fate != Fate::New && !row.is_made)
            .map(|row| (row.table, row.place))
            .collect();
        for remark in &all.notes {
            if out.contains(&(remark.table, remark.place)) && !remark.what.is_about_people() {
                continue;
            }
            let told = Told {
                row: self.name(remark.table, remark.place, &remark.id),
                why: remark.what.to_string(),
            };
            self.mended.push(told);
        }
    }

    fn judge(&mut self, table: Table, place: Place, id: &str, fate: &Fate) {
        let counts = self.table(table.name());
        match fate {
            Fate::New => counts.imported += 1,
            Fate::Exists => counts.existing += 1,
            Fate::Merged(merge) => {
                counts.merged += 1;
                let row = self.name(table, place, id);
                let why = merge.to_string();
                self.merged.push(Told { row, why });
            }
            Fate::Kept(reason) => {
                counts.kept_out += 1;
                let row = self.name(table, place, id);
                self.kept_out.push(KeptOut {
                    row,
                    code: reason.code(),
                    reason: reason.to_string(),
                });
            }
        }
    }

    fn table(&mut self, name: &str) -> &mut Counts {
        if !self.tables.contains_key(name) {
            self.order.push(name.to_owned());
        }
        self.tables.entry(name.to_owned()).or_default()
    }

    fn name(&self, table: Table, place: Place, id: &str) -> RowName {
        RowName {
            file: self.file(place.file),
            table: table.name().to_owned(),
            row: place.index,
            id: id.to_owned(),
        }
    }

    fn file(&self, number: u16) -> String {
        let file = self.files.get(usize::from(number));
        file.map(|file| file.file.clone()).unwrap_or_default()
    }
}
