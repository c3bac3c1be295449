//! Where PostgreSQL is and who connects: a parsed connection string.
//! It never opens a socket, and never shows the password.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use thiserror::Error;
use tokio_postgres::config::{ChannelBinding, Host, SslMode, TargetSessionAttrs};

use crate::error::WireError;
use crate::tls::{self, Trust};

/// The connection string cannot be used. The text of the string is not repeated, since it may
/// hold a password.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// It does not parse.
    #[error("the connection string is not valid")]
    Syntax(#[source] tokio_postgres::Error),
    /// A part of it is not valid.
    #[error("{0} in the connection string is not valid")]
    Value(&'static str),
    /// The root certificates cannot be read.
    #[error("the root certificates of the connection string cannot be used")]
    RootCertificates(#[source] std::io::Error),
}

/// A PostgreSQL server, or several to try in order, with credentials.
#[derive(Clone)]
pub struct Endpoint {
    places: Vec<Place>,
    pub(crate) config: tokio_postgres::Config,
    pub(crate) user: String,
    pub(crate) tls: Encryption,
}

/// Whether a connection is encrypted.
#[derive(Clone)]
pub(crate) enum Encryption {
    Disable,
    Prefer(tls::Connector),
    Require(tls::Connector),
}

/// One address to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Tcp {
        host: String,
        address: Option<IpAddr>,
        port: u16,
    },
    Unix {
        socket: PathBuf,
    },
}

const DEFAULT_PORT: u16 = 5432;
const DEFAULT_SOCKET_DIRECTORY: &str = "/var/run/postgresql";
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Endpoint {
    /// Reads a connection string in one of libpq's two forms: a `postgresql://` URL or
    /// `key=value` pairs. Several hosts are tried in order.
    ///
    /// `sslmode` means what it means to libpq: `prefer` (the default) and `require` encrypt
    /// without checking who answers, `verify-ca` and `verify-full` check the certificate against
    /// `sslrootcert` (a PEM file) or, without one, against Mozilla's roots. `sslrootcert` with
    /// `require` checks as `verify-ca` does.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let (text, verification) = tls::split_verification(text)?;
        let config = tokio_postgres::Config::from_str(&text).map_err(EndpointError::Syntax)?;
        let trust = verification.trust(config.get_ssl_mode() == SslMode::Require)?;
        let encrypted = !matches!(trust, Trust::Anyone);
        let connector = || tls::Connector::new(&trust);
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => Encryption::Disable,
            SslMode::Prefer if !encrypted => Encryption::Prefer(connector()?),
            _ => Encryption::Require(connector()?),
        };
        let user = config.get_user().unwrap_or("postgres").to_owned();
        Ok(Self {
            places: places(&config)?,
            config,
            user,
            tls,
        })
    }

    /// The database that connections use.
    pub fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or(&self.user)
    }

    /// The role that connections sign in as.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The same servers and database, where the role of another endpoint signs in.
    #[must_use]
    pub fn signed_in_as(mut self, other: &Self) -> Self {
        self.user.clone_from(&other.user);
        self.config.user(&other.user);
        self.config
            .password(other.config.get_password().unwrap_or_default());
        self
    }

    /// What PostgreSQL keeps of the password (SCRAM-SHA-256). It can be told this instead, and a log then shows no password. `None` without one.
    pub fn password_verifier(&self) -> Option<String> {
        let password = self.config.get_password()?;
        if password.is_empty() {
            return None;
        }
        Some(postgres_protocol::password::scram_sha_256(password))
    }

    /// The same endpoint, announced to the server under this name unless the connection string
    /// names one.
    #[must_use]
    pub fn with_default_application_name(mut self, name: &str) -> Self {
        if self.config.get_application_name().is_none() {
            self.config.application_name(name);
        }
        self
    }

    /// The same endpoint, announced to the server under this name.
    #[must_use]
    pub fn with_application_name(mut self, name: &str) -> Self {
        self.config.application_name(name);
        self
    }

    /// What the first attempt that succeeds has made, or why the last one failed. Each takes the
    /// connect timeout at most.
    pub(crate) async fn first_of_places<'a, T, E: From<WireError>, F>(
        &'a self,
        attempt: impl Fn(&'a Place) -> F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut failure = E::from(WireError::Closed);
        for place in &self.places {
            match tokio::time::timeout(self.connect_timeout(), attempt(place)).await {
                Ok(Ok(made)) => return Ok(made),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = WireError::Timeout.into(),
            }
        }
        Err(failure)
    }

    /// The limit for opening one connection, all its round trips included.
    fn connect_timeout(&self) -> Duration {
        self.config
            .get_connect_timeout()
            .copied()
            .unwrap_or(DEFAULT_CONNECT_TIMEOUT)
    }

    pub(crate) fn requires_channel_binding(&self) -> bool {
        self.config.get_channel_binding() == ChannelBinding::Require
    }

    /// Whether a session, which may be one that only reads, is of the kind asked for.
    pub(crate) fn check_session(&self, read_only: bool) -> Result<(), WireError> {
        match (self.config.get_target_session_attrs(), read_only) {
            (TargetSessionAttrs::ReadWrite, true) | (TargetSessionAttrs::ReadOnly, false) => Err(
                WireError::Protocol("the session is not of the kind asked for"),
            ),
            _ => Ok(()),
        }
    }

    pub(crate) fn startup_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        [
            Some(("client_encoding", "UTF8")),
            Some(("user", self.user.as_str())),
            Some(("database", self.database())),
            self.config
                .get_options()
                .map(|options| ("options", options)),
            self.config
                .get_application_name()
                .map(|name| ("application_name", name)),
        ]
        .into_iter()
        .flatten()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Endpoint")
            .field("places", &self.places)
            .field("user", &self.user)
            .field("database", &self.database())
            .finish_non_exhaustive()
    }
}

fn places(config: &tokio_postgres::Config) -> Result<Vec<Place>, EndpointError> {
    let hosts = config.get_hosts();
    let addresses = config.get_hostaddrs();
    let ports = config.get_ports();
    let count = hosts.len().max(addresses.len()).max(1);
    if ports.len() > 1 && ports.len() != count {
        return Err(EndpointError::Value("port"));
    }
    if !addresses.is_empty() && !hosts.is_empty() && addresses.len() != hosts.len() {
        return Err(EndpointError::Value("hostaddr"));
    }
    let place = |index: usize| {
        let port = ports
            .get(index)
            .or(ports.first())
            .copied()
            .unwrap_or(DEFAULT_PORT);
        let address = addresses.get(index).copied();
        match (hosts.get(index), address) {
            (Some(Host::Unix(directory)), None) => Place::Unix {
                socket: socket(directory, port),
            },
            (Some(Host::Tcp(host)), _) => Place::Tcp {
                host: host.clone(),
                address,
                port,
            },
            (_, Some(ip)) => Place::Tcp {
                host: ip.to_string(),
                address,
                port,
            },
            (None, None) => Place::Unix {
                socket: socket(&PathBuf::from(DEFAULT_SOCKET_DIRECTORY), port),
            },
        }
    };
    Ok((0..count).map(place).collect())
}

fn socket(directory: &std::path::Path, port: u16) -> PathBuf {
    directory.join(format!(".s.PGSQL.{port}"))
}
