//! `passerelle jobs`: how many wait, and what becomes of those that failed too often.

use std::fmt::Write as _;

use passerelle_jobs::{Letter, Queue, drop_dead, letters, queues, retry};
use passerelle_pg::{ControlClient, ControlEndpoint, ControlError};
use serde_json::json;

use super::migrate::owner_url;
use super::{CommandError, print};
use crate::cli::JobsCommand;
use crate::environment::Environment;

/// Why nothing could be said or done about jobs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobsError {
    /// No database is named.
    #[error("no database: set DATABASE_URL to the connection URI of its owner")]
    NoDatabase,
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It refused.
    #[error("the database refused: has `passerelle migrate` been run, and is this its owner?")]
    Refused(#[from] ControlError),
    /// No runtime.
    #[error("the runtime could not be started")]
    Runtime(#[source] std::io::Error),
    /// Neither one nor all.
    #[error("name a job by its number, or all of them with --all")]
    Which,
}

pub(super) fn run(command: &JobsCommand, environment: &Environment) -> Result<(), CommandError> {
    let url = owner_url(environment).ok_or(JobsError::NoDatabase)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(JobsError::Runtime)?;
    let said = runtime.block_on(async {
        let endpoint =
            ControlEndpoint::parse(url).map_err(|error| JobsError::Connect(error.into()))?;
        let client = endpoint.connect().await;
        let client = client.map_err(|error| JobsError::Connect(error.into()))?;
        done(command, &client).await
    })?;
    print(&said)
}

async fn done(command: &JobsCommand, client: &ControlClient) -> Result<String, JobsError> {
    Ok(match command {
        JobsCommand::List { json } => {
            let queues = queues(client).await?;
            if *json {
                queues_json(&queues)
            } else {
                queues_text(&queues)
            }
        }
        JobsCommand::Dead { json } => {
            let letters = letters(client).await?;
            if *json {
                letters_json(&letters)
            } else {
                letters_text(&letters)
            }
        }
        JobsCommand::Retry { id, all } => {
            let jobs = retry(client, which(*id, *all)?).await?;
            format!("{jobs} to be tried again\n")
        }
        JobsCommand::Drop { id, all } => {
            let jobs = drop_dead(client, which(*id, *all)?).await?;
            format!("{jobs} dropped\n")
        }
    })
}

/// One, or all.
fn which(id: Option<i64>, all: bool) -> Result<Option<i64>, JobsError> {
    match (id, all) {
        (Some(id), false) => Ok(Some(id)),
        (None, true) => Ok(None),
        _ => Err(JobsError::Which),
    }
}

fn queues_text(queues: &[Queue]) -> String {
    if queues.is_empty() {
        return "no jobs are waiting, and none is dead\n".to_owned();
    }
    let mut text = format!(
        "{:40}{:>10}{:>10}{:>14}\n",
        "job", "waiting", "dead", "overdue"
    );
    for queue in queues {
        let overdue = format!("{:.0} s", queue.oldest_seconds);
        let _ = writeln!(
            text,
            "{:40}{:>10}{:>10}{overdue:>14}",
            queue.job, queue.waiting, queue.dead
        );
    }
    text
}

fn queues_json(queues: &[Queue]) -> String {
    let all = queues.iter().map(|queue| {
        json!({
            "job": queue.job, "waiting": queue.waiting, "dead": queue.dead,
            "overdue_seconds": queue.oldest_seconds,
        })
    });
    format!("{}\n", all.collect::<serde_json::Value>())
}

fn letters_text(letters: &[Letter]) -> String {
    if letters.is_empty() {
        return "no job is dead\n".to_owned();
    }
    let mut text = String::new();
    for letter in letters {
        let error = letter.error.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "{}  {}  recorded {}, {} attempts\n    {error}\n    {}",
            letter.id, letter.job, letter.created_at, letter.attempts, letter.payload
        );
    }
    text
}

fn letters_json(letters: &[Letter]) -> String {
    let all = letters.iter().map(|letter| {
        json!({
            "id": letter.id, "job": letter.job, "key": letter.key, "attempts": letter.attempts,
            "error": letter.error, "recorded_at": letter.created_at,
            "payload": serde_json::from_str::<serde_json::Value>(&letter.payload).unwrap_or_default(),
        })
    });
    format!("{}\n", all.collect::<serde_json::Value>())
}
