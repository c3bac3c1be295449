//! `passerelle dev`: private servers, an application's SQL, and the gateway in front of them.

mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::rt::System;
use passerelle_cluster::{
    ClusterError, Directory, Durability, Postgres, PostgresSettings, Redis, RedisSettings,
    kept_secret, kept_text,
};
use passerelle_identity::{Secret, UnixTime};
use passerelle_pg::ControlEndpoint;
use passerelle_syntax::Extension;
use tokio::signal::unix::{SignalKind, signal};

use self::report::Report;
use super::keys::{ApiKeys, KeysError};
use super::migrate::{self, MigrationError, Wishes};
use super::{CommandError, print, tell};
use crate::cli::DevArguments;
use crate::config::Settings;
use crate::deployment::{Deployment, ListenSettings};
use crate::environment::Environment;
use crate::server::{self, ServerError};
use crate::{clock, logging};

/// The application that is served when none is named.
const DEFAULT_APP: &str = "sql/hub-lib";
/// The database everything lives in, as it is with Supabase.
const DATABASE: &str = "postgres";
const AUTHENTICATOR: &str = "authenticator";
const FEED: &str = "passerelle_feed";
const LOOPBACK: &str = "127.0.0.1";
/// Where a front end runs during development, unless it is said.
const SITE: &str = "http://localhost:5173";

