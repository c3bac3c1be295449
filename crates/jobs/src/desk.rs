//! Looking at jobs, and deciding about dead ones.

use passerelle_pg::{ControlClient, ControlError};

const LETTERS: &str = "select id, job, key, attempts, last_error, payload::text, created_at::text
from passerelle.jobs where is_dead order by id limit 1000";
const QUEUES: &str = "select job, waiting, dead, oldest_seconds from passerelle.waiting_jobs()";
const RETRY: &str = "update passerelle.jobs set is_dead = false, attempts = 0, due_at = pg_catalog.clock_timestamp()
where is_dead and ($1::bigint is null or id = $1)";
const DROP: &str = "delete from passerelle.jobs where is_dead and ($1::bigint is null or id = $1)";

/// How many jobs of one name there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// The name.
    pub job: String,
    /// Jobs that are not done and not dead.
    pub waiting: i64,
    /// Jobs that have failed too often.
    pub dead: i64,
    /// Seconds for which the oldest has been due.
    pub oldest_seconds: f64,
}

/// A job that has failed too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub job: String,
    /// Its key, if it has one.
    pub key: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// What it was to work on, as JSON.
    pub payload: String,
    /// When it was recorded.
    pub created_at: String,
}

/// How many jobs there are, by name.
///
/// # Errors
/// When PostgreSQL or the connection fails.
pub async fn queues(client: &ControlClient) -> Result<Vec<Queue>, ControlError> {
    let rows = client.query(QUEUES, &[]).await?;
    let queues = rows.iter().map(|row| {
        Ok(Queue {
            job: row.try_get(0)?,
            waiting: row.try_get(1)?,
            dead: row.try_get(2)?,
            oldest_seconds: row.try_get(3)?,
        })
    });
    queues.collect()
}

/// The first thousand dead jobs.
///
/// # Errors
/// When PostgreSQL or the connection fails.
pub async fn letters(client: &ControlClient) -> Result<Vec<Letter>, ControlError> {
    let rows = client.query(LETTERS, &[]).await?;
    let letters = rows.iter().map(|row| {
        Ok(Letter {
            id: row.try_get(0)?,
            job: row.try_get(1)?,
            key: row.try_get(2)?,
            attempts: row.try_get(3)?,
            error: row.try_get(4)?,
            payload: row.try_get(5)?,
            created_at: row.try_get(6)?,
        })
    });
    letters.collect()
}

/// Has a dead job tried again, or all of them; how many.
///
/// # Errors
/// When PostgreSQL or the connection fails.
pub async fn retry(client: &ControlClient, id: Option<i64>) -> Result<u64, ControlError> {
    client.execute(RETRY, &[&id]).await
}

/// Drops a dead job, or all of them; how many.
///
/// # Errors
/// When PostgreSQL or the connection fails.
pub async fn drop_dead(client: &ControlClient, id: Option<i64>) -> Result<u64, ControlError> {
    client.execute(DROP, &[&id]).await
}
