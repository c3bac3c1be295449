//! Sessions for the driver `tokio-postgres`, made the way those of flights are: the same hosts in
//! the same order, the same encryption, the same limits.
//! It never sends a flight and never drives a session.

use thiserror::Error;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, NoTls};

use crate::endpoint::{Endpoint, Place};
use crate::error::WireError;
use crate::stream::Stream;

/// What has to be polled for its [`Client`] to get answers.
pub type ClientConnection = tokio_postgres::Connection<Stream, NoTlsStream>;

/// Why the driver has no session.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The server was not reached, or not with the encryption that was asked for.
    #[error(transparent)]
    Dial(#[from] WireError),
    /// It did not let the role in.
    #[error(transparent)]
    SignIn(#[from] tokio_postgres::Error),
}

impl Endpoint {
    /// Connects the driver to the first of the endpoint's hosts that answers.
    pub async fn connect_client(&self) -> Result<(Client, ClientConnection), ClientError> {
        self.first_of_places(|place| self.connect_client_to(place))
            .await
    }

    async fn connect_client_to(
        &self,
        place: &Place,
    ) -> Result<(Client, ClientConnection), ClientError> {
        let stream = Stream::open(self, place).await?;
        let mut config = self.config.clone();
        // The stream is what it should be already.
        config
            .ssl_mode(SslMode::Disable)
            .ssl_negotiation(SslNegotiation::Postgres)
            .user(self.user());
        let (client, connection) = config.connect_raw(stream, NoTls).await?;
        let on = |name| connection.parameter(name) == Some("on");
        self.check_session(on("in_hot_standby") || on("default_transaction_read_only"))?;
        Ok((client, connection))
    }
}
