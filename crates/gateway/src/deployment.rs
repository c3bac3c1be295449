//! What is to be served, whichever configuration said so: the parts' own settings, validated.

mod auth;
mod cache;
mod hot;
mod of_config;
pub(crate) mod of_pgrst;
mod realtime;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use self::auth::AuthParts;
pub(crate) use self::cache::{CacheParts, Wanted};
pub(crate) use self::realtime::RealtimeParts;
use crate::config::ConfigError;
use passerelle_identity::{SettingsError, SigningKeysError};
use passerelle_jobs::JobSpecs;
use passerelle_mail::{SmtpSettingsError, TemplateError};
use passerelle_pg::{ControlEndpoint, KeeperSettings};
use passerelle_rest::RestSettings;
use passerelle_store::{PolicyError, Store, UrlError};
use passerelle_surface::FrontageSettings;
use passerelle_wire::{Endpoint, EndpointError, PoolSettings};

/// Everything a server is built from.
pub(crate) struct Deployment {
    pub(crate) listen: ListenSettings,
    /// Closed when absent.
    pub(crate) admin: Option<ListenSettings>,
    pub(crate) http: HttpSettings,
    pub(crate) frontage: FrontageSettings,
    pub(crate) database: DatabaseParts,
    pub(crate) recovery: Recovery,
    pub(crate) store: Store,
    pub(crate) rest: RestSettings,
    /// Absent where there are no accounts.
    pub(crate) auth: Option<AuthParts>,
    /// Absent where it is switched off.
    pub(crate) realtime: Option<RealtimeParts>,
    /// Absent where no replies are kept.
    pub(crate) cache: Option<CacheParts>,
    pub(crate) jobs: JobParts,
}

/// Work that follows a change of rows, or the clock.
#[derive(Default)]
pub(crate) struct JobParts {
    pub(crate) jobs: JobSpecs,
    /// How many workers this server has.
    pub(crate) workers: usize,
}

/// Whether the server waits for a database that it cannot use; it ends otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Always.
    Always,
    /// Unless the password is wrong.
    UnlessRejected,
    /// Never.
    Never,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListenSettings {
    /// A TCP socket. The host is an address, a name, or one of warp's words (`!4`, `*6`).
    Tcp {
        host: String,
        port: u16,
        reuse_port: bool,
    },
    /// A Unix socket with the mode of its file.
    Unix { path: PathBuf, mode: u32 },
}

/// How the HTTP server behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpSettings {
    /// Threads; one per processor when absent.
    pub(crate) workers: Option<usize>,
    /// The most connections of each thread.
    pub(crate) max_connections: usize,
    /// How long idle connections stay; absent: they are closed after each reply.
    pub(crate) keep_alive: Option<Duration>,
    /// How long the head of a request may take.
    pub(crate) request_head_timeout: Duration,
    /// How long running requests may take to finish when the server stops.
    pub(crate) shutdown_timeout: Duration,
}

impl HttpSettings {
    /// Threads that answer requests.
    pub(crate) fn workers(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, Into::into);
        self.workers.unwrap_or_else(processors)
    }
}

/// The database, for requests and for everything else.
pub(crate) struct DatabaseParts {
    pub(crate) endpoint: Endpoint,
    pub(crate) control: ControlEndpoint,
    pub(crate) pool: PoolSettings,
    pub(crate) keeper: KeeperSettings,
}

/// Why settings that are right by themselves cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeploymentError {
    /// No database is named.
    #[error("no database: set database.url (DATABASE_URL works as well)")]
    NoDatabase,
    /// The connection string cannot be used.
    #[error("the database URL cannot be used")]
    Endpoint(#[from] EndpointError),
    /// The connection string cannot be used for introspection.
    #[error("the database URL cannot be used")]
    Control(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The URL of Redis cannot be used.
    #[error("the URL of Redis (redis.url) cannot be used")]
    Redis(#[from] UrlError),
    /// The certificate authorities of Redis cannot be read.
    #[error("could not read redis.ca_file {}", .path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
    /// Limits that are none.
    #[error("the [rate_limits] settings cannot be used")]
    RateLimits(#[from] PolicyError),
    /// The identity settings contradict themselves.
    #[error("the JWT settings cannot be used")]
    Identity(#[from] SettingsError),
    /// The secret is too short to sign anything.
    #[error("The JWT secret must be at least 32 characters long.")]
    ShortSecret,
    /// The mail server or the sender cannot be used.
    #[error(transparent)]
    Mail(#[from] SmtpSettingsError),
    /// A template cannot be read.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The file of signing keys cannot be read.
    #[error("could not read auth.signing_keys_file {}", .path.display())]
    SigningKeysFile {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The signing keys cannot be used.
    #[error(transparent)]
    SigningKeys(#[from] SigningKeysError),
    /// A job that cannot be meant.
    #[error(transparent)]
    Jobs(#[from] ConfigError),
    /// A name that no header can have.
    #[error("{key} is not the name of a header")]
    HeaderName {
        /// The key of the setting.
        key: &'static str,
    },
}

/// Both ends of the database by one connection string.
fn endpoints(url: &str) -> Result<(Endpoint, ControlEndpoint), DeploymentError> {
    let endpoint = Endpoint::parse(url)?.with_default_application_name("passerelle");
    let control =
        ControlEndpoint::parse(url).map_err(|error| DeploymentError::Control(error.into()))?;
    Ok((endpoint, control))
}

/// A function's name, which may be qualified; looked for in the search path otherwise.
pub(crate) fn function_name(text: &str) -> passerelle_catalog::QualifiedName {
    let (schema, name) = text.split_once('.').unwrap_or(("", text));
    passerelle_catalog::QualifiedName::new(schema, name)
}

/// Where changes are read: directly from PostgreSQL, by a role that may.
fn feed_endpoint(settings: &crate::config::Settings) -> Result<Endpoint, EndpointError> {
    let database = &settings.database;
    match database.feed_url.as_str() {
        "" => Endpoint::parse(&database.url),
        url => Endpoint::parse(url),
    }
}
