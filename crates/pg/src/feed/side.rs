//! What the stream does not tell: how far the WAL goes, what new snapshots see, who else follows.

use std::time::{Duration, Instant};

use passerelle_wire::WireError;
use tokio::time::timeout;
use tokio_postgres::{Client, Statement};

use super::Peers;
use super::position::Position;
use super::session::Failure;
use super::snapshot::Snapshot;

/// Longest time for a look; a server that is slower is taken for dead.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The snapshot is that of the statement, so it is older than the positions.
const LOOK: &str = "select pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text";

/// Other gateways that follow this database.
const PEERS: &str = "select count(*), min(coalesce(confirmed_flush_lsn, '0/0'))::text
from pg_replication_slots
where database = current_database() and temporary and active_pid is not null
  and slot_name like 'passerelle\\_%' and slot_name <> $1";

/// Has the WAL flushed as far as it goes: something is committed.
const NUDGE: &str = "select pg_logical_emit_message(true, 'passerelle.nudge', '')";

/// A connection to ask over.
#[derive(Debug)]
pub(super) struct Side {
    client: Client,
    look: Statement,
    peers: Statement,
    /// Name of the slot of this gateway.
    slot: String,
    segment_size: u64,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Look {
    /// When it was begun.
    pub(super) begun: Instant,
    pub(super) snapshot: Snapshot,
    /// All commits that anybody had an answer to before it was begun end before this position.
    pub(super) written: Position,
    /// Other gateways, if they were asked for.
    pub(super) peers: Option<Peers>,
}

impl Side {
    /// Prepares a connection beside a stream.
    pub(super) async fn prepare(client: Client, slot: String) -> Result<Self, Failure> {
        let work = async {
            // Nobody waits for a standby to have what is said here.
            client
                .execute("set synchronous_commit = local", &[])
                .await?;
            let size = "select pg_size_bytes(current_setting('wal_segment_size'))";
            let size: i64 = client.query_one(size, &[]).await?.try_get(0)?;
            let look = client.prepare(LOOK).await?;
            let peers = client.prepare(PEERS).await?;
            Ok((size, look, peers))
        };
        let (size, look, peers) = in_time(work).await?;
        Ok(Self {
            client,
            look,
            peers,
            slot,
            segment_size: size.try_into().unwrap_or_default(),
        })
    }

    /// Looks.
    pub(super) async fn look(&self, with_peers: bool) -> Result<Look, Failure> {
        let begun = Instant::now();
        let work = async {
            let row = self.client.query_one(&self.look, &[]).await?;
            let (snapshot, written): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let peers = if with_peers {
                Some(self.peers(begun).await?)
            } else {
                None
            };
            Ok((snapshot, written, peers))
        };
        let (snapshot, written, peers) = in_time(work).await?;
        let written: Position = written.parse().map_err(|()| Failure::Unreadable)?;
        Ok(Look {
            begun,
            snapshot: Snapshot::parse(&snapshot).ok_or(Failure::Unreadable)?,
            written: written.of_last_record(self.segment_size),
            peers,
        })
    }

    async fn peers(&self, begun: Instant) -> Result<Peers, tokio_postgres::Error> {
        let row = self.client.query_one(&self.peers, &[&self.slot]).await?;
        let (count, slowest): (i64, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        let slowest = slowest.and_then(|position| position.parse().ok());
        Ok(Peers {
            asked: Some(begun),
            slowest: (count > 0).then(|| slowest.unwrap_or_default()),
        })
    }

    /// When the server was started.
    pub(super) async fn started(&self) -> Result<String, Failure> {
        let started = "select extract(epoch from pg_postmaster_start_time())::text";
        in_time(async { self.client.query_one(started, &[]).await?.try_get(0) }).await
    }

    /// Has the WAL flushed, whoever has written it.
    pub(super) async fn nudge(&self) -> Result<(), Failure> {
        in_time(async { self.client.execute(NUDGE, &[]).await.map(drop) }).await
    }
}

async fn in_time<T>(
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Failure> {
    let done = timeout(TIMEOUT, work).await;
    Ok(done.map_err(|_| Failure::Stream(WireError::Timeout))??)
}
