//! What is to be done, and when.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use passerelle_catalog::QualifiedName;
use passerelle_webhook::Secret;

use crate::schedule::Schedule;

/// All jobs.
pub type JobSpecs = Vec<JobSpec>;

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSpec {
    /// Its name: 1 to 40 lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// When.
    pub cause: Cause,
    /// What.
    pub work: Work,
    /// Attempts before it is dead, 1 or more.
    pub attempts: i32,
    /// The pause after the first failure; it doubles.
    pub backoff: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How many may run at a time, over all gateways, 1 or more.
    pub concurrency: i32,
}

/// When a job is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Rows of a table change.
    Rows {
        /// The table.
        table: QualifiedName,
        /// How.
        changes: Vec<Change>,
        /// A condition in SQL over `old` and `new`.
        condition: Option<String>,
        /// A column: jobs for the same value are done one after the other.
        key: Option<String>,
        /// How long it is waited.
        delay: Duration,
    },
    /// A moment comes.
    Schedule(Schedule),
    /// The gateway itself records it.
    Gateway,
}

/// How a row changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Insert,
    /// It is another.
    Update,
    /// It is gone.
    Delete,
}

impl Change {
    /// As SQL says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A function of the database is called with the payload (`jsonb`), under a role.
    Function {
        /// The function.
        name: QualifiedName,
        /// The role.
        role: String,
    },
    /// The payload is sent by POST, signed (Standard Webhooks).
    Webhook {
        /// Where to.
        url: String,
        /// What it is signed with.
        secret: Secret,
    },
    /// The gateway does it itself.
    Gateway(Handler),
}

/// Work that the gateway does itself, with the payload of a job as JSON.
#[derive(Clone)]
pub struct Handler(Arc<dyn Fn(String) -> Handled + Send + Sync>);

/// What has come of it: why it failed, for those who look after jobs.
pub type Handled = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

impl Handler {
    /// Work that is done by calling this.
    pub fn new(work: impl Fn(String) -> Handled + Send + Sync + 'static) -> Self {
        Self(Arc::new(work))
    }

    pub(crate) fn handle(&self, payload: String) -> Handled {
        (self.0)(payload)
    }
}

impl PartialEq for Handler {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Handler {}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handler")
    }
}
