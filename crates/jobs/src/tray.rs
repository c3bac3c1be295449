//! Where the workers of this gateway find what was handed to them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::ticket::Ticket;

/// Jobs for the workers of this gateway; bounded by what [`Tray::put`] takes.
#[derive(Debug)]
pub(crate) struct Tray {
    state: Mutex<State>,
    /// Something was put in.
    filled: Notify,
    /// A worker waits for whom there is nothing: told to who reads the stream …
    wanted: Notify,
    /// … and to who claims jobs.
    freed: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Handed>,
    /// Workers that wait.
    idle: usize,
}

/// A job that was handed to this gateway.
#[derive(Clone, Debug)]
pub(crate) struct Handed {
    pub(crate) ticket: Ticket,
    /// The entry of the stream that it came by, which is to be acknowledged.
    pub(crate) entry: Option<String>,
}

impl Tray {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            filled: Notify::new(),
            wanted: Notify::new(),
            freed: Notify::new(),
            capacity,
        }
    }

    /// The next job, for a worker that is free. Not to be cancelled as long as others work.
    pub(crate) async fn next(&self) -> Handed {
        self.with(|state| state.idle += 1);
        self.wanted.notify_one();
        self.freed.notify_one();
        loop {
            let filled = self.filled.notified();
            let next = self.with(|state| {
                let next = state.waiting.pop_front();
                state.idle -= usize::from(next.is_some());
                next
            });
            match next {
                Some(next) => return next,
                None => filled.await,
            }
        }
    }

    /// Jobs for the workers; what there is no room for is left to its claim to run out.
    pub(crate) fn put(&self, handed: impl IntoIterator<Item = Handed>) {
        for one in handed {
            let is_taken = self.with(|state| {
                let has_room = state.waiting.len() < self.capacity;
                if has_room {
                    state.waiting.push_back(one);
                }
                has_room
            });
            if is_taken {
                self.filled.notify_one();
            }
        }
    }

    /// How many workers wait for whom there is nothing.
    pub(crate) fn room(&self) -> usize {
        self.with(|state| state.idle.saturating_sub(state.waiting.len()))
    }

    /// Waits until a worker does; how many of them.
    pub(crate) async fn wanted(&self) -> usize {
        loop {
            let wanted = self.wanted.notified();
            match self.room() {
                0 => wanted.await,
                room => return room,
            }
        }
    }

    /// Waits until a worker has become free since this was last called.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut state)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;

    fn handed(id: i64) -> Handed {
        let (claim, job) = (Uuid::nil(), String::new());
        let ticket = Ticket { id, claim, job };
        Handed {
            ticket,
            entry: None,
        }
    }

    #[tokio::test]
    async fn as_many_are_wanted_as_workers_wait() {
        let tray = Arc::new(Tray::new(2));
        assert_eq!(tray.room(), 0);
        let worker = || {
            let tray = Arc::clone(&tray);
            tokio::spawn(async move { tray.next().await.ticket.id })
        };
        let first = worker();
        assert_eq!(tray.wanted().await, 1);
        tray.put([handed(1)]);
        assert_eq!(tray.room(), 0);
        assert_eq!(first.await.unwrap(), 1);
        // There is no room for the third.
        tray.put([handed(2), handed(3), handed(4)]);
        assert_eq!(worker().await.unwrap() + worker().await.unwrap(), 5);
        let late = worker();
        assert_eq!(tray.wanted().await, 1);
        late.abort();
    }
}
