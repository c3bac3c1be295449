//! What all files hold, as far as decisions need it; the rows themselves wait in the spool.

mod surrogates;

use std::collections::HashMap;
use std::io;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use self::surrogates::mended;
use crate::convert::{self, Converted, old_id};
use crate::credentials::Credential;
use crate::embedded::data_url;
use crate::ids::id_of;
use crate::moment::{Moment, Told, told};
use crate::outcome::{Merge, Note, Reason};
use crate::source::{Rowset, Sink};
use crate::spool::{Cell, Span, Spool, encode};
use crate::table::{Kind, Table};

/// The most bytes of a row.
const LARGEST_ROW: usize = 16 << 20;
/// The most rows of a file, more than a browser can hold.
const MOST_ROWS: u64 = 400_000;
/// So many keys that are of no use are told.
const MOST_KEYS: usize = 1_000;
/// The most bytes of the session and the metadata.
const LARGEST_HEAD: usize = 1 << 16;
/// The address that the application invents for its first administrator.
const INVENTED: &str = "admin@example.com";

/// What becomes of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is imported, unless the database refuses it.
    New,
    /// The database has it.
    Exists,
    Merged(Merge),
    Kept(Reason),
}

/// Which row, for whoever looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) file: u16,
    /// Its number in its table, from 0.
    pub(crate) index: u32,
}

/// A row, as far as decisions need it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) table: Table,
    pub(crate) place: Place,
    pub(crate) old_id: Box<str>,
    pub(crate) id: Uuid,
    pub(crate) references: [Option<Uuid>; 3],
    pub(crate) number: i64,
    /// Of its natural key, if that is text.
    pub(crate) key: u64,
    /// Of all that it says.
    pub(crate) content: u64,
    /// Of what people wrote into it.
    pub(crate) words: u64,
    pub(crate) created: Option<Moment>,
    pub(crate) updated: Option<Moment>,
    pub(crate) span: Span,
    pub(crate) fate: Fate,
    /// No file has it; it follows from one that is imported.
    pub(crate) is_made: bool,
}

/// What a profile says about who somebody is.
#[derive(Debug)]
pub(crate) struct Profile {
    /// Its row, in [`Collected::rows`].
    pub(crate) row: usize,
    pub(crate) email: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) full_name: Option<String>,
    pub(crate) avatar_url: Option<String>,
    /// The id under which others refer to it, if that is not the row's.
    pub(crate) user: Option<Uuid>,
}

/// Something that is not imported, or was mended.
#[derive(Clone, Debug)]
pub(crate) struct Remark<T> {
    pub(crate) table: Table,
    pub(crate) place: Place,
    pub(crate) id: Box<str>,
    pub(crate) what: T,
}

/// What is of no use, by its key.
#[derive(Debug)]
pub(crate) struct LeftOut {
    pub(crate) file: u16,
    pub(crate) key: String,
    pub(crate) why: &'static str,
}

/// A file beside the tables.
#[derive(Debug)]
pub(crate) struct Embedded {
    pub(crate) span: Span,
    pub(crate) place: Place,
    /// Rows that name it.
    pub(crate) rows: Vec<usize>,
}

/// What is known of all files.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) rows: Vec<Row>,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) credentials: Vec<(Place, Credential)>,
    /// Who was signed in, by file: id and address.
    pub(crate) sessions: HashMap<(u16, Uuid), String>,
    pub(crate) embedded: HashMap<(u16, String), Embedded>,
    /// Rows that name files, with the key that they name.
    naming: Vec<(usize, String)>,
    /// When exports were made, by file.
    pub(crate) exported: HashMap<u16, Moment>,
    /// Rows that could not be read.
    pub(crate) kept: Vec<Remark<Reason>>,
    /// Rows of tables that the application does not have.
    pub(crate) unknown: Vec<(u16, String, u64)>,
    pub(crate) notes: Vec<Remark<Note>>,
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) left_out_keys: u64,
    /// How many rows each table has.
    pub(crate) read: HashMap<Table, u64>,
}

/// Gathers what files hold.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) all: Collected,
    spool: Spool,
    file: u16,
    /// Rows of this file, by table.
    indices: HashMap<Table, u32>,
    rows: u64,
    failure: Option<Failure>,
}

/// Why nothing more can be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("rows cannot be kept in the directory for temporary files")]
    Spool(#[from] io::Error),
    #[error("it has more than {MOST_ROWS} rows")]
    TooManyRows,
}

