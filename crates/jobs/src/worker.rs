//! Workers: each takes one job after the other, in a transaction that lasts as long as the work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use passerelle_pg::{ControlClient, ControlEndpoint, ControlError, ControlTransaction};
use passerelle_webhook::{Caller, Message};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::backoff::pause;
use crate::desk::{Queue, queues};
use crate::install::qualified;
use crate::spec::{Cause, JobSpec, JobSpecs, Work};

/// How often an idle worker looks for jobs.
const IDLE: Duration = Duration::from_millis(200);
/// Pause after a failure of the connection.
const LOST: Duration = Duration::from_secs(1);
/// How often jobs are counted.
const LOOK: Duration = Duration::from_secs(10);
/// No schedule is looked at more rarely.
const TICK: Duration = Duration::from_secs(30);

/// Of the answer of a webhook so many bytes are kept.
const SHOWN: usize = 200;

const TAKE: &str = "select id, job, attempts, payload::text, pg_catalog.random()
from passerelle.take_job($1, $2)";
const FINISH: &str = "select passerelle.finish_job($1)";
const FAIL: &str = "select passerelle.fail_job($1, $2, $3, $4)";
const SCHEDULE: &str = "select passerelle.schedule_job($1, $2::text::timestamptz)";
const ROLE: &str = "select pg_catalog.set_config('role', $1, true),
pg_catalog.set_config('request.jwt.claims', $2, true),
pg_catalog.set_config('passerelle.job_id', $3, true),
pg_catalog.set_config('statement_timeout', $4, true)";

/// Workers that run until this is dropped; what they were doing then is given back.
#[derive(Debug)]
pub struct Workers {
    counts: Arc<Counts>,
    tasks: Vec<JoinHandle<()>>,
}

/// What workers have done since their start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Jobs that are done.
    pub done: u64,
    /// Attempts that have failed.
    pub failed: u64,
    /// Jobs that are dead after their last attempt.
    pub dead: u64,
}

#[derive(Debug, Default)]
struct Counts {
    done: AtomicU64,
    failed: AtomicU64,
    dead: AtomicU64,
    /// What was seen last.
    queues: Mutex<Vec<Queue>>,
}

/// A job that was taken.
struct Taken {
    id: i64,
    attempts: i32,
    payload: String,
    /// Between 0 and 1.
    chance: f64,
}

impl Workers {
    /// Begins to work on tasks of the current runtime, each with a connection of its own; one more
    /// keeps the schedules.
    pub fn start(endpoint: &ControlEndpoint, jobs: JobSpecs, workers: usize) -> Self {
        let counts = Arc::new(Counts::default());
        if jobs.is_empty() || workers == 0 {
            return Self {
                counts,
                tasks: Vec::new(),
            };
        }
        let jobs = Arc::new(jobs);
        let worker = |_| {
            let (endpoint, jobs) = (endpoint.clone(), Arc::clone(&jobs));
            tokio::spawn(work(endpoint, jobs, Arc::clone(&counts)))
        };
        let mut tasks: Vec<_> = (0..workers).map(worker).collect();
        tasks.push(tokio::spawn(keep_schedules(endpoint.clone(), jobs)));
        tasks.push(tokio::spawn(look(endpoint.clone(), Arc::clone(&counts))));
        Self { counts, tasks }
    }

    /// What they have done.
    pub fn counts(&self) -> JobCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        JobCounts {
            done: read(&self.counts.done),
            failed: read(&self.counts.failed),
            dead: read(&self.counts.dead),
        }
    }
}

impl Workers {
    /// How many jobs there were, by name, when it was last looked, a few seconds ago.
    pub fn queues(&self) -> Vec<Queue> {
        let queues = self.counts.queues.lock();
        queues.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn work(endpoint: ControlEndpoint, jobs: Arc<JobSpecs>, counts: Arc<Counts>) {
    let caller = match Caller::new() {
        Ok(caller) => caller,
        Err(error) => {
            tracing::error!(%error, "jobs are not done: there is no HTTP client");
            return;
        }
    };
    loop {
        match endpoint.connect().await {
            Ok(mut client) => {
                let worker = Worker {
                    jobs: &jobs,
                    counts: &counts,
                    caller: &caller,
                };
                let error = worker.run(&mut client).await;
                tracing::warn!(%error, "the connection of a worker failed");
            }
            Err(error) => tracing::warn!(%error, "a worker has no connection"),
        }
        sleep(LOST).await;
    }
}

struct Worker<'a> {
    jobs: &'a [JobSpec],
    counts: &'a Counts,
    caller: &'a Caller,
}

impl Worker<'_> {
    /// Works until the connection fails.
    async fn run(&self, client: &mut ControlClient) -> ControlError {
        let mut names: Vec<&str> = self.jobs.iter().map(|job| job.name.as_str()).collect();
        let mut slots: Vec<i32> = self.jobs.iter().map(|job| job.concurrency).collect();
        loop {
            match self.one(client, &names, &slots).await {
                Ok(true) => {
                    // Another job comes first next time.
                    names.rotate_left(1);
                    slots.rotate_left(1);
                }
                Ok(false) => sleep(IDLE).await,
                Err(error) => return error,
            }
        }
    }

