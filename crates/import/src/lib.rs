//! Import: what an application kept in browsers (localStorage) comes into the database.
//!
//! Files are read row by row; what decisions need is held in memory, and the rows wait in a file without a name. Then one
//! transaction takes the tables, decides about every row, writes those that are new and counts again. A dry run does the same
//! and takes it back.

mod collect;
mod convert;
mod copy;
mod credentials;
mod database;
mod decide;
mod embedded;
mod exports;
mod ids;
mod load;
mod moment;
mod outcome;
mod people;
mod progress;
mod report;
mod source;
mod spool;
mod table;

use std::io;

use passerelle_pg::ControlClient;
use thiserror::Error;

pub use self::database::DatabaseError;
pub use self::exports::{Exports, FileError};
pub use self::progress::{Progress, Stage};
pub use self::report::{Counts, Report};

use self::load::Load;
use self::people::{Claims, name_all};

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Takes everything back in the end.
    pub dry_run: bool,
    /// Nobody becomes an administrator.
    pub no_administrators: bool,
    /// The address of the administrator that a browser made at its first start, who has none.
    pub default_admin: Option<String>,
}

/// Why nothing is imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Files that cannot be taken.
    #[error("{}", lines(.0))]
    Files(Vec<FileError>),
    /// More files than are told apart.
    #[error("there are more than 65535 files")]
    TooManyFiles,
    /// The disk.
    #[error("rows cannot be kept in the directory for temporary files")]
    Spool(#[from] io::Error),
    /// The address of the first administrator.
    #[error("--default-admin {0} is not an e-mail address")]
    DefaultAdmin(String),
    /// The database refuses an account.
    #[error("the database refuses the account of {email}: {why}")]
    Account {
        /// Whose.
        email: String,
        /// What it says.
        why: String,
    },
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

fn lines(errors: &[FileError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

impl Exports {
    /// Brings them into the database, in one transaction.
    pub async fn import(
        self,
        client: &mut ControlClient,
        options: &Options,
        progress: &mut dyn Progress,
    ) -> Result<Report, ImportError> {
        let Self {
            sources,
            mut all,
            mut spool,
        } = self;
        let default_admin = options.default_admin.as_deref();
        if let Some(address) = default_admin
            && !people::is_address(address)
        {
            return Err(ImportError::DefaultAdmin(address.to_owned()));
        }
        let claims = Claims::of(&mut all, default_admin);
        let transaction = client.transaction().await.map_err(DatabaseError::Failed)?;
        database::take(&transaction).await?;
        let silenced = database::silence(&transaction).await?;
        let known = database::known(&transaction, &claims.emails(), &claims.ids()).await?;
        let mut people = claims.decide(&mut all, &known);
        name_all(&mut people, &mut all, known.usernames);
        let decisions = decide::decide(&transaction, &mut all, &people).await?;
        if options.no_administrators {
            decide::demote(&mut all);
        }
        decide::complete(&transaction, &mut all, &people, &mut spool).await?;
        let spooled = spool.finish()?;
        let load = Load::new(&transaction, &spooled, &all, progress).await?;
        load.all(&mut all, &people, &decisions).await?;
        silenced.end(&transaction).await?;
        let report = Report::of(&sources, &all, &people);
        let ended = if options.dry_run {
            transaction.rollback().await
        } else {
            transaction.commit().await
        };
        ended.map_err(DatabaseError::Failed)?;
        Ok(report)
    }
}
