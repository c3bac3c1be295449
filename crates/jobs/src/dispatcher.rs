//! Claims jobs and hands them to workers: through the store to those of all gateways, or directly to those of this one.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_pg::{ControlClient, ControlError, ControlRow, ControlStatement, ToSql};
use tokio::time::{sleep, timeout};

use crate::ticket::Ticket;
use crate::tray::Handed;
use crate::workers::{Crew, HAND_OVER, LOST};

/// How often it is looked for jobs when nothing else happens.
const IDLE: Duration = Duration::from_millis(200);

const CLAIM: &str = "select id, claim::text, job from passerelle.claim_jobs($1, $2, $3, $4, $5)";
/// Of the time no more than this part is spent with deep looks.
const DEEP: u32 = 10;

/// How jobs get to workers, and how many are to be claimed for them.
enum Way {
    /// Through the store.
    Stream(usize),
    /// To the workers of this gateway, because Redis is away.
    Tray(usize),
}

/// Claims jobs and hands them over, again and again.
pub(crate) async fn dispatch(crew: Arc<Crew>) {
    loop {
        match crew.endpoint.connect().await {
            Ok(client) => {
                let Err(error) = run(&crew, &client).await;
                tracing::warn!(%error, "the connection that claims jobs failed");
            }
            Err(error) => tracing::warn!(%error, "no jobs are claimed without a connection"),
        }
        sleep(LOST).await;
    }
}

/// Brings what the stream has for the workers of this gateway, one job for each that is free.
pub(crate) async fn receive(crew: Arc<Crew>) {
    let mut reader = crew.stream.reader();
    loop {
        let most = crew.tray.wanted().await;
        for entry in reader.take(most).await {
            if let Some(ticket) = Ticket::of_payload(&entry.payload) {
                let entry = Some(entry.id);
                crew.tray.put([Handed { ticket, entry }]);
            } else if let Err(error) = crew.stream.acknowledge(&entry.id).await {
                tracing::debug!(%error, "an entry that is no job stays until its time is over");
            }
        }
    }
}

/// What a gateway asks for, again and again.
struct Claims<'a> {
    client: &'a ControlClient,
    statement: ControlStatement,
    names: Vec<&'a str>,
    slots: Vec<i32>,
    /// When it may be looked deep again.
    deep: Instant,
}

impl Claims<'_> {
    /// Claims so many jobs at most. A deep look is one at all that is due, where many jobs wait for others of their key.
    async fn claim(&mut self, most: usize) -> Result<Vec<Ticket>, ControlError> {
        let since = Instant::now();
        let is_deep = since >= self.deep;
        let (lease, most) = (
            HAND_OVER.as_secs_f64(),
            i32::try_from(most).unwrap_or(i32::MAX),
        );
        let parameters: [&(dyn ToSql + Sync); 5] =
            [&self.names, &self.slots, &lease, &most, &is_deep];
        let rows = self.client.query(&self.statement, &parameters).await?;
        if is_deep {
            self.deep = Instant::now() + IDLE.max(since.elapsed() * DEEP);
        }
        if !rows.is_empty() {
            // Another job comes first next time.
            self.names.rotate_left(1);
            self.slots.rotate_left(1);
        }
        rows.iter().map(ticket).collect()
    }
}

/// Goes on until the connection fails.
async fn run(crew: &Crew, client: &ControlClient) -> Result<Infallible, ControlError> {
    let mut claims = Claims {
        client,
        statement: client.prepare(CLAIM).await?,
        names: crew.jobs.iter().map(|job| job.name.as_str()).collect(),
        slots: crew.jobs.iter().map(|job| job.concurrency).collect(),
        deep: Instant::now(),
    };
    loop {
        let way = way(crew).await;
        let (Way::Stream(room) | Way::Tray(room)) = way;
        let claimed = match room {
            0 => Vec::new(),
            room => claims.claim(room).await?,
        };
        let is_full = room > 0 && claimed.len() >= room;
        if !claimed.is_empty() {
            hand_over(crew, &way, claimed).await;
        }
        if !is_full {
            let _ = timeout(IDLE, crew.tray.freed()).await;
        }
    }
}

async fn way(crew: &Crew) -> Way {
    if crew.stream.is_read() {
        match crew.stream.waiting().await {
            // By halves, so that one question brings several.
            Ok(waiting) if waiting * 2 > crew.ahead => return Way::Stream(0),
            Ok(waiting) => return Way::Stream(crew.ahead - waiting),
            Err(error) => tracing::debug!(%error, "jobs go to the workers of this gateway"),
        }
    }
    Way::Tray(crew.tray.room())
}

async fn hand_over(crew: &Crew, way: &Way, claimed: Vec<Ticket>) {
    if let Way::Stream(_) = way {
        let payloads: Vec<Bytes> = claimed.iter().map(Ticket::to_payload).collect();
        match crew.stream.add(&payloads).await {
            Ok(_) => return,
            // Perhaps they are there all the same: who comes second with a claim finds it used.
            Err(error) => tracing::debug!(%error, "jobs go to the workers of this gateway"),
        }
    }
    let handed = claimed.into_iter().map(|ticket| Handed {
        ticket,
        entry: None,
    });
    crew.tray.put(handed);
}

fn ticket(row: &ControlRow) -> Result<Ticket, ControlError> {
    let claim: String = row.try_get(1)?;
    Ok(Ticket {
        id: row.try_get(0)?,
        // PostgreSQL writes no other; a claim that nobody has made is void.
        claim: claim.parse().unwrap_or_default(),
        job: row.try_get(2)?,
    })
}
