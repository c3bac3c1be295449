//! `passerelle rest`: the REST surface in PostgREST's place.

use std::path::Path;

use passerelle_rest::RestSettings;

use super::healthcheck::{ask, reachable};
use super::{CommandError, print};
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::pgrst::{PgrstError, PgrstSettings, Sources, read_file};
use crate::{logging, sentence, server};

/// What to do with the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Serve as it says.
    Serve,
    /// Print it.
    DumpConfig,
    /// Ask the server it describes.
    AskReady,
}

impl Task {
    pub(super) fn of(dump_config: bool, ready: bool) -> Self {
        match (dump_config, ready) {
            (true, _) => Self::DumpConfig,
            (_, true) => Self::AskReady,
            _ => Self::Serve,
        }
    }
}

pub(super) fn run(
    file: Option<&Path>,
    environment: &Environment,
    task: Task,
) -> Result<(), CommandError> {
    let settings = settings(file, environment)?;
    match task {
        Task::DumpConfig => print(&settings.dump()),
        Task::AskReady => Ok(ask(&ready_url(&settings)?)?),
        Task::Serve => {
            logging::start(settings.log_level.into());
            let deployment = Deployment::of_pgrst(&settings)?;
            let (file, environment) = (file.map(Path::to_owned), environment.clone());
            let reload = Box::new(move || reloaded(file.as_deref(), &environment));
            server::run(deployment, Some(reload), |started| {
                // PostgREST says so on every level.
                eprintln!("passerelle: ready at {}", started.url);
            })?;
            Ok(())
        }
    }
}

fn reloaded(file: Option<&Path>, environment: &Environment) -> Option<RestSettings> {
    let load = || -> Result<RestSettings, CommandError> {
        Ok(Deployment::of_pgrst(&settings(file, environment)?)?.rest)
    };
    match load() {
        Ok(settings) => Some(settings),
        Err(error) => {
            tracing::error!(
                error = sentence(&error),
                "the configuration stays as it was"
            );
            None
        }
    }
}

fn settings(file: Option<&Path>, environment: &Environment) -> Result<PgrstSettings, PgrstError> {
    let file = file
        .map(|path| read_file(path, environment))
        .transpose()?
        .unwrap_or_default();
    let sources = Sources {
        file,
        environment: environment.clone(),
        ..Sources::default()
    };
    PgrstSettings::read(&sources)
}

fn ready_url(settings: &PgrstSettings) -> Result<String, PgrstError> {
    let port = settings
        .admin_server_port
        .ok_or_else(|| PgrstError::Value {
            key: "admin-server-port",
            fault: "it must be set to ask whether the server is ready".to_owned(),
        })?;
    Ok(format!(
        "http://{}:{port}/ready",
        reachable(&settings.admin_server_host)
    ))
}