    /// Takes a job and does it; whether there was one.
    async fn one(
        &self,
        client: &mut ControlClient,
        names: &[&str],
        slots: &[i32],
    ) -> Result<bool, ControlError> {
        let transaction = client.transaction().await?;
        let Some(row) = transaction.query_opt(TAKE, &[&names, &slots]).await? else {
            transaction.rollback().await?;
            return Ok(false);
        };
        let name: String = row.try_get(1)?;
        let taken = Taken {
            id: row.try_get(0)?,
            attempts: row.try_get(2)?,
            payload: row.try_get(3)?,
            chance: row.try_get(4)?,
        };
        let Some(job) = self.jobs.iter().find(|job| job.name == name) else {
            transaction.rollback().await?;
            return Ok(false);
        };
        self.attempt(transaction, job, taken).await?;
        Ok(true)
    }

    async fn attempt(
        &self,
        mut transaction: ControlTransaction<'_>,
        job: &JobSpec,
        taken: Taken,
    ) -> Result<(), ControlError> {
        let id = format!("{}:{}", job.name, taken.id);
        let failure = match &job.work {
            Work::Function { name, role } => {
                let call = format!("select {}($1::text::jsonb)", qualified(name));
                let claims = json!({ "role": role }).to_string();
                let timeout = format!("{}ms", job.timeout.as_millis());
                // What it does is undone if it fails; that the job is taken stays.
                let savepoint = transaction.savepoint("work").await?;
                let called = async {
                    savepoint
                        .query(ROLE, &[role, &claims, &id, &timeout])
                        .await?;
                    savepoint.query(&call, &[&taken.payload]).await
                };
                match called.await {
                    Ok(_) => {
                        let back = "select pg_catalog.set_config('role', 'none', true),
                            pg_catalog.set_config('statement_timeout', '0', true)";
                        savepoint.query(back, &[]).await?;
                        savepoint.commit().await?;
                        None
                    }
                    Err(error) => {
                        savepoint.rollback().await?;
                        Some(passerelle_pg::told(&error))
                    }
                }
            }
            Work::Webhook { url, secret } => {
                // Receivers refuse what was sent too long ago.
                let message = Message {
                    id: &id,
                    seconds: now().timestamp(),
                    body: &taken.payload,
                };
                let secrets = std::slice::from_ref(secret);
                let sent = self.caller.call(url, secrets, message, job.timeout, SHOWN);
                match sent.await {
                    Ok(answer) if (200..300).contains(&answer.status) => None,
                    Ok(answer) => {
                        let shown = String::from_utf8_lossy(&answer.body);
                        Some(format!("the answer was {}: {shown}", answer.status))
                    }
                    Err(error) => Some(error.to_string()),
                }
            }
            Work::Gateway(handler) => {
                let work = handler.handle(taken.payload);
                match timeout(job.timeout, work).await {
                    Ok(outcome) => outcome.err(),
                    Err(_) => Some("it took too long".to_owned()),
                }
            }
        };
        let Some(failure) = failure else {
            transaction.query(FINISH, &[&taken.id]).await?;
            transaction.commit().await?;
            self.counts.done.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        };
        let failed = u32::try_from(taken.attempts).unwrap_or(0) + 1;
        let seconds = pause(job.backoff, failed, taken.chance).as_secs_f64();
        let failed: [&(dyn passerelle_pg::ToSql + Sync); 4] =
            [&taken.id, &failure, &job.attempts, &seconds];
        let dead: Option<bool> = transaction.query_one(FAIL, &failed).await?.try_get(0)?;
        transaction.commit().await?;
        self.counts.failed.fetch_add(1, Ordering::Relaxed);
        if dead == Some(true) {
            self.counts.dead.fetch_add(1, Ordering::Relaxed);
            tracing::error!(
                job = job.name,
                id = taken.id,
                error = failure,
                "a job is dead"
            );
        } else {
            tracing::warn!(
                job = job.name,
                id = taken.id,
                error = failure,
                "a job failed"
            );
        }
        Ok(())
    }
}

/// Looks how many jobs there are, again and again.
async fn look(endpoint: ControlEndpoint, counts: Arc<Counts>) {
    loop {
        match endpoint.connect().await {
            Ok(client) => {
                while let Ok(found) = queues(&client).await {
                    *counts.queues.lock().unwrap_or_else(PoisonError::into_inner) = found;
                    sleep(LOOK).await;
                }
            }
            Err(error) => tracing::debug!(%error, "jobs cannot be counted"),
        }
        sleep(LOOK).await;
    }
}

/// Records jobs when their moments come.
async fn keep_schedules(endpoint: ControlEndpoint, jobs: Arc<JobSpecs>) {
    let schedules = || {
        jobs.iter().filter_map(|job| match &job.cause {
            Cause::Schedule(schedule) => Some((&job.name, schedule)),
            Cause::Rows { .. } | Cause::Gateway => None,
        })
    };
    if schedules().next().is_none() {
        return;
    }
    let mut since = now();
    loop {
        let next = schedules().filter_map(|(_, schedule)| schedule.after(since));
        let next = next.min().unwrap_or(since + TICK);
        let wait = (next - now()).to_std().unwrap_or_default().min(TICK);
        sleep(wait).await;
        let until = now();
        let mut all = true;
        for (name, schedule) in schedules() {
            let Some(due) = schedule.after(since).filter(|due| *due <= until) else {
                continue;
            };
            if let Err(error) = record(&endpoint, name, due).await {
                tracing::warn!(job = name.as_str(), %error, "a moment of a schedule was not recorded");
                all = false;
            }
        }
        if all {
            since = until;
        } else {
            sleep(LOST).await;
        }
    }
}

async fn record(
    endpoint: &ControlEndpoint,
    name: &str,
    due: DateTime<Utc>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let client = endpoint.connect().await?;
    client.query(SCHEDULE, &[&name, &due.to_rfc3339()]).await?;
    Ok(())
}

fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "schedules follow the calendar")]
    std::time::SystemTime::now().into()
}