impl Collector {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            all: Collected {
                rows: Vec::new(),
                profiles: Vec::new(),
                credentials: Vec::new(),
                sessions: HashMap::new(),
                embedded: HashMap::new(),
                naming: Vec::new(),
                exported: HashMap::new(),
                kept: Vec::new(),
                unknown: Vec::new(),
                notes: Vec::new(),
                left_out: Vec::new(),
                left_out_keys: 0,
                read: HashMap::new(),
            },
            spool: Spool::new()?,
            file: 0,
            indices: HashMap::new(),
            rows: 0,
            failure: None,
        })
    }

    /// What follows is of another file.
    pub(crate) fn begin(&mut self, file: u16) {
        self.file = file;
        self.indices.clear();
        self.rows = 0;
    }

    /// Whether something went wrong that is not the file's fault, or a limit was met.
    pub(crate) fn failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    pub(crate) fn finish(mut self) -> (Collected, Spool) {
        for (row, key) in std::mem::take(&mut self.all.naming) {
            let file = self.all.rows[row].place.file;
            if let Some(embedded) = self.all.embedded.get_mut(&(file, key)) {
                embedded.rows.push(row);
                continue;
            }
            let row = &self.all.rows[row];
            self.all.notes.push(Remark {
                table: row.table,
                place: row.place,
                id: row.old_id.clone(),
                what: Note::NoFile,
            });
        }
        (self.all, self.spool)
    }

    /// Whether another row may come.
    fn goes_on(&mut self) -> bool {
        self.rows += 1;
        if self.rows > MOST_ROWS && self.failure.is_none() {
            self.failure = Some(Failure::TooManyRows);
        }
        self.failure.is_none()
    }

    fn count(&mut self, table: Table) -> Place {
        let index = self.indices.entry(table).or_default();
        let place = Place {
            file: self.file,
            index: *index,
        };
        *index += 1;
        *self.all.read.entry(table).or_default() += 1;
        place
    }

    fn keep(&mut self, table: Table, place: Place, id: &str, what: Reason) {
        let id = id.into();
        self.all.kept.push(Remark {
            table,
            place,
            id,
            what,
        });
    }

    fn credential(&mut self, json: &str) {
        let place = self.count(Table::Credentials);
        let read = object(json).and_then(|(row, _)| Credential::read(&row));
        match read {
            Ok(credential) => self.all.credentials.push((place, credential)),
            Err(reason) => self.keep(Table::Credentials, place, "", reason),
        }
    }

    fn plain(&mut self, table: Table, json: &str) -> io::Result<()> {
        let place = self.count(table);
        if json.len() > LARGEST_ROW {
            self.keep(table, place, "", Reason::RowTooLarge);
            return Ok(());
        }
        let (mut row, is_mended) = match object(json) {
            Ok(read) => read,
            Err(reason) => {
                self.keep(table, place, "", reason);
                return Ok(());
            }
        };
        let id = match old_id(table, &row) {
            Ok(id) => id,
            Err(reason) => {
                self.keep(table, place, "", reason);
                return Ok(());
            }
        };
        let person = (table == Table::Profiles).then(|| Person::read(&row));
        let mut converted = match convert::convert(table, &id, &mut row) {
            Ok(converted) => converted,
            Err(reason) => {
                self.keep(table, place, &id, reason);
                return Ok(());
            }
        };
        if is_mended {
            converted.notes.push(Note::Characters("a text"));
        }
        let row = self.row(table, place, &id, &converted)?;
        for what in std::mem::take(&mut converted.notes) {
            self.all.notes.push(Remark {
                table,
                place,
                id: id.as_str().into(),
                what,
            });
        }
        if let Some(person) = person {
            let text = |at: usize| match &converted.cells[at] {
                Cell::Text(text) => Some(text.clone()).filter(|text| !text.is_empty()),
                _ => None,
            };
            self.all.profiles.push(Profile {
                row: self.all.rows.len(),
                email: person.email,
                user: person.user,
                username: text(0),
                full_name: text(1),
                avatar_url: text(3).filter(|url| !url.starts_with("data:")),
            });
        }
        for (column, cell) in table.columns().iter().zip(&converted.cells) {
            if let Cell::Text(key) = cell
                && (matches!(column.kind, Kind::Link) || column.name == "file_path")
                && is_key(key)
            {
                let key = key.clone();
                self.all.naming.push((self.all.rows.len(), key));
            }
        }
        self.all.rows.push(row);
        Ok(())
    }

    fn row(
        &mut self,
        table: Table,
        place: Place,
        id: &str,
        converted: &Converted,
    ) -> io::Result<Row> {
        let cells = encode(&converted.cells)?;
        let span = self.spool.add(&cells)?;
        let mut content = Sha256::new();
        content.update(&cells);
        content.update(format!(
            "{:?}{:?}{:?}",
            converted.references, converted.created, converted.updated
        ));
        Ok(Row {
            table,
            place,
            old_id: id.into(),
            id: id_of(id),
            references: converted.references,
            number: converted.number,
            key: converted.key.as_deref().map_or(0, key_of),
            content: head(&content.finalize()),
            words: words(table, &converted.cells),
            created: converted.created,
            updated: converted.updated,
            span,
            fate: Fate::New,
            is_made: false,
        })
    }

    fn embed(&mut self, key: &str, json: &str) -> io::Result<()> {
        let place = self.count(Table::Files);
        let url = object(json).ok().and_then(|(file, _)| data_url(&file));
        let Some(url) = url else {
            self.keep(Table::Files, place, key, Reason::BadFile);
            return Ok(());
        };
        let span = self.spool.add(&encode(&[Cell::Text(url)])?)?;
        let embedded = Embedded {
            span,
            place,
            rows: Vec::new(),
        };
        self.all
            .embedded
            .insert((self.file, key.to_owned()), embedded);
        Ok(())
    }
}

