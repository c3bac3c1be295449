//! The workers of a gateway, and who brings them their work.

use std::sync::Arc;
use std::time::Duration;

use passerelle_pg::ControlEndpoint;
use passerelle_store::{Store, Stream};
use passerelle_webhook::Caller;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

use crate::counts::{Counts, JobCounts, look};
use crate::desk::Queue;
use crate::dispatcher::{dispatch, receive};
use crate::moments::keep_schedules;
use crate::spec::{JobSpec, JobSpecs};
use crate::tray::Tray;
use crate::worker::Worker;

/// How long a job may be on its way to a worker before it is handed out again.
pub(crate) const HAND_OVER: Duration = Duration::from_secs(5);
/// Pause after a failure of the connection.
pub(crate) const LOST: Duration = Duration::from_secs(1);

/// So many jobs wait for each worker, at most, so that it finds one when it is free …
const AHEAD: usize = 4;
/// … and no more than that for all: what waits for longer than [`HAND_OVER`] is handed out again.
const MOST_AHEAD: usize = 64;

/// Workers that run until this is dropped; what they were doing then is handed out again.
#[derive(Debug)]
pub struct Workers {
    counts: Arc<Counts>,
    tasks: Vec<JoinHandle<()>>,
}

/// What the workers of a gateway share.
pub(crate) struct Crew {
    pub(crate) endpoint: ControlEndpoint,
    pub(crate) jobs: JobSpecs,
    pub(crate) counts: Arc<Counts>,
    /// Carries jobs from whoever has claimed them to the workers of all gateways that know the same jobs.
    pub(crate) stream: Stream,
    pub(crate) tray: Tray,
    /// How many jobs are to wait for workers.
    pub(crate) ahead: usize,
}

impl Crew {
    /// The job of a name.
    pub(crate) fn job(&self, name: &str) -> Option<&JobSpec> {
        self.jobs.iter().find(|job| job.name == name)
    }
}

impl Workers {
    /// Begins to work on tasks of the current runtime: workers and who claims jobs for them, each with a connection of
    /// its own; one more keeps the schedules.
    pub fn start(
        endpoint: &ControlEndpoint,
        store: &Store,
        jobs: JobSpecs,
        workers: usize,
    ) -> Self {
        let counts = Arc::new(Counts::default());
        let mut tasks = Vec::new();
        if jobs.is_empty() || workers == 0 {
            return Self { counts, tasks };
        }
        let ahead = (AHEAD * workers).min(MOST_AHEAD).max(workers);
        let crew = Arc::new(Crew {
            endpoint: endpoint.clone(),
            stream: store.stream(&stream_name(&jobs), HAND_OVER),
            jobs,
            counts: Arc::clone(&counts),
            tray: Tray::new(ahead),
            ahead,
        });
        match Caller::new() {
            Ok(caller) => tasks.extend((0..workers).map(|_| {
                let worker = Worker::new(Arc::clone(&crew), caller.clone());
                tokio::spawn(worker.run())
            })),
            Err(error) => {
                tracing::error!(%error, "jobs are not done: there is no HTTP client");
                return Self { counts, tasks };
            }
        }
        tasks.push(tokio::spawn(receive(Arc::clone(&crew))));
        tasks.push(tokio::spawn(dispatch(Arc::clone(&crew))));
        tasks.push(tokio::spawn(keep_schedules(crew)));
        tasks.push(tokio::spawn(look(endpoint.clone(), Arc::clone(&counts))));
        Self { counts, tasks }
    }

    /// What they have done.
    pub fn counts(&self) -> JobCounts {
        self.counts.read()
    }

    /// How many jobs there were, by name, when it was last looked, a few seconds ago.
    pub fn queues(&self) -> Vec<Queue> {
        self.counts.queues()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Gateways that know the same jobs share a stream, so that nobody is handed a job that only others know.
fn stream_name(jobs: &[JobSpec]) -> String {
    let mut names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    names.sort_unstable();
    let digest = Sha256::digest(names.join("\n"));
    let digest = digest.iter().take(8).map(|byte| format!("{byte:02x}"));
    format!("jobs:{}", digest.collect::<String>())
}
