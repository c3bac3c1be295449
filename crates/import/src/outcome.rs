//! What may become of a row, besides that it is imported.

use std::fmt;

use crate::table::Table;

/// Why a row is kept out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    NotAnObject,
    /// It is not JSON.
    Damaged,
    TooDeep,
    RowTooLarge,
    NoId,
    LongId,
    Missing(&'static str),
    Empty(&'static str),
    Wrong(&'static str, &'static str),
    Unknown(&'static str, String),
    /// It is no whole number from the first to the last.
    Range(&'static str, i64, i64),
    TooLong(&'static str, usize),
    /// A share is for one person or one group.
    NotOneTarget,
    /// What it refers to is nowhere.
    Dangling(&'static str, Table),
    /// What it refers to is kept out.
    Lost(&'static str, Table),
    /// It is its own ancestor.
    Circle,
    /// The comment that it answers belongs to another resource.
    OtherResource,
    /// The id has come with other content, which is newer.
    Older,
    /// Another row is for the same people and things.
    Duplicate(String),
    /// Somebody has tried again what had worked.
    Retry(String),
    NoAddress,
    BadAddress(String),
    NoHash,
    /// The password is the one that everybody has who had none.
    ResetPassword,
    /// The database knows the person, but no account of theirs.
    Unproven,
    Nobody,
    UnusedFile,
    BadFile,
    /// The application has no such table; so many rows.
    UnknownTable(u64),
    /// The table is no list, or ends in the middle.
    DamagedTable,
    /// The database says no.
    Refused(String),
}

/// Why a row is part of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Another profile of the same address.
    SamePerson,
    /// The same row came in more than one file.
    SameRow,
    /// The database has a row for the same things already, which stays.
    AlreadyThere,
    /// A suggestion of the same name and type.
    SameSuggestion,
    /// A person has one role.
    OneRole,
    /// Somebody has signed in with another password since.
    OlderPassword,
}

/// What was mended in a row that is imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// A time without a zone is taken as UTC.
    Zone(&'static str),
    /// A time that is none.
    Clock(&'static str),
    /// Characters that are none.
    Characters(&'static str),
    Counter(&'static str),
    /// What it referred to is not there.
    Blanked(&'static str, Table),
    NoVisibility,
    NoTemplate,
    /// The username belongs to somebody else.
    Username(String, String),
    /// Several people of a file have the same, which an edit wrote to all of them.
    SharedName(String),
    /// Other rows of the file say the same.
    Alike(usize),
    /// The file that it names is not in the export.
    NoFile,
    /// Whoever owns a group administers it.
    OwnerAdministers,
    /// There was no profile.
    FromCredentials,
    /// The address is that of the sign-in, since the profile has none.
    BorrowedAddress,
    /// Tags are spelled as suggestions are.
    Spelling,
    /// The person has another address by now.
    OtherAddress,
    /// The account is there, and gets no role from a file.
    RoleStays,
    /// Nobody becomes administrator by this import.
    NoAdministrator,
}

impl Reason {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotAnObject | Self::Damaged | Self::DamagedTable => "damaged",
            Self::TooDeep => "too_deep",
            Self::RowTooLarge | Self::LongId | Self::TooLong(..) => "oversized",
            Self::NoId => "no_id",
            Self::Missing(_) | Self::Empty(_) => "missing",
            Self::Wrong(..) | Self::Unknown(..) | Self::Range(..) => "invalid",
            Self::NotOneTarget => "target",
            Self::Dangling(..) => "dangling",
            Self::Lost(..) => "lost",
            Self::Circle | Self::OtherResource => "parent",
            Self::Older | Self::Duplicate(_) | Self::Retry(_) => "duplicate",
            Self::NoAddress | Self::BadAddress(_) => "address",
            Self::NoHash | Self::ResetPassword | Self::Unproven => "password",
            Self::Nobody => "nobody",
            Self::UnusedFile => "unused_file",
            Self::BadFile => "file",
            Self::UnknownTable(_) => "unknown_table",
            Self::Refused(_) => "refused",
        }
    }
}

impl Note {
    /// Whether it is about a person, whichever row speaks of them.
    pub(crate) fn is_about_people(&self) -> bool {
        matches!(
            self,
            Self::Username(..)
                | Self::SharedName(_)
                | Self::FromCredentials
                | Self::OtherAddress
                | Self::RoleStays
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the row is not an object"),
            Self::Damaged => f.write_str("the row is damaged: it is not JSON"),
            Self::TooDeep => f.write_str("the row is nested too deeply"),
            Self::RowTooLarge => f.write_str("the row has more than 16 MB"),
            Self::NoId => f.write_str("the row has no id"),
            Self::LongId => f.write_str("the id has more than 200 characters"),
            Self::Missing(column) => write!(f, "{column} is missing"),
            Self::Empty(column) => write!(f, "{column} is empty"),
            Self::Wrong(column, expected) => write!(f, "{column} is not {expected}"),
            Self::Unknown(column, value) => write!(f, "{column} cannot be \"{value}\""),
            Self::Range(column, least, most) => {
                write!(f, "{column} is not a whole number from {least} to {most}")
            }
            Self::TooLong(column, limit) => {
                write!(f, "{column} has more than {limit} characters")
            }
            Self::NotOneTarget => {
                f.write_str("a share is for one person or one group, not for both or neither")
            }
            Self::Dangling(column, table) => {
                let table = table.name();
                write!(f, "{column} refers to a row of {table} that is nowhere")
            }
            Self::Lost(column, table) => {
                let table = table.name();
                write!(f, "{column} refers to a row of {table} that is kept out")
            }
            Self::Circle => f.write_str("the row is its own ancestor"),
            Self::OtherResource => {
                f.write_str("the comment that it answers belongs to another resource")
            }
            Self::Older => f.write_str("a newer row has the same id"),
            Self::Duplicate(of) => write!(f, "there can be one for the same things, and {of} is newer"),
            Self::Retry(of) => write!(
                f,
                "it was made again by a second try: {of} is the same, and nothing refers to this one"
            ),
            Self::NoAddress => f.write_str(
                "the profile has no e-mail address; for the first administrator, see --default-admin",
            ),
            Self::BadAddress(address) => write!(f, "\"{address}\" is not an e-mail address"),
            Self::NoHash => f.write_str("there is no password hash of the application in it"),
            Self::ResetPassword => f.write_str(
                "the password is \"reset\", which the application gave to who had none: a new one has to be set",
            ),
            Self::Unproven => f.write_str(
                "the database knows this person without an account: a new password has to be set by mail",
            ),
            Self::Nobody => f.write_str("it belongs to nobody in the file"),
            Self::UnusedFile => f.write_str("no row names this file"),
            Self::BadFile => f.write_str("the file is damaged or has more than 10 MB"),
            Self::UnknownTable(rows) => {
                write!(f, "the application has no such table ({rows} rows)")
            }
            Self::DamagedTable => {
                f.write_str("the rest of the table is damaged: it is no list of rows")
            }
            Self::Refused(why) => write!(f, "the database refuses it: {why}"),
        }
    }
}

impl fmt::Display for Merge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SamePerson => "the same person, by the e-mail address",
            Self::SameRow => "the same row came before",
            Self::AlreadyThere => "the database has one for the same already, which stays",
            Self::SameSuggestion => "there is a suggestion of this name and type",
            Self::OneRole => "a person has one role",
            Self::OlderPassword => "the person has another password that was used later",
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zone(column) => write!(f, "{column} has no time zone and is taken as UTC"),
            Self::Clock(column) => write!(
                f,
                "{column} is no time; another time of the row, or of the export, is taken"
            ),
            Self::Characters(column) => {
                write!(f, "{column} had characters that cannot be stored")
            }
            Self::Counter(column) => write!(f, "{column} is no count and begins at 0"),
            Self::Blanked(column, table) => {
                let table = table.name();
                write!(f, "{column} is left empty: its row of {table} is not there")
            }
            Self::NoVisibility => f.write_str("it had no visibility and is private"),
            Self::NoTemplate => f.write_str("template_data is missing and is empty"),
            Self::Username(from, to) => {
                write!(f, "the username \"{from}\" is taken; it is \"{to}\" now")
            }
            Self::SharedName(name) => write!(
                f,
                "several people of this file are called \"{name}\": an edit of one has overwritten all, \
                so look at these profiles"
            ),
            Self::Alike(rows) => write!(
                f,
                "{rows} rows of this file say the same: an edit of one may have overwritten all; they are kept"
            ),
            Self::NoFile => f.write_str("the file that file_path names is not in the export"),
            Self::OwnerAdministers => {
                f.write_str("the owner of a group is a member with role admin")
            }
            Self::FromCredentials => {
                f.write_str("there was no profile: it is made from the sign-in")
            }
            Self::BorrowedAddress => {
                f.write_str("the profile has no e-mail address; that of the sign-in is taken")
            }
            Self::Spelling => f.write_str("tags are spelled as the suggestions are"),
            Self::OtherAddress => {
                f.write_str("the database knows this person by id, with another e-mail address")
            }
            Self::RoleStays => f.write_str(
                "the account was there before: it keeps the role that it has in the database",
            ),
            Self::NoAdministrator => {
                f.write_str("nobody becomes administrator by this import: the role is user")
            }
        }
    }
}
