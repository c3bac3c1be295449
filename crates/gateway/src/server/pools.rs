//! The connections of the workers: each worker has a pool of its own.
//!
//! A connection lives on the event loop that opened it. Used by another worker it would wake two
//! threads for each answer, and its owner for nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use passerelle_wire::{ConnectionSettings, Endpoint, Pool, PoolSettings, PoolStatus};
use tokio::sync::watch;

/// How often unused connections are looked for.
const PRUNE_INTERVAL: Duration = Duration::from_secs(5);

/// The pools of all workers.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    pools: Arc<[Pool]>,
    handed_out: Arc<AtomicUsize>,
}

impl Pools {
    /// Shares the connections that `settings` allows among at most `workers` workers; fewer where
    /// there are fewer connections.
    pub(super) fn new(endpoint: &Endpoint, settings: &PoolSettings, workers: usize) -> Self {
        let total = settings.max_size.max(1);
        let workers = workers.clamp(1, total);
        let share = |worker| PoolSettings {
            max_size: total / workers + usize::from(worker < total % workers),
            ..*settings
        };
        let pool = |worker| Pool::new(endpoint.clone(), share(worker));
        Self {
            pools: (0..workers).map(pool).collect(),
            handed_out: Arc::default(),
        }
    }

    /// How many workers there are.
    pub(super) fn workers(&self) -> usize {
        self.pools.len()
    }

    /// The pool of the first worker.
    pub(super) fn first(&self) -> Pool {
        self.pools[0].clone()
    }

    /// The pool of a worker that starts; one that starts in the place of another has its pool.
    pub(super) fn of_next_worker(&self) -> Pool {
        let worker = self.handed_out.fetch_add(1, Ordering::Relaxed);
        self.pools[worker % self.pools.len()].clone()
    }

    /// The counters of all pools.
    pub(super) fn status(&self) -> PoolStatus {
        let add = |sum: PoolStatus, one: PoolStatus| PoolStatus {
            size: sum.size + one.size,
            idle: sum.idle + one.idle,
            waiting: sum.waiting + one.waiting,
            max_size: sum.max_size + one.max_size,
            timeouts: sum.timeouts + one.timeouts,
        };
        self.pools
            .iter()
            .map(Pool::status)
            .fold(PoolStatus::default(), add)
    }

    /// Changes how their connections behave.
    pub(super) fn reconfigure(&self, settings: ConnectionSettings) {
        for pool in &*self.pools {
            pool.reconfigure(settings);
        }
    }

    /// Closes all of them.
    pub(super) fn close(&self) {
        self.pools.iter().for_each(Pool::close);
    }

    /// Keeps connections that are used and that rest on rights which are there.
    pub(super) fn keep(&self, role_changes: watch::Receiver<u64>) {
        self.keep_pruned();
        self.keep_renewed(role_changes);
    }

    /// Replaces all connections whenever roles or memberships have changed: a statement that was
    /// prepared before may rest on a right that is gone.
    fn keep_renewed(&self, mut role_changes: watch::Receiver<u64>) {
        let pools = Arc::clone(&self.pools);
        actix_web::rt::spawn(async move {
            while role_changes.changed().await.is_ok() {
                pools.iter().for_each(Pool::renew);
            }
        });
    }

    /// Closes connections that have been unused for too long, also when no request comes by.
    fn keep_pruned(&self) {
        let pools = Arc::clone(&self.pools);
        actix_web::rt::spawn(async move {
            let mut ticks = tokio::time::interval(PRUNE_INTERVAL);
            loop {
                ticks.tick().await;
                pools.iter().for_each(Pool::prune);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(max_size: usize, workers: usize) -> Vec<usize> {
        let endpoint = Endpoint::parse("postgres://a@localhost/a").unwrap();
        let settings = PoolSettings {
            max_size,
            ..PoolSettings::default()
        };
        let pools = Pools::new(&endpoint, &settings, workers);
        pools
            .pools
            .iter()
            .map(|pool| pool.status().max_size)
            .collect()
    }

    #[test]
    fn all_connections_are_shared_out_and_no_worker_goes_without() {
        assert_eq!(sizes(10, 2), [5, 5]);
        assert_eq!(sizes(10, 4), [3, 3, 2, 2]);
        assert_eq!(sizes(2, 8), [1, 1]);
        assert_eq!(sizes(0, 2), [1]);
    }
}
