//! Applies the gateway's own migrations, and then the application's scripts.
//!
//! Each script runs in a transaction of its own, under a lock that lets one process migrate at a
//! time, and leaves its checksum in `passerelle.migrations`. Nothing here knows what a script
//! does.

mod position;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio_postgres::{Client, Transaction};

use self::position::Position;

/// Key of the advisory lock: "passerel" in ASCII.
const LOCK: i64 = 0x7061_7373_6572_656c;

const LEDGER: &str = include_str!("migrate/ledger.sql");

/// Scripts of an application, in the order in which they are applied.
const APPLICATION: [&str; 2] = ["init.sql", "policies.sql"];
/// Example data, after them, where there is any.
const SEED: &str = "seed.sql";

/// A numbered migration of the platform.
#[derive(Clone, Copy, Debug)]
pub struct Migration<'a> {
    /// File name, which also is the order.
    pub name: &'a str,
    /// SQL, of any number of statements.
    pub sql: &'a str,
}

/// Why the database is not up to date.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// A statement of a script failed.
    #[error("{script}{position}: {message}", message = describe(.source))]
    Script {
        /// File name of the script.
        script: String,
        /// Line and column in it, where the server told.
        position: Position,
        /// The server's report.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A platform migration differs from the one that was applied under its name.
    #[error("{0} was changed after it had been applied")]
    Changed(String),
    /// A script of the application cannot be read.
    #[error("{path} cannot be read", path = .path.display())]
    Read {
        /// The script.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The ledger or the lock failed.
    #[error("the ledger of migrations cannot be used")]
    Ledger(#[source] tokio_postgres::Error),
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Names of the scripts that were applied, in order.
    pub applied: Vec<String>,
    /// Scripts that were up to date.
    pub unchanged: usize,
}

/// What the ledger says about a script.
enum Entry {
    Missing,
    Same,
    Different,
}

/// Applies the platform's migrations that are not yet applied, then those of the application's
/// scripts in `application` that are new or changed. Safe to repeat and to run from several
/// processes.
pub async fn migrate(
    client: &mut Client,
    migrations: &[Migration<'_>],
    application: Option<&Path>,
) -> Result<Migrated, MigrateError> {
    migrate_with(client, migrations, application, Some(SEED)).await
}

/// The same without the application's example data.
pub async fn migrate_unseeded(
    client: &mut Client,
    migrations: &[Migration<'_>],
    application: Option<&Path>,
) -> Result<Migrated, MigrateError> {
    migrate_with(client, migrations, application, None).await
}

async fn migrate_with(
    client: &mut Client,
    migrations: &[Migration<'_>],
    application: Option<&Path>,
    seed: Option<&str>,
) -> Result<Migrated, MigrateError> {
    migrate_alone(client).await?;
    let outcome = apply_all(client, migrations, application, seed).await;
    // When this fails the connection is gone, and the lock with it.
    let _ = client
        .execute_typed(
            "select pg_catalog.pg_advisory_unlock($1)",
            &[(&LOCK, tokio_postgres::types::Type::INT8)],
        )
        .await;
    outcome
}

/// Waits until no other process migrates the database, and keeps all others from it until this connection ends.
pub async fn migrate_alone(client: &Client) -> Result<(), MigrateError> {
    client
        .execute_typed(
            "select pg_catalog.pg_advisory_lock($1)",
            &[(&LOCK, tokio_postgres::types::Type::INT8)],
        )
        .await
        .map(drop)
        .map_err(MigrateError::Ledger)
}

async fn apply_all(
    client: &mut Client,
    migrations: &[Migration<'_>],
    application: Option<&Path>,
    seed: Option<&str>,
) -> Result<Migrated, MigrateError> {
    script(client, "ledger", LEDGER).await?;
    let mut migrated = Migrated::default();
    for migration in migrations {
        match entry(client, migration.name, migration.sql).await? {
            Entry::Same => migrated.unchanged += 1,
            Entry::Different => return Err(MigrateError::Changed(migration.name.to_owned())),
            Entry::Missing => {
                apply(client, migration.name, migration.sql).await?;
                migrated.applied.push(migration.name.to_owned());
            }
        }
    }
    if let Some(directory) = application {
        apply_application(client, directory, seed, &mut migrated).await?;
    }
    Ok(migrated)
}

async fn apply_application(
    client: &mut Client,
    directory: &Path,
    seed: Option<&str>,
    migrated: &mut Migrated,
) -> Result<(), MigrateError> {
    let folder = directory.file_name().unwrap_or_default().to_string_lossy();
    for file in APPLICATION.into_iter().chain(seed) {
        let path = directory.join(file);
        let sql = match tokio::fs::read_to_string(&path).await {
            Ok(sql) => sql,
            Err(error) if error.kind() == io::ErrorKind::NotFound && file == SEED => continue,
            Err(source) => return Err(MigrateError::Read { path, source }),
        };
        let name = format!("{folder}/{file}");
        if matches!(entry(client, &name, &sql).await?, Entry::Same) {
            migrated.unchanged += 1;
        } else {
            apply(client, &name, &sql).await?;
            migrated.applied.push(name);
        }
    }
    Ok(())
}

/// Compares a script with the ledger; the server computes the checksum.
async fn entry(client: &Client, name: &str, sql: &str) -> Result<Entry, MigrateError> {
    use tokio_postgres::types::Type;
    let row = client
        .query_typed_opt(
            "select m.checksum = pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to($2, 'UTF8')), 'hex') \
             from passerelle.migrations m where m.name = $1",
            &[(&name, Type::TEXT), (&sql, Type::TEXT)],
        )
        .await
        .map_err(MigrateError::Ledger)?;
    match row {
        None => Ok(Entry::Missing),
        Some(row) if row.try_get(0).map_err(MigrateError::Ledger)? => Ok(Entry::Same),
        Some(_) => Ok(Entry::Different),
    }
}

/// Runs a script and records it, in one transaction.
async fn apply(client: &mut Client, name: &str, sql: &str) -> Result<(), MigrateError> {
    use tokio_postgres::types::Type;
    let transaction = client.transaction().await.map_err(MigrateError::Ledger)?;
    run(&transaction, name, sql).await?;
    transaction
        .execute_typed(
            "insert into passerelle.migrations (name, checksum) \
             values ($1, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to($2, 'UTF8')), 'hex')) \
             on conflict (name) do update set checksum = excluded.checksum, applied_at = pg_catalog.now()",
            &[(&name, Type::TEXT), (&sql, Type::TEXT)],
        )
        .await
        .map_err(MigrateError::Ledger)?;
    // A deferred constraint may fail as late as here.
    transaction
        .commit()
        .await
        .map_err(|source| failed(name, sql, source))?;
    tracing::info!(script = name, "migration applied");
    Ok(())
}

async fn script(client: &mut Client, name: &str, sql: &str) -> Result<(), MigrateError> {
    let transaction = client.transaction().await.map_err(MigrateError::Ledger)?;
    run(&transaction, name, sql).await?;
    transaction.commit().await.map_err(MigrateError::Ledger)
}

async fn run(transaction: &Transaction<'_>, name: &str, sql: &str) -> Result<(), MigrateError> {
    transaction
        .batch_execute(sql)
        .await
        .map_err(|source| failed(name, sql, source))
}

fn failed(name: &str, sql: &str, source: tokio_postgres::Error) -> MigrateError {
    let position = Position::of(&source, sql);
    MigrateError::Script {
        script: name.to_owned(),
        position,
        source,
    }
}

/// The server's words, or the driver's.
fn describe(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || error.to_string(),
        |report| {
            let mut text = format!("{} ({})", report.message(), report.code().code());
            for more in [report.detail(), report.hint()].into_iter().flatten() {
                text.push_str("; ");
                text.push_str(more);
            }
            text
        },
    )
}
