//! `passerelle rest`: the REST surface in PostgREST's place.

mod configuration;

use std::path::PathBuf;
use std::rc::Rc;

use actix_web::rt::System;
use passerelle_catalog::Catalog;
use passerelle_pg::{IntrospectError, introspect};
use passerelle_wire::ClientError;

use self::configuration::{Configuration, Read};
use super::healthcheck::{HealthError, ask, reachable};
use super::{CommandError, print, tell};
use crate::cli::RestArguments;
use crate::config::LogFormat;
use crate::deployment::{Deployment, of_pgrst};
use crate::environment::Environment;
use crate::pgrst::{EXAMPLE, PgrstSettings};
use crate::server::{Reload, Reloading};
use crate::{catalog_dump, logging, sentence, server};

/// Why a schema cannot be printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaError {
    /// No connection.
    #[error("no connection to the database")]
    Connect(#[source] ClientError),
    /// The database does not tell.
    #[error(transparent)]
    Introspect(#[from] IntrospectError),
}

/// Why a server does not count as ready, in PostgREST's words, which scripts may look for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadyError {
    /// There is nobody to ask.
    #[error("ERROR: Admin server is not running. Please check admin-server-port config.")]
    NoAdminServer,
    /// It says so.
    #[error("ERROR: {0}")]
    NotReady(String),
    /// It does not say anything.
    #[error("ERROR: connection refused to {0}")]
    Refused(String),
}

pub(super) fn run(arguments: RestArguments, environment: &Environment) -> Result<(), CommandError> {
    if arguments.example {
        return print(EXAMPLE);
    }
    let configuration = Rc::new(Configuration::new(
        arguments.file.map(PathBuf::into_boxed_path),
        environment.clone(),
    ));
    if arguments.ready {
        return ready(&configuration.outside()?);
    }
    System::new().block_on(async move {
        if arguments.dump_config {
            print(&whole(&configuration).await?.dump())
        } else if arguments.dump_schema {
            dump_schema(&configuration).await
        } else {
            Box::pin(serve(configuration)).await
        }
    })
}

/// Everything that is configured. A database that cannot be asked is passed over, what it says is
/// not.
async fn whole(configuration: &Configuration) -> Result<PgrstSettings, CommandError> {
    let Read { settings, missing } = configuration.read().await?;
    if let Some(fault) = missing {
        tell(&format!("passerelle: {}", sentence(&fault)));
    }
    of_pgrst::check_tokens(&settings)?;
    Ok(settings)
}

async fn dump_schema(configuration: &Configuration) -> Result<(), CommandError> {
    let settings = whole(configuration).await?;
    let database = Deployment::of_pgrst(&settings, configuration.environment())?.database;
    let mut client = database
        .control
        .connect()
        .await
        .map_err(SchemaError::Connect)?;
    let introspected = introspect(&mut client, &database.keeper.introspection, 1).await;
    let catalog = Catalog::assemble(introspected.map_err(SchemaError::from)?);
    print(&format!("{}\n", catalog_dump::json(&catalog)))
}

async fn serve(configuration: Rc<Configuration>) -> Result<(), CommandError> {
    let outside = configuration.outside()?;
    // Faults of file and environment are said at once, before anything else is.
    Deployment::of_pgrst(&outside, configuration.environment())?;
    let logging = logging::start(LogFormat::Text, outside.log_level).map_err(CommandError::Log)?;
    // What is wrong in the database can be set right there, so it does not keep the server down.
    let (settings, complete) = match configuration.read().await {
        Ok(Read { settings, missing }) => {
            let complete = missing.as_ref().is_none_or(|fault| !fault.may_pass());
            if let Some(fault) = missing {
                tracing::error!(fault = sentence(&fault), "the database configures nothing");
            }
            (settings, complete)
        }
        Err(fault) => {
            tracing::error!(
                fault = sentence(&fault),
                "what the database configures is not valid"
            );
            (outside, true)
        }
    };
    let deployment = Deployment::of_pgrst(&settings, configuration.environment())?;
    configuration.in_force(settings);
    let levels = logging.switch();
    let read = Box::new(move |cause| -> Reloading {
        let (configuration, levels) = (Rc::clone(&configuration), levels.clone());
        Box::pin(async move { configuration.reload(cause, &levels).await })
    });
    server::serve(deployment, Some(Reload { read, complete }), |started| {
        // PostgREST says so on every level.
        tell(&format!("passerelle: ready at {}", started.url));
    })
    .await?;
    Ok(())
}

fn ready(settings: &PgrstSettings) -> Result<(), CommandError> {
    let port = settings
        .admin_server_port
        .ok_or(ReadyError::NoAdminServer)?;
    let url = format!(
        "http://{}:{port}/ready",
        reachable(&settings.admin_server_host)
    );
    ask(&url).map_err(|error| match error {
        HealthError::NotReady(_) => ReadyError::NotReady(url.clone()),
        _ => ReadyError::Refused(url.clone()),
    })?;
    print(&format!("OK: {url}\n"))
}
