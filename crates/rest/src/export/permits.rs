//! How many exports may run. Each keeps a connection for as long as its client reads, so that others
//! than exports keep at least half of every worker's connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use passerelle_wire::Pool;

/// Counts the exports that run, whatever the configuration was when they began.
#[derive(Clone, Default)]
pub(crate) struct ExportPermits {
    of_worker: Running,
    of_all_workers: Running,
}

/// Allows one export to run, until it is dropped.
pub(crate) struct ExportPermit {
    _of_worker: Place,
    _of_all_workers: Place,
}

#[derive(Clone, Default)]
struct Running(Arc<AtomicUsize>);

/// One of those that run.
struct Place(Arc<AtomicUsize>);

impl ExportPermits {
    /// The permits of another worker.
    pub(crate) fn for_worker(&self) -> Self {
        Self {
            of_worker: Running::default(),
            of_all_workers: self.of_all_workers.clone(),
        }
    }

    /// A permit for an export over one of the worker's connections, unless as many run as may:
    /// `at_once` by all workers, and half of this worker's connections.
    pub(crate) fn take(&self, pool: &Pool, at_once: usize) -> Option<ExportPermit> {
        Some(ExportPermit {
            _of_worker: self.of_worker.enter(pool.max_size() / 2)?,
            _of_all_workers: self.of_all_workers.enter(at_once)?,
        })
    }
}

impl Running {
    fn enter(&self, most: usize) -> Option<Place> {
        let entered = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |running| {
                (running < most).then_some(running + 1)
            });
        entered.is_ok().then(|| Place(Arc::clone(&self.0)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use passerelle_wire::{Endpoint, PoolSettings};

    use super::*;

    fn pool(max_size: usize) -> Pool {
        let settings = PoolSettings {
            max_size,
            ..PoolSettings::default()
        };
        Pool::new(
            Endpoint::parse("postgres://127.0.0.1/none").unwrap(),
            settings,
        )
    }

    /// How many permits there are at once.
    fn most(permits: &ExportPermits, pool: &Pool, at_once: usize) -> usize {
        let taken = std::iter::from_fn(|| permits.take(pool, at_once));
        taken.collect::<Vec<_>>().len()
    }

    #[test]
    fn half_of_the_connections_remain() {
        for (size, permits) in [(1, 0), (2, 1), (3, 1), (4, 2), (10, 5)] {
            let worker = ExportPermits::default();
            assert_eq!(most(&worker, &pool(size), 100), permits, "{size}");
            assert_eq!(most(&worker, &pool(size), 100), permits, "they come back");
        }
    }

    #[test]
    fn workers_share_the_number_that_is_configured() {
        let first = ExportPermits::default();
        let second = first.for_worker();
        let connections = pool(4);
        assert_eq!(most(&first, &connections, 0), 0);
        let taken = first.take(&connections, 2);
        assert!(taken.is_some());
        assert_eq!(most(&second, &connections, 2), 1);
        assert_eq!(most(&second, &connections, 3), 2);
        drop(taken);
        assert_eq!(most(&second, &connections, 2), 2);
    }

    #[test]
    fn those_that_run_count_when_fewer_are_allowed() {
        let worker = ExportPermits::default();
        let connections = pool(8);
        let taken: Vec<_> = (0..3).map(|_| worker.take(&connections, 4)).collect();
        assert!(taken.iter().all(Option::is_some));
        assert_eq!(most(&worker, &connections, 2), 0);
        drop(taken);
        assert_eq!(most(&worker, &connections, 2), 2);
    }
}
