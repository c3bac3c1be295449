//! What workers have done, and what is left to do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use passerelle_pg::ControlEndpoint;
use tokio::time::sleep;

use crate::desk::{Queue, queues};
use crate::session::Ending;

/// How often jobs are counted.
const LOOK: Duration = Duration::from_secs(10);

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
pub(crate) struct Counts {
    done: AtomicU64,
    failed: AtomicU64,
    dead: AtomicU64,
    /// What was seen last.
    queues: Mutex<Vec<Queue>>,
}

impl Counts {
    pub(crate) fn note(&self, ending: Ending) {
        let counters: &[&AtomicU64] = match ending {
            Ending::Done => &[&self.done],
            Ending::Failed => &[&self.failed],
            Ending::Dead => &[&self.failed, &self.dead],
            Ending::Void => &[],
        };
        for counter in counters {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> JobCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        JobCounts {
            done: read(&self.done),
            failed: read(&self.failed),
            dead: read(&self.dead),
        }
    }

    pub(crate) fn queues(&self) -> Vec<Queue> {
        let queues = self.queues.lock();
        queues.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Looks how many jobs there are, again and again.
pub(crate) async fn look(endpoint: ControlEndpoint, counts: Arc<Counts>) {
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
