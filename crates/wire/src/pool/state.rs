//! The bookkeeping of a pool: who is idle, who waits, and who gets what.
//! It never waits and never touches a connection; it is generic so that its rules can be tested
//! without a server.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{PoolError, PoolStatus};

/// How often others may be served before a waiter who came earlier.
const MAX_OVERTAKEN: u32 = 16;
/// How far a returned connection looks for a waiter of its role.
const LOOKED_AT: usize = 64;

/// Connections `C` and the handles `W` of those who wait for one.
#[derive(Debug)]
pub(super) struct State<C, W> {
    limits: Limits,
    /// The longest idle first. Empty while anyone waits.
    idle: Vec<Idle<C>>,
    waiters: VecDeque<Waiter<W>>,
    /// Connections idle, in use and being made.
    size: usize,
    generation: u64,
    closed: bool,
    timeouts: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) connections: usize,
    pub(super) waiters: usize,
    pub(super) idle_time: Option<Duration>,
}

/// A connection that comes back fit for use.
#[derive(Debug)]
pub(super) struct Returned<C> {
    pub(super) connection: C,
    pub(super) role: Option<Arc<str>>,
    pub(super) generation: u64,
    /// When its lifetime ends.
    pub(super) expires: Option<Instant>,
}

#[derive(Debug)]
struct Idle<C> {
    returned: Returned<C>,
    since: Instant,
}

#[derive(Debug)]
struct Waiter<W> {
    handle: W,
    role: Box<str>,
    overtaken: u32,
}

/// What someone who asks gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice<C> {
    Idle(C),
    /// The right to make a connection.
    Vacancy,
    /// Nothing now.
    Wait,
    Closed,
}

/// What the next waiter gets; without a connection, the right to make one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HandOver<C, W> {
    pub(super) handle: W,
    pub(super) connection: Option<C>,
}

impl<C, W> State<C, W> {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            idle: Vec::new(),
            waiters: VecDeque::new(),
            size: 0,
            generation: 0,
            closed: false,
            timeouts: 0,
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn choose(&mut self, role: &str) -> Choice<C> {
        if self.closed {
            return Choice::Closed;
        }
        let familiar = self
            .idle
            .iter()
            .rposition(|idle| idle.returned.role.as_deref() == Some(role));
        if let Some(index) = familiar {
            return Choice::Idle(self.idle.remove(index).returned.connection);
        }
        if self.size < self.limits.connections {
            self.size += 1;
            return Choice::Vacancy;
        }
        if self.idle.is_empty() {
            return Choice::Wait;
        }
        Choice::Idle(self.idle.remove(0).returned.connection)
    }

    /// A connection that was chosen or in use is no more. For [`Self::choose`] to be called again.
    pub(super) fn forget(&mut self) {
        self.size -= 1;
    }

    /// Queues a waiter, unless there are too many.
    pub(super) fn wait(&mut self, role: &str, handle: W) -> bool {
        let admitted = self.waiters.len() < self.limits.waiters;
        if admitted {
            self.waiters.push_back(Waiter {
                handle,
                role: role.into(),
                overtaken: 0,
            });
        }
        admitted
    }

    /// Counts a waiter whose time is over.
    pub(super) fn time_out(&mut self) -> PoolError {
        self.timeouts += 1;
        PoolError::Timeout
    }

    /// Removes waiters who have given up.
    pub(super) fn retain_waiters(&mut self, mut waits: impl FnMut(&W) -> bool) {
        self.waiters.retain(|waiter| waits(&waiter.handle));
    }

    /// Takes a connection back, or the loss of one, and says who gets it. What must be closed is
    /// left in `dropped`.
    pub(super) fn give_back(
        &mut self,
        returned: Option<Returned<C>>,
        now: Instant,
        dropped: &mut Option<C>,
    ) -> Option<HandOver<C, W>> {
        let fit = returned.and_then(|returned| {
            let current = !self.closed && returned.generation == self.generation;
            if current && returned.expires.is_none_or(|expires| now < expires) {
                return Some(returned);
            }
            *dropped = Some(returned.connection);
            None
        });
        let Some(returned) = fit else {
            let Some(waiter) = self.waiters.pop_front() else {
                self.size -= 1;
                return None;
            };
            return Some(HandOver {
                handle: waiter.handle,
                connection: None,
            });
        };
        let Some(waiter) = self.next_waiter(returned.role.as_deref()) else {
            self.idle.push(Idle {
                returned,
                since: now,
            });
            return None;
        };
        Some(HandOver {
            handle: waiter.handle,
            connection: Some(returned.connection),
        })
    }

    /// The first waiter of this role, unless someone before it has been passed over too often;
    /// else the first of all.
    fn next_waiter(&mut self, role: Option<&str>) -> Option<Waiter<W>> {
        let mut chosen = 0;
        for (index, waiter) in self.waiters.iter().take(LOOKED_AT).enumerate() {
            if Some(&*waiter.role) == role {
                chosen = index;
                break;
            }
            if waiter.overtaken >= MAX_OVERTAKEN {
                break;
            }
        }
        for waiter in self.waiters.iter_mut().take(chosen) {
            waiter.overtaken += 1;
        }
        self.waiters.remove(chosen)
    }

    /// Removes the idle connections whose time is over.
    pub(super) fn prune(&mut self, now: Instant) -> Vec<C> {
        let max_idle = self.limits.idle_time;
        let over = |idle: &mut Idle<C>| {
            max_idle.is_some_and(|limit| now.duration_since(idle.since) >= limit)
                || idle.returned.expires.is_some_and(|expires| now >= expires)
        };
        let pruned: Vec<C> = self
            .idle
            .extract_if(.., over)
            .map(|idle| idle.returned.connection)
            .collect();
        self.size -= pruned.len();
        pruned
    }

    /// Removes all idle connections, and those in use once they come back.
    pub(super) fn renew(&mut self) -> Vec<C> {
        self.generation += 1;
        self.size -= self.idle.len();
        self.idle
            .drain(..)
            .map(|idle| idle.returned.connection)
            .collect()
    }

    /// Ends the pool, and returns what has to be dropped.
    pub(super) fn close(&mut self) -> (Vec<C>, Vec<W>) {
        self.closed = true;
        let waiters = self.waiters.drain(..).map(|waiter| waiter.handle).collect();
        (self.renew(), waiters)
    }

    pub(super) fn status(&self) -> PoolStatus {
        PoolStatus {
            size: self.size,
            idle: self.idle.len(),
            waiting: self.waiters.len(),
            max_size: self.limits.connections,
            timeouts: self.timeouts,
        }
    }
}

#[cfg(test)]
mod tests;
