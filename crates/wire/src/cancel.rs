//! Ends a flight whose connection has been given up, so that the server does not work for nobody.
//! It is never used on a connection that anyone will use again: a cancel request that arrives late
//! would hit the next flight.

use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Handle;

use crate::endpoint::{Endpoint, Place};
use crate::error::WireError;
use crate::startup::Session;
use crate::stream::Stream;

/// How long a cancel request may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whom to ask to cancel which session.
#[derive(Debug)]
pub(crate) struct Canceller {
    endpoint: Endpoint,
    place: Place,
    session: Session,
}

impl Canceller {
    pub(crate) fn new(endpoint: &Endpoint, place: &Place, session: Session) -> Self {
        Self {
            endpoint: endpoint.clone(),
            place: place.clone(),
            session,
        }
    }

    /// Asks in the background; outside of a runtime nobody is asked, and the server finds out when
    /// it next writes.
    pub(crate) fn detach(self) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            match tokio::time::timeout(PATIENCE, self.send()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a cancel request failed"),
                Err(_) => tracing::debug!("a cancel request took too long"),
            }
        });
    }

    async fn send(&self) -> Result<(), WireError> {
        let mut stream = Stream::open(&self.endpoint, &self.place).await?;
        let mut request = BytesMut::with_capacity(16);
        let Session {
            process_id,
            secret_key,
            ..
        } = self.session;
        frontend::cancel_request(process_id, secret_key, &mut request);
        stream.write_all(&request).await?;
        stream.flush().await?;
        // The server closes the connection once it has passed the request on.
        let _end = stream.read(&mut [0]).await?;
        Ok(())
    }
}
