//! One query at a time for each key: whoever comes second waits for the first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use foldhash::fast::RandomState;
use tokio::sync::watch;

use crate::freshness::lock;
use crate::key::ReplyKey;
use crate::shelf::Kept;

/// Queries that are running, by key.
#[derive(Debug, Default)]
pub struct SingleFlight {
    running: Mutex<Running>,
}

type Running = HashMap<ReplyKey, watch::Receiver<Option<Found>>, RandomState>;

/// What a query has found.
#[derive(Clone, Debug)]
pub struct Found {
    /// When the query was begun. Whoever asked before may have it as its own answer, whatever has
    /// changed since.
    pub begun: Instant,
    /// The reply.
    pub reply: Arc<Kept>,
}

/// Whose turn it is.
#[derive(Debug)]
pub enum Turn {
    /// The caller's; others wait until this is dropped.
    Mine(Leader),
    /// Somebody else has just finished, and has found this, or failed.
    Waited(Option<Found>),
}

/// Keeps others waiting until it is dropped.
#[derive(Debug)]
pub struct Leader {
    flights: Arc<SingleFlight>,
    key: ReplyKey,
    /// Dropping it wakes those who wait.
    done: watch::Sender<Option<Found>>,
}

impl SingleFlight {
    /// Takes the turn if nobody has it.
    pub fn try_turn(self: &Arc<Self>, key: ReplyKey) -> Option<Leader> {
        let mut all = lock(&self.running);
        (!all.contains_key(&key)).then(|| self.lead(&mut all, key))
    }

    /// Takes the turn if nobody has it, else waits for whoever does.
    pub async fn turn(self: &Arc<Self>, key: ReplyKey) -> Turn {
        let mut running = {
            let mut all = lock(&self.running);
            if let Some(running) = all.get(&key) {
                running.clone()
            } else {
                return Turn::Mine(self.lead(&mut all, key));
            }
        };
        // It is told what was found, or ends without.
        let _ended = running.changed().await;
        Turn::Waited(running.borrow().clone())
    }

    fn lead(self: &Arc<Self>, all: &mut Running, key: ReplyKey) -> Leader {
        let (done, waiting) = watch::channel(None);
        all.insert(key, waiting);
        Leader {
            flights: Arc::clone(self),
            key,
            done,
        }
    }
}

impl Leader {
    /// Tells what was found to all who wait.
    pub fn found(self, found: Found) {
        // Who comes from now on finds it on the shelf, or asks anew.
        lock(&self.flights.running).remove(&self.key);
        self.done.send_replace(Some(found));
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        let mut running = lock(&self.flights.running);
        // Somebody else may have the turn already.
        if running
            .get(&self.key)
            .is_some_and(|waiting| self.done.subscribe().same_channel(waiting))
        {
            running.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;
