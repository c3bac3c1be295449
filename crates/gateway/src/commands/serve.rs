//! `passerelle serve`: production.

use std::path::{Path, PathBuf};

use actix_web::rt::System;

use super::{CommandError, migrate};
use crate::config::Settings;
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::logging::LevelSwitch;
use crate::server::{Cause, Reconfiguration, Reload, Reloaded, Reloading};
use crate::{logging, sentence, server};

pub(super) fn run(file: Option<PathBuf>, environment: &Environment) -> Result<(), CommandError> {
    let settings = Settings::load(file.as_deref(), environment)?;
    settings.check_secrets()?;
    let logging =
        logging::start(settings.log.format, settings.log.level).map_err(CommandError::Log)?;
    let deployment = Deployment::of_config(&settings)?;
    migrate::at_start(&settings)?;
    let environment = environment.clone();
    let levels = logging.switch();
    let read = Box::new(move |cause| -> Reloading {
        let reloaded = match cause {
            Cause::Asked => reloaded(file.as_deref(), &environment, &levels),
            // Nothing is configured in the database.
            Cause::Loaded | Cause::Missing => Reloaded::Unchanged,
        };
        Box::pin(std::future::ready(reloaded))
    });
    let complete = true;
    let serving = server::serve(deployment, Some(Reload { read, complete }), |started| {
        tracing::info!(url = started.url, "ready");
    });
    System::new().block_on(serving)?;
    Ok(())
}

/// What of the configuration can change while the server runs; the rest takes a restart.
fn reloaded(file: Option<&Path>, environment: &Environment, levels: &LevelSwitch) -> Reloaded {
    let load = || -> Result<Reconfiguration, CommandError> {
        let settings = Settings::load(file, environment)?;
        settings.check_secrets()?;
        let deployment = Deployment::of_config(&settings)?;
        levels.set(settings.log.level);
        Ok(deployment.into())
    };
    match load() {
        Ok(changed) => Reloaded::Changed(Box::new(changed)),
        Err(error) => {
            tracing::error!(
                error = sentence(&error),
                "the configuration stays as it was"
            );
            Reloaded::Unchanged
        }
    }
}