impl Sink for Collector {
    fn row(&mut self, of: &Rowset, json: &str) {
        if !self.goes_on() {
            return;
        }
        let kept = match of {
            Rowset::Table(table) => self.plain(*table, json),
            Rowset::Credentials => {
                self.credential(json);
                Ok(())
            }
            Rowset::Unknown(name) => {
                let file = self.file;
                match self.all.unknown.last_mut() {
                    Some((last, table, rows)) if *last == file && table == name => *rows += 1,
                    _ => self.all.unknown.push((file, name.clone(), 1)),
                }
                Ok(())
            }
        };
        self.failure = kept.err().map(Failure::Spool);
    }

    fn damaged(&mut self, of: &Rowset) {
        if !self.goes_on() {
            return;
        }
        let table = match of {
            Rowset::Table(table) => *table,
            Rowset::Credentials => Table::Credentials,
            Rowset::Unknown(name) => {
                self.all.unknown.push((self.file, name.clone(), 1));
                return;
            }
        };
        let place = self.count(table);
        self.keep(table, place, "", Reason::DamagedTable);
    }

    fn session(&mut self, json: &str) {
        if json.len() > LARGEST_HEAD {
            return;
        }
        let session: Value = serde_json::from_str(json).unwrap_or_default();
        let user = &session["user"];
        if let (Some(id), Some(email)) = (user["id"].as_str(), user["email"].as_str())
            && email != INVENTED
        {
            let id = id_of(id);
            self.all.sessions.insert((self.file, id), email.to_owned());
        }
    }

    fn metadata(&mut self, json: &str) {
        if json.len() > LARGEST_HEAD {
            return;
        }
        let metadata: Value = serde_json::from_str(json).unwrap_or_default();
        if let Told::Instant(moment) | Told::Local(moment) = told(&metadata["exportDate"]) {
            self.all.exported.insert(self.file, moment);
        }
    }

    fn file(&mut self, key: &str, json: &str) {
        if self.goes_on() {
            self.failure = self.embed(key, json).err().map(Failure::Spool);
        }
    }

    fn left_out(&mut self, key: &str, why: &'static str) {
        self.all.left_out_keys += 1;
        if self.all.left_out.len() >= MOST_KEYS {
            return;
        }
        self.all.left_out.push(LeftOut {
            file: self.file,
            key: key.chars().take(200).collect(),
            why,
        });
    }
}

/// Whether it is the name of a file that lies beside the tables.
fn is_key(text: &str) -> bool {
    ["hub-lib-file-", "hub-lib-avatar-"]
        .iter()
        .any(|prefix| text.starts_with(prefix))
}

/// What the row of a profile says beside its columns.
struct Person {
    email: Option<String>,
    user: Option<Uuid>,
}

impl Person {
    fn read(row: &Map<String, Value>) -> Self {
        let text = |name: &str| {
            let text = row.get(name).and_then(Value::as_str);
            text.filter(|text| !text.trim().is_empty())
        };
        Self {
            email: text("email").map(str::to_owned),
            user: text("user_id").map(id_of),
        }
    }
}

/// An object, and whether it had to be mended.
fn object(json: &str) -> Result<(Map<String, Value>, bool), Reason> {
    let read = |json: &str| serde_json::from_str::<Value>(json);
    let (value, is_mended) = match read(json) {
        Ok(value) => (value, false),
        Err(error) if error.to_string().starts_with("recursion limit") => {
            return Err(Reason::TooDeep);
        }
        Err(_) => match read(&mended(json)) {
            Ok(value) => (value, true),
            Err(_) => return Err(Reason::Damaged),
        },
    };
    match value {
        Value::Object(row) => Ok((row, is_mended)),
        _ => Err(Reason::NotAnObject),
    }
}

/// What stands for a natural key that is text.
pub(crate) fn key_of(text: &str) -> u64 {
    head(&Sha256::digest(text.as_bytes()))
}

/// What stands for the words that people wrote into a row.
fn words(table: Table, cells: &[Cell]) -> u64 {
    let mut words = Sha256::new();
    let columns = table.columns().iter().zip(cells);
    for (column, cell) in columns {
        if matches!(
            column.kind,
            Kind::Limited(_) | Kind::Text | Kind::Link | Kind::Texts
        ) && column.name != "username"
        {
            words.update(format!("{cell:?}\u{0}"));
        }
    }
    head(&words.finalize())
}

fn head(digest: &[u8]) -> u64 {
    let bytes = digest.first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(bytes)
}