/// Why the development servers could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevError {
    /// PostgreSQL or Redis.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The platform or the application.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// The roles of the gateway could not be given their password.
    #[error("the roles of the gateway could not be prepared")]
    Role(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The keys could not be made.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The gateway.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// The servers, ready to be used.
struct Backend {
    postgres: Postgres,
    redis: Option<Redis>,
    /// For the gateway.
    url: String,
    /// For its change feed.
    feed_url: String,
}

pub(super) fn run(arguments: &DevArguments, environment: &Environment) -> Result<(), CommandError> {
    let app = application(arguments);
    let config = app.as_deref().and_then(migrate::configuration);
    let mut settings = Settings::load(config.as_deref(), environment)?;
    let _logging =
        logging::start(settings.log.format, settings.log.level).map_err(CommandError::Log)?;
    if environment.get("PASSERELLE_SERVER_HOST").is_none() {
        LOOPBACK.clone_into(&mut settings.server.host);
    }
    if environment.get("PASSERELLE_DATABASE_EXTENSIONS").is_none() {
        settings.database.extensions = Extension::ALL.to_vec();
    }
    if settings.auth.site_url.is_empty() {
        SITE.clone_into(&mut settings.auth.site_url);
    }
    if settings.auth.redirect_urls.is_empty() {
        let local = ["http://localhost:*", "http://127.0.0.1:*"];
        let local = local
            .iter()
            .flat_map(|host| [(*host).to_owned(), format!("{host}/**")]);
        settings.auth.redirect_urls = local.collect();
    }
    settings.server.port = arguments.port;
    settings.server.admin_port = if environment.get("PASSERELLE_SERVER_ADMIN_PORT").is_some() {
        settings.server.admin_port
    } else {
        0
    };
    System::new().block_on(develop(arguments, app, settings))
}

async fn develop(
    arguments: &DevArguments,
    app: Option<PathBuf>,
    mut settings: Settings,
) -> Result<(), CommandError> {
    // A taken port is noticed before anything is started.
    let listen = ListenSettings::Tcp {
        host: settings.server.host.clone(),
        port: arguments.port,
        reuse_port: false,
    };
    drop(
        server::bind(&listen)
            .map_err(ServerError::from)
            .map_err(DevError::from)?,
    );

    let (secret, keys) = keys(arguments)?;
    let wishes = Wishes::of(&settings)?;
    let Some(backend) = interruptible(start(arguments, app.as_deref(), &wishes)).await? else {
        return Ok(());
    };
    settings.database.url.clone_from(&backend.url);
    settings.database.feed_url.clone_from(&backend.feed_url);
    if let Some(redis) = &backend.redis {
        settings.redis.url = redis.endpoint().url();
    }
    String::from_utf8_lossy(secret.expose())
        .into_owned()
        .clone_into(&mut settings.auth.jwt_secret);
    let report = Report {
        anon_key: &keys.anon,
        service_role_key: &keys.service_role,
        jwt_secret: &settings.auth.jwt_secret,
        db_url: &backend.postgres.endpoint().url(DATABASE),
        redis_url: backend.redis.as_ref().map(|redis| redis.endpoint().url()),
        data: backend.postgres.directory(),
    };
    let inbox = Some(Arc::default());
    let served = match Deployment::of_config_with(&settings, inbox) {
        Ok(deployment) => server::serve(deployment, None, |started| {
            let text = if arguments.json {
                report.json(&started.url)
            } else {
                report.text(&started.url)
            };
            // Whoever started us may not be reading; the servers run all the same.
            let _ = print(&text);
        })
        .await
        .map_err(|error| CommandError::from(DevError::from(error))),
        Err(error) => Err(error.into()),
    };
    backend.stop().await?;
    served
}

/// The application's directory, if any; says which one it is when nobody named it.
fn application(arguments: &DevArguments) -> Option<PathBuf> {
    match &arguments.app {
        Some(app) if app.as_os_str() == "none" => None,
        Some(app) => Some(app.clone()),
        None if Path::new(DEFAULT_APP).is_dir() => Some(PathBuf::from(DEFAULT_APP)),
        None => {
            tell(&format!(
                "There is no {DEFAULT_APP} here: starting without an application."
            ));
            None
        }
    }
}

/// The secret, generated on first start, and the keys it signs; both the same on every start.
fn keys(arguments: &DevArguments) -> Result<(Secret, ApiKeys), DevError> {
    let dir = &arguments.dir;
    std::fs::create_dir_all(dir).map_err(|source| ClusterError::File {
        path: dir.clone(),
        source,
    })?;
    let secret = match &arguments.jwt_secret {
        Some(text) => Secret::from(text.clone()),
        None => Secret::from(kept_secret(&dir.join("jwt-secret"))?),
    };
    if let Some(weakness) = secret.weakness() {
        tell(&format!(
            "Beware: {weakness}. Do not use it outside this machine."
        ));
    }
    let now = clock::now();
    let born = kept_text(&dir.join("born"), || Ok(now.seconds().to_string()))?;
    let born = UnixTime(born.parse().unwrap_or(now.seconds()));
    let keys = ApiKeys::mint(&secret, born).map_err(KeysError::from)?;
    Ok((secret, keys))
}

/// Starts both servers and applies what their database lacks.
async fn start(
    arguments: &DevArguments,
    app: Option<&Path>,
    wishes: &Wishes,
) -> Result<Backend, DevError> {
    let dir = &arguments.dir;
    if arguments.reset {
        Postgres::erase(dir).await?;
        Redis::erase(dir).await?;
    }
    let postgres_settings = PostgresSettings {
        bin: arguments.pg_bin.clone(),
        ..PostgresSettings::new(dir)
    };
    let redis_settings = RedisSettings {
        durability: Durability::Volatile,
        ..RedisSettings::new(dir)
    };
    let (postgres, redis) = tokio::join!(
        Postgres::start(&postgres_settings),
        Redis::start(&redis_settings)
    );
    let postgres = postgres?;
    let redis = match redis {
        Ok(redis) => Some(redis),
        Err(ClusterError::MissingRedis) => {
            tell("Going on without Redis: install the package redis-server to have it.");
            None
        }
        Err(error) => return Err(error.into()),
    };
    report_place(postgres.directory());

    let superuser = postgres.endpoint().url(DATABASE);
    let app = app.map(|directory| migrate::App {
        directory,
        with_seed: true,
    });
    migrate::apply(&superuser, app, Some(wishes)).await?;
    let password = kept_secret(&dir.join("authenticator.password"))?;
    prepare_roles(&superuser, &password).await?;
    let url = |role| postgres.endpoint().local_url_for(role, &password, DATABASE);
    Ok(Backend {
        url: url(AUTHENTICATOR),
        feed_url: url(FEED),
        postgres,
        redis,
    })
}

/// The platform makes the roles; only here have they a password that we know.
async fn prepare_roles(superuser: &str, password: &str) -> Result<(), DevError> {
    let endpoint =
        ControlEndpoint::parse(superuser).map_err(|error| DevError::Role(error.into()))?;
    let client = endpoint
        .connect()
        .await
        .map_err(|error| DevError::Role(error.into()))?;
    // A secret of ours: hexadecimal digits.
    for role in [AUTHENTICATOR, FEED] {
        let statement = format!("alter role {role} with login password '{password}'");
        let altered = client.execute(&statement, &[]).await;
        altered.map_err(|error| DevError::Role(error.into()))?;
    }
    Ok(())
}

fn report_place(directory: &Directory) {
    if directory.is_moved() {
        tell(&format!(
            "PostgreSQL does not run as root and its user may not enter this directory: data is kept in {}.",
            directory.path().display()
        ));
    }
}

/// Waits for the work, or until a signal asks to stop; what the work has started is stopped then.
async fn interruptible<T>(
    work: impl Future<Output = Result<T, DevError>>,
) -> Result<Option<T>, CommandError> {
    let handlers = || -> std::io::Result<_> {
        Ok((
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        ))
    };
    let (mut interrupt, mut terminate) = handlers()
        .map_err(ServerError::Signals)
        .map_err(DevError::from)?;
    tokio::select! {
        done = work => Ok(Some(done?)),
        _ = interrupt.recv() => Ok(None),
        _ = terminate.recv() => Ok(None),
    }
}

impl Backend {
    async fn stop(self) -> Result<(), DevError> {
        if let Some(redis) = self.redis {
            redis.stop().await?;
        }
        Ok(self.postgres.stop().await?)
    }
}
