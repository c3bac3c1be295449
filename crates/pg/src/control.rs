//! Connections for everything that is not a caller's request: introspection, notifications,
//! migrations.
//!
//! They bypass the pool, so that a busy pool never delays a reload, and they must reach
//! PostgreSQL directly: a pooler in transaction mode forgets `LISTEN` and locks.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, Connection, Error, NoTls, Socket};

/// Longest time for opening a connection, unless the connection string names one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where control connections lead. Its `Debug` shows no password.
#[derive(Clone)]
pub struct ControlEndpoint {
    config: Config,
}

impl ControlEndpoint {
    /// Reads a connection string: a `postgresql://` URL or `key=value` pairs.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut config = Config::from_str(text)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("passerelle");
        }
        Ok(Self { config })
    }

    /// Opens a connection that a task of its own drives until the client is dropped.
    pub async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = self.open().await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "control connection ended");
            }
        });
        Ok(client)
    }

    /// Opens a connection that the caller drives.
    pub(crate) async fn open(&self) -> Result<(Client, Connection<Socket, NoTlsStream>), Error> {
        self.config.connect(NoTls).await
    }
}

impl fmt::Debug for ControlEndpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ControlEndpoint")
            .field("hosts", &self.config.get_hosts())
            .field("ports", &self.config.get_ports())
            .field("database", &self.config.get_dbname())
            .field("user", &self.config.get_user())
            .finish_non_exhaustive()
    }
}
