//! `passerelle serve`: production.

use std::path::{Path, PathBuf};

use passerelle_rest::RestSettings;

use super::CommandError;
use crate::config::Settings;
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::{logging, sentence, server};

pub(super) fn run(file: Option<PathBuf>, environment: &Environment) -> Result<(), CommandError> {
    let settings = Settings::load(file.as_deref(), environment)?;
    settings.check_secrets()?;
    logging::start(settings.log);
    let deployment = Deployment::of_config(&settings)?;
    let environment = environment.clone();
    let reload = Box::new(move || reloaded(file.as_deref(), &environment));
    server::run(deployment, Some(reload), |started| {
        tracing::info!(url = started.url, "ready");
    })?;
    Ok(())
}

/// What of the configuration can change while the server runs; the rest takes a restart.
fn reloaded(file: Option<&Path>, environment: &Environment) -> Option<RestSettings> {
    let load = || -> Result<RestSettings, CommandError> {
        let settings = Settings::load(file, environment)?;
        settings.check_secrets()?;
        Ok(Deployment::of_config(&settings)?.rest)
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
