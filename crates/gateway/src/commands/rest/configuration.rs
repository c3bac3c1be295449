//! The configuration of `passerelle rest` from all its places: file, environment and database.

use std::cell::RefCell;
use std::path::Path;

use super::CommandError;
use crate::deployment::{Deployment, function_name, of_pgrst};
use crate::environment::Environment;
use crate::logging::LevelSwitch;
use crate::pgrst::in_database::{self, InDatabaseError};
use crate::pgrst::{PgrstError, PgrstSettings, Sources, Streams, read_file};
use crate::sentence;
use crate::server::{Cause, Reloaded};

/// Where the configuration is read, and what it was last.
pub(super) struct Configuration {
    file: Option<Box<Path>>,
    environment: Environment,
    streams: Streams,
    current: RefCell<Option<PgrstSettings>>,
}

/// What was read.
pub(super) struct Read {
    pub(super) settings: PgrstSettings,
    /// Why the database's part is missing.
    pub(super) missing: Option<InDatabaseError>,
}

impl Configuration {
    pub(super) fn new(file: Option<Box<Path>>, environment: Environment) -> Self {
        Self {
            file,
            environment,
            streams: Streams::default(),
            current: RefCell::default(),
        }
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Remembers what the server does.
    pub(super) fn in_force(&self, settings: PgrstSettings) {
        self.current.replace(Some(settings));
    }

    /// What file and environment say.
    pub(super) fn outside(&self) -> Result<PgrstSettings, PgrstError> {
        PgrstSettings::read(&self.sources()?)
    }

    /// What all say, unless the database is not to be asked.
    pub(super) async fn read(&self) -> Result<Read, CommandError> {
        let mut sources = self.sources()?;
        let outside = PgrstSettings::read(&sources)?;
        if !outside.db_config {
            return Ok(Read {
                settings: outside,
                missing: None,
            });
        }
        let control = of_pgrst::control(&outside, &self.environment)?;
        let pre_config = outside.db_pre_config.clone().or_else(|| {
            let current = self.current.borrow();
            current.as_ref()?.db_pre_config.clone()
        });
        let pre_config = pre_config.as_deref().map(function_name);
        match in_database::read(&control, pre_config.as_ref()).await {
            Ok(settings) => sources.database = settings,
            Err(fault) => {
                return Ok(Read {
                    settings: outside,
                    missing: Some(fault),
                });
            }
        }
        Ok(Read {
            settings: PgrstSettings::read(&sources)?,
            missing: None,
        })
    }

    /// Reads everything again. A fault is logged and leaves everything as it is.
    pub(super) async fn reload(&self, cause: Cause, levels: &LevelSwitch) -> Reloaded {
        let reloaded = self.try_reload(cause, levels).await;
        reloaded.unwrap_or_else(|error| {
            tracing::error!(
                error = sentence(&error),
                "the configuration stays as it was"
            );
            Reloaded::Unchanged
        })
    }

    async fn try_reload(
        &self,
        cause: Cause,
        levels: &LevelSwitch,
    ) -> Result<Reloaded, CommandError> {
        let asked = cause == Cause::Asked;
        if cause == Cause::Loaded && !self.outside()?.db_config {
            return Ok(Reloaded::Unchanged);
        }
        let Read { settings, missing } = self.read().await?;
        if let Some(fault) = missing {
            let passes = fault.may_pass();
            tracing::error!(
                fault = sentence(&fault),
                "the configuration stays as it was"
            );
            return Ok(if passes {
                Reloaded::Unreachable
            } else {
                Reloaded::Unchanged
            });
        }
        if !asked && self.current.borrow().as_ref() == Some(&settings) {
            return Ok(Reloaded::Unchanged);
        }
        let deployment = Deployment::of_pgrst(&settings, &self.environment)?;
        levels.set(settings.log_level);
        self.in_force(settings);
        Ok(Reloaded::Changed(Box::new(deployment.into())))
    }

    fn sources(&self) -> Result<Sources, PgrstError> {
        let file = self
            .file
            .as_deref()
            .map(|path| read_file(path, &self.environment))
            .transpose()?
            .unwrap_or_default();
        Ok(Sources {
            file,
            environment: self.environment.clone(),
            streams: self.streams.clone(),
            ..Sources::default()
        })
    }
}
