//! `passerelle serve` brings its database up to date before it serves, where it is told who owns it.

use std::path::Path;
use std::time::Duration;

use passerelle_pg::{ControlClient, ControlEndpoint, admit, migrate_alone, migrate_unseeded};
use passerelle_wire::ClientError;

use super::{CommandError, MigrationError, Wishes, fulfil, parse};
use crate::config::Settings;
use crate::platform::MIGRATIONS;
use crate::sentence;

/// Between attempts to reach a database that is not there yet.
const PAUSE: Duration = Duration::from_secs(1);
/// What PostgreSQL says while it starts or stops, and while it has no connection to give.
const PASSING: [&str; 2] = ["57P03", "53300"];
/// What it says of a password.
const WRONG_PASSWORD: &str = "28P01";

/// Waits for the database, applies what it lacks, and admits the roles that serve.
pub(in crate::commands) fn at_start(settings: &Settings) -> Result<(), CommandError> {
    if settings.migration.url.is_empty() {
        return Ok(());
    }
    let wishes = Wishes::of(settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(MigrationError::Runtime)?;
    Ok(runtime.block_on(prepare(settings, &wishes))?)
}

async fn prepare(settings: &Settings, wishes: &Wishes) -> Result<(), MigrationError> {
    let application = Path::new(&settings.migration.application);
    let application = (!application.as_os_str().is_empty()).then_some(application);
    if let Some(missing) = application.filter(|application| !application.is_dir()) {
        let missing = missing.display().to_string();
        return Err(MigrationError::NoApplication(missing));
    }
    let owner = parse(&settings.migration.url)?;
    let mut client = reach(&owner).await?;
    migrate_alone(&client).await?;
    let migrated = migrate_unseeded(&mut client, MIGRATIONS, application).await?;
    fulfil(&mut client, wishes).await?;
    let (applied, unchanged) = (migrated.applied.len(), migrated.unchanged);
    tracing::info!(applied, unchanged, "the database is up to date");
    let database = &settings.database;
    for url in [&database.url, &database.direct_url, &database.feed_url] {
        if url.is_empty() {
            continue;
        }
        let login = parse(url)?;
        if admit(&owner, &client, &login).await? {
            tracing::info!(role = login.user(), "the password was set");
        }
    }
    Ok(())
}

/// A connection of the owner's, as soon as there can be one.
async fn reach(owner: &ControlEndpoint) -> Result<ControlClient, MigrationError> {
    let mut told = false;
    loop {
        let error = match owner.connect().await {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        if let Some(code) = lasting(&error) {
            let source = error.into();
            return Err(if code == WRONG_PASSWORD {
                let role = owner.user().to_owned();
                MigrationError::Owner { role, source }
            } else {
                MigrationError::Connect(source)
            });
        }
        if !told {
            tracing::error!(
                fault = sentence(&error),
                "the database cannot be migrated yet; trying again"
            );
            told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The code of a refusal that waiting does not end; empty for one of the driver's own.
fn lasting(error: &ClientError) -> Option<String> {
    let ClientError::SignIn(refusal) = error else {
        return None;
    };
    match refusal.code() {
        Some(code) if PASSING.contains(&code.code()) => None,
        Some(code) => Some(code.code().to_owned()),
        None if refusal.is_closed() || is_of_the_network(refusal) => None,
        None => Some(String::new()),
    }
}

fn is_of_the_network(error: &dyn std::error::Error) -> bool {
    error
        .source()
        .is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}
