//! The task that connects, listens and loads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_catalog::{Catalog, RawCatalog};
use passerelle_wire::ClientError;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_postgres::error::SqlState;

use super::{KeeperSettings, KeeperStatus, Shared};
use crate::backoff::Backoff;
use crate::control::ControlEndpoint;
use crate::digest::digest;
use crate::error_chain::chain;
use crate::introspect::{IntrospectError, introspect};
use crate::listener::{Event, Listener};

/// Longest time for one look at the digest; a connection that is slower is taken for dead.
const DIGEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest time for reading the catalogue, far beyond what the largest takes: only a server that has
/// vanished without a word is slower.
const LOAD_TIMEOUT: Duration = Duration::from_mins(5);

/// Bursts are waited out for so many times the debounce interval at most.
const MAX_DEBOUNCES: u32 = 10;

pub(super) struct Task {
    endpoint: ControlEndpoint,
    settings: KeeperSettings,
    shared: Arc<Shared>,
    backoff: Backoff,
    version: u64,
    /// The last digest, which outlives the connection it was read over.
    digest: Option<String>,
}

/// Why a session ended or an attempt failed.
#[derive(Debug, Error)]
enum Failure {
    #[error("no connection to the database")]
    Connect(#[source] ClientError),
    #[error("the connection to the database was lost")]
    Lost,
    /// The connection is fine, but it listens to what nobody wants to hear.
    #[error("another channel is to be listened on")]
    OtherChannel,
    #[error("the database did not answer in time")]
    Timeout,
    #[error("roles could not be read")]
    Digest(#[source] tokio_postgres::Error),
    #[error(transparent)]
    Introspect(#[from] IntrospectError),
    #[error("the catalogue could not be assembled")]
    Assemble(#[source] tokio::task::JoinError),
}

impl Failure {
    fn is_rejection(&self) -> bool {
        matches!(self, Self::Connect(ClientError::SignIn(error))
            if error.code() == Some(&SqlState::INVALID_PASSWORD))
    }
}

impl Task {
    pub(super) fn new(
        endpoint: ControlEndpoint,
        settings: KeeperSettings,
        shared: Arc<Shared>,
    ) -> Self {
        let backoff = Backoff::new(settings.max_backoff);
        Self {
            endpoint,
            settings,
            shared,
            backoff,
            version: 0,
            digest: None,
        }
    }

    /// Runs for ever.
    pub(super) async fn run(mut self) {
        let mut channel = self.shared.channel.subscribe();
        loop {
            let name = channel.borrow_and_update().clone();
            let failure = match Listener::connect(&self.endpoint, name.as_deref()).await {
                Ok(listener) => self.session(listener, &mut channel).await,
                Err(error) => Failure::Connect(error),
            };
            if matches!(failure, Failure::OtherChannel) {
                continue;
            }
            self.failed(&failure, false);
            tokio::select! {
                () = sleep(self.backoff.pause()) => {}
                () = self.shared.reload.notified() => {}
            }
        }
    }

    /// Loads and reloads over one connection until it fails. Listening began before the first
    /// load, so no change is missed.
    async fn session(
        &mut self,
        mut listener: Listener,
        channel: &mut watch::Receiver<Option<String>>,
    ) -> Failure {
        self.update(|status| {
            status.connected = true;
            status.rejected = false;
        });
        if let Err(failure) = self.look(&mut listener).await {
            return failure;
        }
        let mut ticks = interval(self.settings.digest_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut wanted = true;
        loop {
            if wanted {
                match self.load(&mut listener).await {
                    Ok(()) => wanted = false,
                    Err(Failure::Timeout) => return Failure::Timeout,
                    Err(_) if listener.client().is_closed() => return Failure::Lost,
                    Err(failure) => {
                        self.failed(&failure, true);
                        self.pause(&mut listener).await;
                        continue;
                    }
                }
            }
            let shared = Arc::clone(&self.shared);
            tokio::select! {
                event = listener.next() => match event {
                    Event::ReloadSchema => {
                        self.settle(&mut listener).await;
                        wanted = true;
                    }
                    Event::ReloadConfig => self.config_changed(),
                    Event::Lost => return Failure::Lost,
                },
                () = shared.reload.notified() => wanted = true,
                Ok(()) = channel.changed() => return Failure::OtherChannel,
                _ = ticks.tick() => match self.look(&mut listener).await {
                    Ok(changed) => wanted = changed,
                    Err(failure) => return failure,
                },
            }
        }
    }

    /// Waits before the next attempt, unless there is news.
    async fn pause(&mut self, listener: &mut Listener) {
        tokio::select! {
            () = sleep(self.backoff.pause()) => {}
            () = self.shared.reload.notified() => {}
            event = listener.next() => if event == Event::ReloadConfig {
                self.config_changed();
            }
        }
    }

    /// Looks whether the digest has changed, and tells.
    async fn look(&mut self, listener: &mut Listener) -> Result<bool, Failure> {
        let digest = Self::read_digest(listener).await?;
        let known = self.digest.replace(digest);
        let changed = known.is_some() && known != self.digest;
        if changed {
            self.shared.roles.send_modify(|count| *count += 1);
        }
        Ok(changed)
    }

    /// The digest. A server that refuses to tell it is served without.
    async fn read_digest(listener: &mut Listener) -> Result<String, Failure> {
        match timeout(DIGEST_TIMEOUT, digest(listener.client())).await {
            Ok(Ok(digest)) => Ok(digest),
            Ok(Err(error)) if error.as_db_error().is_some() && !listener.client().is_closed() => {
                tracing::debug!(%error, "roles cannot be watched");
                Ok(String::new())
            }
            Ok(Err(error)) => Err(Failure::Digest(error)),
            Err(_) => Err(Failure::Timeout),
        }
    }

    /// Waits for the end of a burst of notifications.
    async fn settle(&self, listener: &mut Listener) {
        for _ in 0..MAX_DEBOUNCES {
            sleep(self.settings.debounce).await;
            match listener.try_next() {
                Some(Event::ReloadSchema) => {}
                Some(Event::ReloadConfig) => self.config_changed(),
                Some(Event::Lost) | None => return,
            }
        }
    }

    async fn load(&mut self, listener: &mut Listener) -> Result<(), Failure> {
        self.update(|status| status.loading = true);
        let started = Instant::now();
        let version = self.version + 1;
        let settings = self.shared.introspection.load_full();
        let introspection = introspect(listener.client(), &settings, version);
        let raw = timeout(LOAD_TIMEOUT, introspection)
            .await
            .map_err(|_| Failure::Timeout)??;
        let catalog = assemble(raw).await?;
        self.version = version;
        self.backoff.reset();
        let duration = started.elapsed();
        let size = catalog.size();
        self.shared.catalog.store(Some(Arc::new(catalog)));
        self.update(|status| {
            status.loading = false;
            status.version = version;
            status.loaded_at = Some(Instant::now());
            status.load_duration = duration;
            status.size = size;
            status.loads += 1;
            status.last_error = None;
        });
        self.shared.versions.send_replace(version);
        tracing::info!(
            version,
            milliseconds = duration.as_millis(),
            relations = size.relations,
            relationships = size.relationships,
            routines = size.routines,
            "catalogue loaded"
        );
        Ok(())
    }

    fn failed(&self, failure: &Failure, connected: bool) {
        let reason = chain(failure);
        tracing::error!(%reason, "catalogue not loaded");
        self.update(|status| {
            status.connected = connected;
            status.rejected = failure.is_rejection();
            status.loading = false;
            status.failures += 1;
            status.last_error = Some(reason);
        });
    }

    fn config_changed(&self) {
        self.shared.configs.send_modify(|count| *count += 1);
    }

    fn update(&self, change: impl FnOnce(&mut KeeperStatus)) {
        let mut status = KeeperStatus::clone(&self.shared.status.load());
        change(&mut status);
        self.shared.status.store(Arc::new(status));
    }
}

/// Assembles away from the threads that serve requests.
async fn assemble(raw: RawCatalog) -> Result<Catalog, Failure> {
    tokio::task::spawn_blocking(|| Catalog::assemble(raw))
        .await
        .map_err(Failure::Assemble)
}
