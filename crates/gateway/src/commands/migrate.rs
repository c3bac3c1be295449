//! `passerelle migrate`: the platform, and an application, into a database.

mod at_start;

use std::path::{Path, PathBuf};

use passerelle_catalog::QualifiedName;
use passerelle_jobs::{InstallError, JobSpecs, install};
use passerelle_pg::{
    AdmitError, ControlClient, ControlEndpoint, FollowError, MigrateError, Migrated, follow,
    migrate, migrate_alone, migrate_unseeded,
};

use super::{CommandError, print};
use crate::config::{ConfigError, Settings, jobs};
use crate::deployment::Wanted;
use crate::environment::Environment;
use crate::platform::MIGRATIONS;

pub(super) use at_start::at_start;

/// Why a database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MigrationError {
    /// No database is named.
    #[error("no database: set DATABASE_URL to the connection URI of its owner")]
    NoDatabase,
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It refuses its owner.
    #[error(
        "the database refuses the role {role} of migration.url (a password that was changed here has to be changed there, \
         too: alter role {role} password '…')"
    )]
    Owner {
        /// The role.
        role: String,
        /// Its word.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A role that serves cannot sign in.
    #[error(transparent)]
    Admit(#[from] AdmitError),
    /// A script failed.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// What kept replies depend on cannot be followed.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// What jobs follow cannot be recorded.
    #[error(transparent)]
    Jobs(#[from] InstallError),
    /// There is no such directory.
    #[error("there is no directory {0} that could hold init.sql")]
    NoApplication(String),
    /// No runtime.
    #[error("the runtime could not be started")]
    Runtime(#[source] std::io::Error),
}

/// An application.
#[derive(Clone, Copy)]
pub(super) struct App<'a> {
    pub(super) directory: &'a Path,
    /// Its example data go in, too.
    pub(super) with_seed: bool,
}

pub(super) fn run(
    app: Option<App<'_>>,
    config: Option<&Path>,
    environment: &Environment,
) -> Result<(), CommandError> {
    let of_app = app.and_then(|app| configuration(app.directory));
    let wishes = match config.or(of_app.as_deref()) {
        Some(config) => Some(Wishes::of(&Settings::load(Some(config), environment)?)?),
        None => None,
    };
    let (migrated, followed) = migrate_named(app, wishes.as_ref(), environment)?;
    for script in &migrated.applied {
        print(&format!("applied {script}\n"))?;
    }
    print(&format!(
        "{} applied, {} up to date\n",
        migrated.applied.len(),
        migrated.unchanged
    ))?;
    for table in &followed {
        print(&format!("changes of {table} are followed\n"))?;
    }
    Ok(())
}

fn migrate_named(
    app: Option<App<'_>>,
    wishes: Option<&Wishes>,
    environment: &Environment,
) -> Result<(Migrated, Vec<QualifiedName>), MigrationError> {
    let url = owner_url(environment).ok_or(MigrationError::NoDatabase)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(MigrationError::Runtime)?;
    runtime.block_on(apply(url, app, wishes))
}

/// Where the database's owner signs in: beside a server that migrates, `DATABASE_URL` is that of another role.
pub(super) fn owner_url(environment: &Environment) -> Option<&str> {
    [
        "PASSERELLE_MIGRATION_URL",
        "DATABASE_URL",
        "PASSERELLE_DATABASE_URL",
    ]
    .into_iter()
    .filter_map(|name| environment.get(name))
    .find(|url| !url.is_empty())
}

/// The configuration that an application brings along: `app.toml` beside its SQL.
pub(super) fn configuration(app: &Path) -> Option<PathBuf> {
    Some(app.join("app.toml")).filter(|file| file.is_file())
}

/// What a configuration wants of a database.
pub(super) struct Wishes {
    wanted: Wanted,
    jobs: JobSpecs,
}

impl Wishes {
    pub(super) fn of(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            wanted: Wanted::of(&settings.cache),
            jobs: jobs(&settings.jobs)?,
        })
    }
}

/// Applies what is missing. Where there is a configuration, what kept replies depend on is followed,
/// and what jobs follow is recorded; otherwise both stay as they are.
pub(super) async fn apply(
    url: &str,
    app: Option<App<'_>>,
    wishes: Option<&Wishes>,
) -> Result<(Migrated, Vec<QualifiedName>), MigrationError> {
    let directory = app.map(|app| app.directory);
    if let Some(missing) = directory.filter(|directory| !directory.is_dir()) {
        let missing = missing.display().to_string();
        return Err(MigrationError::NoApplication(missing));
    }
    let connected = parse(url)?.connect().await;
    let mut client = connected.map_err(|error| MigrationError::Connect(error.into()))?;
    migrate_alone(&client).await?;
    let migrated = if app.is_some_and(|app| app.with_seed) {
        migrate(&mut client, MIGRATIONS, directory).await?
    } else {
        migrate_unseeded(&mut client, MIGRATIONS, directory).await?
    };
    let followed = match wishes {
        Some(wishes) => fulfil(&mut client, wishes).await?,
        None => Vec::new(),
    };
    Ok((migrated, followed))
}

fn parse(url: &str) -> Result<ControlEndpoint, MigrationError> {
    ControlEndpoint::parse(url).map_err(|error| MigrationError::Connect(error.into()))
}

/// What a configuration wants of a database that is up to date: the tables that are followed now.
async fn fulfil(
    client: &mut ControlClient,
    wishes: &Wishes,
) -> Result<Vec<QualifiedName>, MigrationError> {
    let followed = follow(client, wishes.wanted.to_follow()).await?;
    install(client, &wishes.jobs).await?;
    Ok(followed)
}
