//! Hashing beside everything else: off the workers, and only so many at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Checked, hash};
use crate::error::AuthError;

/// How long a password waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// Passwords that wait, for each that is hashed at a time; more are refused.
const WAITING: usize = 64;

/// Hashes passwords.
#[derive(Clone, Debug)]
pub struct Hasher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// As many as may be hashed at a time.
    turns: Semaphore,
    at_once: usize,
    waiting: AtomicUsize,
    done: AtomicU64,
    refused: AtomicU64,
}

/// What a [`Hasher`] has done since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashCounts {
    /// Hashes that were computed.
    pub done: u64,
    /// Passwords that there was no time for.
    pub refused: u64,
}

impl Hasher {
    /// For so many passwords at a time.
    pub fn new(at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self(Arc::new(Inner {
            turns: Semaphore::new(at_once),
            at_once,
            waiting: AtomicUsize::new(0),
            done: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }))
    }

    /// What it has done.
    pub fn counts(&self) -> HashCounts {
        HashCounts {
            done: self.0.done.load(Ordering::Relaxed),
            refused: self.0.refused.load(Ordering::Relaxed),
        }
    }

    /// The hash to keep of a password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, AuthError> {
        let hash = self.run(move || hash::make(&password)).await?;
        hash.ok_or(AuthError::Answer("no hash"))
    }

    /// Compares a password with a hash. Without one it works as long, and it is wrong.
    pub(crate) async fn check(&self, password: String, kept: String) -> Result<Checked, AuthError> {
        self.run(move || {
            if kept.is_empty() {
                let _made = hash::make(&password);
                return Checked::Wrong;
            }
            hash::check(&password, &kept)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AuthError> {
        let inner = &*self.0;
        let refuse = || {
            inner.refused.fetch_add(1, Ordering::Relaxed);
            AuthError::Busy
        };
        let waiting = Waiting::enter(&inner.waiting, inner.at_once * WAITING).ok_or_else(refuse)?;
        let turn = timeout(PATIENCE, inner.turns.acquire()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(refuse());
        };
        drop(waiting);
        // Who leaves meanwhile does not make room for more work than there is.
        turn.forget();
        let shared = Arc::clone(&self.0);
        let worked = tokio::task::spawn_blocking(move || {
            let done = work();
            shared.done.fetch_add(1, Ordering::Relaxed);
            shared.turns.add_permits(1);
            done
        });
        worked
            .await
            .map_err(|_| AuthError::Answer("hashing was given up"))
    }
}

/// A place among those who wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, most: usize) -> Option<Self> {
        let before = count.fetch_add(1, Ordering::AcqRel);
        let waiting = Self(count);
        (before < most).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_not_there_costs_as_much_as_a_wrong_password() {
        let hasher = Hasher::new(2);
        let hash = hasher.hash("secret".to_owned()).await.unwrap();
        assert_eq!(hasher.counts().done, 1);
        for kept in [hash, String::new()] {
            let before = hasher.counts().done;
            let checked = hasher.check("wrong".to_owned(), kept).await.unwrap();
            assert_eq!(checked, Checked::Wrong);
            assert_eq!(hasher.counts().done, before + 1);
        }
    }

    #[tokio::test]
    async fn more_than_can_wait_are_refused() {
        let hasher = Hasher::new(1);
        let all = (0..3 * WAITING).map(|_| {
            let hasher = hasher.clone();
            tokio::spawn(async move { hasher.hash("secret".to_owned()).await.is_ok() })
        });
        let all: Vec<_> = all.collect();
        let mut successes = 0;
        for one in all {
            successes += u64::from(one.await.unwrap());
        }
        let counts = hasher.counts();
        let waiting = WAITING as u64;
        assert!((waiting..=2 * waiting).contains(&successes), "{counts:?}");
        assert_eq!(counts.done, successes);
        assert_eq!(counts.refused, 3 * waiting - successes);
    }
}
