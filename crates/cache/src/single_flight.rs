//! One query at a time for each key: whoever comes second waits for the first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;
use tokio::sync::watch;

use crate::freshness::lock;
use crate::key::ReplyKey;

/// Queries that are running, by key.
#[derive(Debug, Default)]
pub struct SingleFlight {
    running: Mutex<HashMap<ReplyKey, watch::Receiver<()>, RandomState>>,
}

/// Whose turn it is.
#[derive(Debug)]
pub enum Turn {
    /// The caller's; others wait until this is dropped.
    Mine(Leader),
    /// Somebody else has just finished; what they have found may have been kept.
    Waited,
}

/// Keeps others waiting until it is dropped.
#[derive(Debug)]
pub struct Leader {
    flights: Arc<SingleFlight>,
    key: ReplyKey,
    /// Dropping it wakes those who wait.
    _done: watch::Sender<()>,
}

impl SingleFlight {
    /// Takes the turn if nobody has it, else waits for whoever does.
    pub async fn turn(self: &Arc<Self>, key: ReplyKey) -> Turn {
        let mut running = {
            let mut all = lock(&self.running);
            if let Some(running) = all.get(&key) {
                running.clone()
            } else {
                let (done, waiting) = watch::channel(());
                all.insert(key, waiting);
                return Turn::Mine(Leader {
                    flights: Arc::clone(self),
                    key,
                    _done: done,
                });
            }
        };
        // It never changes; it ends.
        let _ended = running.changed().await;
        Turn::Waited
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        lock(&self.flights.running).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyBuilder;

    #[tokio::test]
    async fn the_second_waits_for_the_first() {
        let flights = Arc::new(SingleFlight::default());
        let key = KeyBuilder::default().finish();
        let Turn::Mine(leader) = flights.turn(key).await else {
            unreachable!("nobody else is there");
        };
        let mut second = Box::pin(flights.turn(key));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(second.as_mut().poll(&mut context).is_pending());
        let other = KeyBuilder::default().number(1).finish();
        assert!(matches!(flights.turn(other).await, Turn::Mine(_)));
        drop(leader);
        assert!(matches!(second.await, Turn::Waited));
        assert!(matches!(flights.turn(key).await, Turn::Mine(_)));
        assert!(lock(&flights.running).is_empty());
    }
}
