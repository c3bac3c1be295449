//! The beginning of a session: a slot, a stream that starts where it does, and what may have been
//! committed before.

use std::time::Instant;

use passerelle_wire::{ClientError, Endpoint, Replication, ReplicationStream, WireError};
use thiserror::Error;

use super::FeedSession;
use super::pgoutput::Malformed;
use super::position::Position;
use super::side::Side;
use super::visibility::Visibility;
use crate::control::ControlEndpoint;

/// What the connections call themselves.
const NAME: &str = "passerelle_feed";

/// Why there is no session, or no more.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error("the stream of changes failed")]
    Stream(#[from] WireError),
    #[error("no connection to the database")]
    Connect(#[from] ClientError),
    #[error("the database could not be asked")]
    Ask(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the database gave an answer that is not understood")]
    Unreadable,
    /// Nothing failed: it is to begin anew.
    #[error("other columns are counters now")]
    Reconfigured,
}

/// A session that has begun.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) stream: ReplicationStream,
    pub(super) side: Side,
    pub(super) visibility: Visibility,
    pub(super) begun: FeedSession,
}

impl Session {
    /// Begins one. Creating the slot waits for the transactions that run to end.
    pub(super) async fn begin(endpoint: &Endpoint) -> Result<Self, Failure> {
        let endpoint = endpoint.clone().with_application_name(NAME);
        let (client, connection) = ControlEndpoint::from(endpoint.clone()).open().await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection beside the feed ended");
            }
        });
        let mut replication = Replication::connect(&endpoint).await?;
        let slot = format!("passerelle_{}", replication.process_id());
        let side = Side::prepare(client, slot.clone()).await?;
        let system = replication.command("IDENTIFY_SYSTEM").await?;
        let create =
            format!("CREATE_REPLICATION_SLOT {slot} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT");
        let created = replication.command(&create).await?;
        let position = field(&created, 1).and_then(|text| text.parse().ok());
        let position: Position = position.ok_or(Failure::Unreadable)?;
        // What was committed before and is not visible yet is still running to this snapshot.
        let look = side.look(false).await?;
        let visibility = Visibility::new(position, &look.snapshot);
        let start = format!(
            "START_REPLICATION SLOT {slot} LOGICAL 0/0 \
             (proto_version '1', publication_names 'passerelle', messages 'true')"
        );
        let stream = replication.start(&start).await?;
        let since = Instant::now();
        let identity = identity(&side, &system).await?;
        Ok(Self {
            stream,
            side,
            visibility,
            begun: FeedSession {
                identity,
                position,
                since,
            },
        })
    }
}

/// The server, its timeline, its start and the database.
async fn identity(side: &Side, system: &[Vec<Option<String>>]) -> Result<String, Failure> {
    let part = |column| field(system, column).ok_or(Failure::Unreadable);
    let started = side.started().await?;
    Ok(format!("{}/{}/{started}/{}", part(0)?, part(1)?, part(3)?))
}

fn field(rows: &[Vec<Option<String>>], column: usize) -> Option<&str> {
    rows.first()?.get(column)?.as_deref()
}
