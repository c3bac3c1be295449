//! What each command does, in the order of its steps.

mod cache;
mod dev;
mod healthcheck;
mod import;
mod jobs;
mod keys;
mod migrate;
mod rest;
mod serve;

use crate::cli::{Command, ImportCommand, KeysCommand};
use crate::config::ConfigError;
use crate::deployment::DeploymentError;
use crate::environment::Environment;
use crate::pgrst::PgrstError;
use crate::server::ServerError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The configuration of `serve`.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration of `rest`.
    #[error(transparent)]
    Pgrst(#[from] PgrstError),
    /// Keys cannot be made.
    #[error(transparent)]
    Keys(#[from] keys::KeysError),
    /// What is configured cannot be served.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The server could not start or end.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The development servers.
    #[error(transparent)]
    Dev(#[from] dev::DevError),
    /// A database could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] migrate::MigrationError),
    /// The cache of replies.
    #[error(transparent)]
    Cache(#[from] cache::CacheError),
    /// Data from elsewhere.
    #[error(transparent)]
    Import(#[from] import::ImportCommandError),
    /// Jobs.
    #[error(transparent)]
    Jobs(#[from] jobs::JobsError),
    /// A server is not ready.
    #[error(transparent)]
    Health(#[from] healthcheck::HealthError),
    /// A server in PostgREST's place is not ready.
    #[error(transparent)]
    Ready(#[from] rest::ReadyError),
    /// A schema cannot be printed.
    #[error(transparent)]
    Schema(#[from] rest::SchemaError),
    /// Log entries cannot be written.
    #[error("there can be no log")]
    Log(#[source] std::io::Error),
    /// Standard output is closed.
    #[error("could not write to standard output")]
    Output(#[source] std::io::Error),
}

/// Runs a command to its end.
pub(crate) fn run(command: Command, environment: &Environment) -> Result<(), CommandError> {
    match command {
        Command::Rest(arguments) => rest::run(arguments, environment),
        Command::Keys {
            command: Some(KeysCommand::Rotate { file }),
            ..
        } => keys::rotate(&file),
        Command::Keys { secret, json, .. } => keys::run(secret, json),
        Command::Healthcheck { config, url } => {
            healthcheck::run(config.as_deref(), url, environment)
        }
        Command::Dev(arguments) => dev::run(&arguments, environment),
        Command::Import(ImportCommand::LocalStorage(arguments)) => {
            import::run(&arguments, environment)
        }
        Command::Jobs(command) => jobs::run(&command, environment),
        Command::Cache(command) => cache::run(command, environment),
        Command::Serve { config } => serve::run(config, environment),
        Command::Migrate { app, seed, config } => {
            let app = app.as_deref().map(|directory| migrate::App {
                directory,
                with_seed: seed,
            });
            migrate::run(app, config.as_deref(), environment)
        }
    }
}

/// Says something to the person who started the program. It is one write, so that no entry of the
/// log comes between its parts.
fn tell(line: &str) {
    use std::io::Write as _;
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Writes to standard output; the reader may be gone.
fn print(text: &str) -> Result<(), CommandError> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(CommandError::Output)
}
