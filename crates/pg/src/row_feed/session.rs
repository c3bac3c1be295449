//! A slot that outlives connections, and a stream of it.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use passerelle_wire::{ClientError, Endpoint, Replication, ReplicationStream, WireError};
use thiserror::Error;
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::control::ControlEndpoint;
use crate::feed::pgoutput::Malformed;
use crate::feed::snapshot::Snapshot;

/// What the connections call themselves.
const NAME: &str = "passerelle_realtime";
/// What the names of slots begin with.
const PREFIX: &str = "passerelle_rt_";
/// Longest time for a question.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a slot is watched that nobody reads before it is dropped.
const ABANDONED: Duration = Duration::from_mins(1);
const SLOTS: &str = "select slot_name::text from pg_catalog.pg_replication_slots
    where slot_name like 'passerelle\\_rt\\_%' and slot_name <> $1 and database = pg_catalog.current_database() and not active";
const DROP: &str = "select pg_catalog.pg_drop_replication_slot(slot_name)
    from pg_catalog.pg_replication_slots where slot_name = $1 and not active";
const SNAPSHOT: &str = "select pg_catalog.pg_current_snapshot()::text";
/// A statement that sets how values are written: as changes have them, which is as PostgreSQL writes JSON.
pub const ROW_STYLE: &str = "select pg_catalog.set_config(name, value, false) from (values ('datestyle', 'ISO'), ('timezone', 'UTC'), \
    ('extra_float_digits', '1'), ('intervalstyle', 'postgres'), ('bytea_output', 'hex')) as style(name, value)";

/// Why there is no stream, or no more.
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
    #[error("the database did not answer in time")]
    Late,
    #[error("the database gave an answer that is not understood")]
    Unreadable,
}

/// The name of a gateway's slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SlotName(String);

impl SlotName {
    pub(super) fn new(id: u64) -> Self {
        Self(format!("{PREFIX}{id:016x}"))
    }
}

impl fmt::Display for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Drops a slot that nobody reads.
pub(super) async fn drop_slot(endpoint: &Endpoint, slot: &SlotName) -> Result<(), Failure> {
    let client = connect(endpoint).await?;
    let left = "select from pg_catalog.pg_replication_slots where slot_name = $1";
    client.query(DROP, &[&slot.0]).await?;
    match client.query_opt(left, &[&slot.0]).await? {
        None => Ok(()),
        Some(_) => Err(Failure::Late),
    }
}

async fn connect(endpoint: &Endpoint) -> Result<Client, Failure> {
    let endpoint = endpoint.clone().with_application_name(NAME);
    Ok(ControlEndpoint::from(endpoint).connect().await?)
}

/// What is known of the slot of this gateway.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// It has been made.
    is_made: bool,
    /// It has been made and never been read.
    pub(super) is_new: bool,
    /// Another was there before it: what happened in between is not known.
    pub(super) missed: bool,
}

impl Place {
    /// A stream of it has begun.
    pub(super) fn taken(&mut self) {
        (self.is_new, self.missed) = (false, false);
    }
}

/// The stream of a slot.
pub(super) struct Session {
    pub(super) stream: ReplicationStream,
    pub(super) side: Side,
}

impl Session {
    pub(super) async fn begin(
        endpoint: &Endpoint,
        slot: &SlotName,
        place: &mut Place,
    ) -> Result<Self, Failure> {
        let side = Side {
            client: connect(endpoint).await?,
            abandoned: HashMap::new(),
        };
        let endpoint = endpoint.clone().with_application_name(NAME);
        let mut replication = Replication::connect(&endpoint).await?;
        replication.command(ROW_STYLE).await?;
        if !place.is_made && side.is_boundless().await? {
            tracing::warn!(
                "max_slot_wal_keep_size has no limit: a slot whose gateway hangs can fill the disk of PostgreSQL"
            );
        }
        if !place.is_made || !side.is_usable(slot).await? {
            // One may be there of which nobody has heard that it was made.
            side.client.query(DROP, &[&slot.0]).await?;
            let create =
                format!("CREATE_REPLICATION_SLOT {slot} LOGICAL pgoutput NOEXPORT_SNAPSHOT");
            replication.command(&create).await?;
            *place = Place {
                is_made: true,
                is_new: true,
                missed: place.is_made,
            };
        }
        let start = format!(
            "START_REPLICATION SLOT {slot} LOGICAL 0/0 (proto_version '1', messages 'true', \
             publication_names '\"supabase_realtime\",\"supabase_realtime_messages_publication\"')"
        );
        let stream = replication.start(&start).await?;
        Ok(Self { stream, side })
    }
}

/// A connection to ask over.
pub(super) struct Side {
    client: Client,
    /// Slots that nobody reads, and since when.
    abandoned: HashMap<String, Instant>,
}

impl Side {
    /// Whether a slot may hold any amount of WAL.
    async fn is_boundless(&self) -> Result<bool, Failure> {
        let bound = "select pg_catalog.current_setting('max_slot_wal_keep_size') = '-1'";
        Ok(self.client.query_one(bound, &[]).await?.try_get(0)?)
    }

    /// Whether there is still such a slot that can be read.
    async fn is_usable(&self, slot: &SlotName) -> Result<bool, Failure> {
        let usable = "select wal_status is distinct from 'lost' from pg_catalog.pg_replication_slots where slot_name = $1";
        let row = self.client.query_opt(usable, &[&slot.0]).await?;
        Ok(row.is_some_and(|row| row.try_get(0).unwrap_or(false)))
    }

    /// What a snapshot of now sees.
    pub(super) async fn look(&self) -> Result<Snapshot, Failure> {
        let asked = self.client.query_one(SNAPSHOT, &[]);
        let row = timeout(PATIENCE, asked)
            .await
            .map_err(|_| Failure::Late)??;
        let snapshot: String = row.try_get(0)?;
        Snapshot::parse(&snapshot).ok_or(Failure::Unreadable)
    }

    /// Drops slots of gateways that are gone.
    pub(super) async fn sweep(&mut self, own: &SlotName) -> Result<(), Failure> {
        let own: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&own.0];
        let asked = self.client.query(SLOTS, &own);
        let rows = timeout(PATIENCE, asked)
            .await
            .map_err(|_| Failure::Late)??;
        let now = Instant::now();
        let mut idle = HashMap::new();
        for row in rows {
            let name: String = row.try_get(0)?;
            let since = *self.abandoned.get(&name).unwrap_or(&now);
            if now.duration_since(since) >= ABANDONED {
                tracing::info!(slot = %name, "a slot is dropped whose gateway is gone");
                self.client.query(DROP, &[&name]).await?;
            } else {
                idle.insert(name, since);
            }
        }
        self.abandoned = idle;
        Ok(())
    }
}
