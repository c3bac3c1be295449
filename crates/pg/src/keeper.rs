//! Keeps the catalogue current: loads it, reloads it when something says so, survives the
//! database going away.
//!
//! Owns when to load. Requests go on with the catalogue they have while the next one is loaded;
//! only before the first one is there nothing.

mod status;
mod task;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use passerelle_catalog::Catalog;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::control::ControlEndpoint;
use crate::introspect::IntrospectionSettings;

pub use self::status::KeeperStatus;
use self::task::Task;

/// How the catalogue is kept.
#[derive(Clone, Debug)]
pub struct KeeperSettings {
    /// What is read.
    pub introspection: IntrospectionSettings,
    /// Channel of notifications, if any are wanted.
    pub channel: Option<String>,
    /// Time between two looks at roles and their settings.
    pub digest_interval: Duration,
    /// Quiet time that is waited for after a notification, since they come in bursts.
    pub debounce: Duration,
    /// Longest pause between two attempts.
    pub max_backoff: Duration,
}

impl Default for KeeperSettings {
    fn default() -> Self {
        Self {
            introspection: IntrospectionSettings::default(),
            channel: Some("pgrst".to_owned()),
            digest_interval: Duration::from_secs(1),
            debounce: Duration::from_millis(20),
            max_backoff: Duration::from_secs(32),
        }
    }
}

/// The current catalogue. Dropping it ends the task that keeps it.
#[derive(Debug)]
pub struct CatalogKeeper {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What the task and the handlers share.
#[derive(Debug)]
pub(crate) struct Shared {
    catalog: ArcSwapOption<Catalog>,
    /// What is read.
    introspection: ArcSwap<IntrospectionSettings>,
    status: ArcSwap<KeeperStatus>,
    /// Channel of notifications, if any are wanted.
    channel: watch::Sender<Option<String>>,
    /// Somebody wants a reload.
    reload: Notify,
    /// Number of the catalogue, zero before the first.
    versions: watch::Sender<u64>,
    /// Number of requests to reload the configuration.
    configs: watch::Sender<u64>,
    /// Number of changes of roles.
    roles: watch::Sender<u64>,
}

impl CatalogKeeper {
    /// Begins to load the catalogue, on a task of the current runtime.
    pub fn start(endpoint: ControlEndpoint, settings: KeeperSettings) -> Self {
        let shared = Arc::new(Shared {
            catalog: ArcSwapOption::empty(),
            introspection: ArcSwap::from_pointee(settings.introspection.clone()),
            status: ArcSwap::from_pointee(KeeperStatus::default()),
            channel: watch::Sender::new(settings.channel.clone()),
            reload: Notify::new(),
            versions: watch::Sender::new(0),
            configs: watch::Sender::new(0),
            roles: watch::Sender::new(0),
        });
        let task = tokio::spawn(Task::new(endpoint, settings, Arc::clone(&shared)).run());
        Self { shared, task }
    }

    /// The current catalogue, if one was loaded.
    pub fn catalog(&self) -> Option<Arc<Catalog>> {
        self.shared.catalog.load_full()
    }

    /// How loading went.
    pub fn status(&self) -> Arc<KeeperStatus> {
        self.shared.status.load_full()
    }

    /// Asks for a reload, as on SIGUSR1. Several requests may be answered by one reload.
    pub fn reload(&self) {
        self.shared.reload.notify_one();
    }

    /// Changes what is read, and asks for a reload.
    pub fn reconfigure(&self, introspection: IntrospectionSettings) {
        self.shared.introspection.store(Arc::new(introspection));
        self.reload();
    }

    /// Listens on this channel from now on, or on none.
    pub fn listen_on(&self, channel: Option<String>) {
        self.shared.channel.send_if_modified(|known| {
            let differs = *known != channel;
            *known = channel;
            differs
        });
    }

    /// Waits until there is a catalogue of this version or a later one, and returns it. The first
    /// has version 1.
    pub async fn wait_for(&self, version: u64) -> Option<Arc<Catalog>> {
        let mut versions = self.shared.versions.subscribe();
        versions
            .wait_for(|current| *current >= version)
            .await
            .ok()?;
        self.catalog()
    }

    /// Changes when a notification asks to reload the configuration (`reload config`).
    pub fn config_reloads(&self) -> watch::Receiver<u64> {
        self.shared.configs.subscribe()
    }

    /// Changes when roles, their memberships or their settings have changed. PostgreSQL keeps plans
    /// whose privileges came from a membership that has been revoked since, so connections that
    /// have prepared statements should be replaced then.
    pub fn role_changes(&self) -> watch::Receiver<u64> {
        self.shared.roles.subscribe()
    }

    /// Changes with each new catalogue, whose version it holds.
    pub fn versions(&self) -> watch::Receiver<u64> {
        self.shared.versions.subscribe()
    }
}

impl Drop for CatalogKeeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}
