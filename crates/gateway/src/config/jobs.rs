//! `[[jobs]]`: work that follows a change of rows, or the clock.

use std::time::Duration;

use passerelle_jobs::{Cause, Change, JobSpec, JobSpecs, Work};
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::cache::qualified;
use super::check::within;

const DAY: u64 = 24 * 60 * 60;

/// `[[jobs]]`
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobSettings {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) table: String,
    #[serde(default)]
    pub(crate) on: Vec<ChangeName>,
    #[serde(default)]
    pub(crate) when: String,
    #[serde(default)]
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) delay_seconds: u64,
    #[serde(default)]
    pub(crate) schedule: String,
    #[serde(default)]
    pub(crate) function: String,
    #[serde(default = "service_role")]
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) webhook: String,
    #[serde(default)]
    pub(crate) secret: String,
    #[serde(default = "attempts")]
    pub(crate) attempts: u64,
    #[serde(default = "backoff")]
    pub(crate) backoff_seconds: u64,
    #[serde(default = "timeout")]
    pub(crate) timeout_seconds: u64,
    #[serde(default = "concurrency")]
    pub(crate) concurrency: u64,
}

/// `on`: how rows change.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChangeName {
    Insert,
    Update,
    Delete,
}

fn service_role() -> String {
    "service_role".to_owned()
}

fn attempts() -> u64 {
    5
}

fn backoff() -> u64 {
    2
}

fn timeout() -> u64 {
    30
}

fn concurrency() -> u64 {
    5
}

// The secret is not shown.
impl std::fmt::Debug for JobSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobSettings")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The jobs that settings describe.
///
/// # Errors
/// [`ConfigError::Value`] for the first that cannot be meant.
pub(crate) fn jobs(all: &[JobSettings]) -> Result<JobSpecs, ConfigError> {
    for (index, job) in all.iter().enumerate() {
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        let is_name = (1..=40).contains(&job.name.len()) && job.name.chars().all(is_letter);
        if !is_name || all[..index].iter().any(|other| other.name == job.name) {
            let expected = "one of its own of 1 to 40 lower-case letters, digits, - and _";
            return Err(job.value("jobs.name", expected));
        }
    }
    all.iter().map(JobSettings::spec).collect()
}

impl JobSettings {
    fn spec(&self) -> Result<JobSpec, ConfigError> {
        within("jobs.attempts", self.attempts, 1..=1000)?;
        within("jobs.backoff_seconds", self.backoff_seconds, 1..=3600)?;
        within("jobs.timeout_seconds", self.timeout_seconds, 1..=3600)?;
        within("jobs.concurrency", self.concurrency, 1..=100)?;
        within("jobs.delay_seconds", self.delay_seconds, 0..=30 * DAY)?;
        let bounded = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
        Ok(JobSpec {
            name: self.name.clone(),
            cause: self.cause()?,
            work: self.work()?,
            attempts: bounded(self.attempts),
            backoff: Duration::from_secs(self.backoff_seconds),
            timeout: Duration::from_secs(self.timeout_seconds),
            concurrency: bounded(self.concurrency),
        })
    }

    fn cause(&self) -> Result<Cause, ConfigError> {
        if self.schedule.is_empty() == self.table.is_empty() {
            return Err(self.value("jobs", "given either a table or a schedule"));
        }
        if self.table.is_empty() {
            let schedule = self.schedule.parse();
            let schedule = schedule.map(Cause::Schedule);
            return schedule.map_err(|_| {
                self.value(
                    "jobs.schedule",
                    "five fields of cron, such as \"15 3 * * *\"",
                )
            });
        }
        let table = qualified(&self.table);
        let table = table.ok_or_else(|| self.value("jobs.table", "named by schema and table"))?;
        if self.on.is_empty() {
            return Err(self.value(
                "jobs.on",
                "\"insert\", \"update\" or \"delete\", or several",
            ));
        }
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let changes = self.on.iter().map(|change| match change {
            ChangeName::Insert => Change::Insert,
            ChangeName::Update => Change::Update,
            ChangeName::Delete => Change::Delete,
        });
        Ok(Cause::Rows {
            table,
            changes: changes.collect(),
            condition: some(&self.when),
            key: some(&self.key),
            delay: Duration::from_secs(self.delay_seconds),
        })
    }

    fn work(&self) -> Result<Work, ConfigError> {
        if self.function.is_empty() == self.webhook.is_empty() {
            return Err(self.value("jobs", "given either a function or a webhook"));
        }
        if self.webhook.is_empty() {
            let name = qualified(&self.function);
            let name =
                name.ok_or_else(|| self.value("jobs.function", "named by schema and function"))?;
            let role = self.role.clone();
            return Ok(Work::Function { name, role });
        }
        if !self.webhook.starts_with("https://") && !self.webhook.starts_with("http://") {
            return Err(self.value("jobs.webhook", "an https or http URL"));
        }
        let secret = self.secret.parse();
        let secret = secret
            .map_err(|_| self.value("jobs.secret", "whsec_ and 24 to 64 random bytes in base64"))?;
        Ok(Work::Webhook {
            url: self.webhook.clone(),
            secret,
        })
    }

    fn value(&self, key: &'static str, expected: &str) -> ConfigError {
        let expected = format!("{expected} (job {:?})", self.name);
        ConfigError::Value { key, expected }
    }
}
