//! Connections for everything that is not a caller's request: introspection, notifications,
//! migrations.
//!
//! They bypass the pool, so that a busy pool never delays a reload, and they must reach
//! PostgreSQL directly: a pooler in transaction mode forgets `LISTEN` and locks.

use passerelle_wire::{ClientConnection, ClientError, Endpoint, EndpointError};
use tokio_postgres::Client;

/// Where control connections lead: what an [`Endpoint`] accepts. Its `Debug` shows no password.
#[derive(Clone, Debug)]
pub struct ControlEndpoint(Endpoint);

impl ControlEndpoint {
    /// Reads a connection string, as [`Endpoint::parse`] does.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        Endpoint::parse(text).map(Self::from)
    }

    /// Opens a connection that a task of its own drives until the client is dropped.
    pub async fn connect(&self) -> Result<Client, ClientError> {
        let (client, connection) = self.open().await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "control connection ended");
            }
        });
        Ok(client)
    }

    /// Opens a connection that the caller drives.
    pub(crate) async fn open(&self) -> Result<(Client, ClientConnection), ClientError> {
        self.0.connect_client().await
    }
}

impl From<Endpoint> for ControlEndpoint {
    fn from(endpoint: Endpoint) -> Self {
        Self(endpoint.with_default_application_name("passerelle"))
    }
}
