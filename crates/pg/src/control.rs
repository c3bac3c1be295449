//! Connections for everything that is not a caller's request: introspection, notifications,
//! migrations.
//!
//! They bypass the pool, so that a busy pool never delays a reload, and they must reach
//! PostgreSQL directly: a pooler in transaction mode forgets `LISTEN` and locks.

use passerelle_wire::{ClientConnection, ClientError, Endpoint, EndpointError};
use tokio_postgres::Client;

/// A control connection.
pub use tokio_postgres::Client as ControlClient;
/// What goes wrong on one.
pub use tokio_postgres::Error as ControlError;
/// A row of an answer.
pub use tokio_postgres::Row as ControlRow;
/// A statement that is prepared.
pub use tokio_postgres::Statement as ControlStatement;
/// A transaction on one.
pub use tokio_postgres::Transaction as ControlTransaction;
/// What can be a parameter of a statement there.
pub use tokio_postgres::types::ToSql;
/// A type of such a parameter.
pub use tokio_postgres::types::Type as ControlType;

/// Where control connections lead: what an [`Endpoint`] accepts. Its `Debug` shows no password.
#[derive(Clone, Debug)]
pub struct ControlEndpoint(Endpoint);

impl ControlEndpoint {
    /// Reads a connection string, as [`Endpoint::parse`] does.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        Endpoint::parse(text).map(Self::from)
    }

    /// The role that signs in.
    pub fn user(&self) -> &str {
        self.0.user()
    }

    /// What PostgreSQL keeps of the password, if there is one.
    pub(crate) fn password_verifier(&self) -> Option<String> {
        self.0.password_verifier()
    }

    /// The same servers and database, where the role of another endpoint signs in.
    #[must_use]
    pub(crate) fn signed_in_as(&self, other: &Self) -> Self {
        Self(self.0.clone().signed_in_as(&other.0))
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

/// What PostgreSQL has said of a failure, for those who look after it.
pub fn told(error: &ControlError) -> String {
    let Some(said) = error.as_db_error() else {
        return error.to_string();
    };
    let mut text = format!("{} ({})", said.message(), said.code().code());
    if let Some(detail) = said.detail() {
        text.push_str(": ");
        text.push_str(detail);
    }
    text
}
