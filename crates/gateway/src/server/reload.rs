//! Reading the configuration again while the server runs, and what of it then takes effect.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use passerelle_auth::{AuthSettings, AuthState};
use passerelle_pg::{CatalogKeeper, IntrospectionSettings};
use passerelle_realtime::{RealtimeSettings, RealtimeState};
use passerelle_rest::{RestSettings, RestState};
use passerelle_surface::{Frontage, FrontageSettings};
use passerelle_wire::ConnectionSettings;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::pools::Pools;
use crate::deployment::{Deployment, Recovery};

/// Pause before a database that could not tell its settings is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Why the configuration is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A signal or a notification asked for it.
    Asked,
    /// A catalogue was loaded: what is configured in the database may have changed, too.
    Loaded,
    /// The database could not be asked before.
    Missing,
}

/// What of a configuration can change while the server runs; the rest takes a restart.
pub(crate) struct Reconfiguration {
    rest: RestSettings,
    auth: Option<AuthSettings>,
    realtime: Option<RealtimeSettings>,
    frontage: FrontageSettings,
    introspection: IntrospectionSettings,
    channel: Option<String>,
    connection: ConnectionSettings,
    recovery: Recovery,
}

impl From<Deployment> for Reconfiguration {
    fn from(deployment: Deployment) -> Self {
        let Deployment {
            rest,
            auth,
            realtime,
            frontage,
            database,
            recovery,
            ..
        } = deployment;
        Self {
            rest,
            auth: auth.map(|auth| auth.settings),
            realtime: realtime.map(|realtime| realtime.settings),
            frontage,
            introspection: database.keeper.introspection,
            channel: database.keeper.channel,
            connection: database.pool.connection,
            recovery,
        }
    }
}

/// What reading the configuration again came to.
pub(crate) enum Reloaded {
    /// This is what it says.
    Changed(Box<Reconfiguration>),
    /// It stays as it was; if there is a fault, it has been logged.
    Unchanged,
    /// The database cannot be asked for its part.
    Unreachable,
}

/// The outcome of [`Reload::read`].
pub(crate) type Reloading = Pin<Box<dyn Future<Output = Reloaded>>>;

/// How the configuration is read again.
pub(crate) struct Reload {
    /// Reads it.
    pub(crate) read: Box<dyn Fn(Cause) -> Reloading>,
    /// Whether what the server was started with is everything. Otherwise the database could not
    /// tell its settings, and nothing is served before it has.
    pub(crate) complete: bool,
}

/// Whether all parts of the configuration have been read.
#[derive(Clone, Debug)]
pub(super) struct Complete(Arc<AtomicBool>);

impl Complete {
    pub(super) fn new(complete: bool) -> Self {
        Self(Arc::new(AtomicBool::new(complete)))
    }

    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Reads the configuration whenever something asks for it, beside everything else.
pub(super) struct Reloader {
    asked: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Reloader {
    /// Begins to listen for reasons; must be called on an actix runtime.
    pub(super) fn start(reload: Reload, complete: Complete, parts: Parts) -> Self {
        let asked = Arc::new(Notify::new());
        let work = Work {
            read: reload.read,
            complete,
            parts,
        };
        let task = actix_web::rt::spawn(work.run(Arc::clone(&asked)));
        Self { asked, task }
    }

    /// Asks for it, as on SIGUSR2.
    pub(super) fn ask(&self) {
        self.asked.notify_one();
    }
}

impl Drop for Reloader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What follows the configuration.
pub(super) struct Parts {
    pub(super) keeper: Arc<CatalogKeeper>,
    pub(super) state: Arc<RestState>,
    pub(super) accounts: Option<Arc<AuthState>>,
    pub(super) realtime: Option<Arc<RealtimeState>>,
    pub(super) frontage: Frontage,
    pub(super) pools: Pools,
    pub(super) recovery: watch::Sender<Recovery>,
    /// What is read from the database now.
    pub(super) introspection: IntrospectionSettings,
}

struct Work {
    read: Box<dyn Fn(Cause) -> Reloading>,
    complete: Complete,
    parts: Parts,
}

impl Work {
    async fn run(mut self, asked: Arc<Notify>) {
        let mut notified = self.parts.keeper.config_reloads();
        let mut versions = self.parts.keeper.versions();
        versions.mark_unchanged();
        loop {
            let cause = tokio::select! {
                () = asked.notified() => Cause::Asked,
                Ok(()) = notified.changed() => Cause::Asked,
                Ok(()) = versions.changed() => Cause::Loaded,
                () = tokio::time::sleep(PAUSE), if !self.complete.get() => Cause::Missing,
            };
            match (self.read)(cause).await {
                Reloaded::Changed(changed) => self.apply(*changed),
                Reloaded::Unchanged => self.complete.set(),
                Reloaded::Unreachable => {}
            }
        }
    }

    fn apply(&mut self, changed: Reconfiguration) {
        let parts = &mut self.parts;
        parts.state.reconfigure(changed.rest);
        if let (Some(accounts), Some(auth)) = (&parts.accounts, changed.auth) {
            accounts.reconfigure(auth);
        }
        if let (Some(realtime), Some(settings)) = (&parts.realtime, changed.realtime) {
            realtime.reconfigure(settings);
        }
        parts.frontage.reconfigure(changed.frontage);
        parts.pools.reconfigure(changed.connection);
        parts.recovery.send_replace(changed.recovery);
        parts.keeper.listen_on(changed.channel);
        // A reload that nobody needs would cause the next one.
        if !same(&parts.introspection, &changed.introspection) {
            parts.introspection = changed.introspection;
            parts.keeper.reconfigure(parts.introspection.clone());
        }
        self.complete.set();
        tracing::info!("configuration reloaded");
    }
}

fn same(one: &IntrospectionSettings, other: &IntrospectionSettings) -> bool {
    one.schemas == other.schemas
        && one.extra_search_path == other.extra_search_path
        && one.hoisted_settings == other.hoisted_settings
}
