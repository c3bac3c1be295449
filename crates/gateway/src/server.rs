//! One running server: sockets, workers, catalogue, admin port, signals; and their end, in order.

mod accounts;
mod admin;
mod app;
mod cache;
mod inbox;
mod listen;
mod pools;
mod reload;
mod services;
mod signals;

use std::sync::Arc;
use std::time::Duration;

use passerelle_pg::{CatalogKeeper, IntrospectionSettings};
use passerelle_rest::RestState;
use passerelle_surface::{Frontage, RateLimits};
use tokio::sync::watch;

use self::cache::Cache;
use self::pools::Pools;
use self::reload::{Complete, Parts, Reloader};
use self::services::{Around, Services};
use crate::clock;
use crate::deployment::{Deployment, ListenSettings, Recovery};

pub(crate) use listen::{ListenError, bind};
pub(crate) use reload::{Cause, Reconfiguration, Reload, Reloaded, Reloading};

/// Why a server could not be started or ended badly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    /// A socket cannot be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The operating system refuses signal handlers.
    #[error("signals cannot be handled")]
    Signals(#[source] std::io::Error),
    /// The database is gone and is not waited for.
    #[error("the database cannot be used: {0}")]
    Database(String),
    /// The HTTP server gave up.
    #[error("the HTTP server failed")]
    Http(#[source] std::io::Error),
}

/// What a server tells when it takes requests.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    /// `http://host:port`, or `unix:` and the path.
    pub(crate) url: String,
}

/// Serves until SIGINT or SIGTERM. `started` is called once the first catalogue is there, or at once when the
/// database cannot be reached yet; requests are answered with 503 until then.
pub(crate) async fn serve(
    deployment: Deployment,
    reload: Option<Reload>,
    started: impl FnOnce(&Started),
) -> Result<(), ServerError> {
    let Deployment {
        listen,
        admin,
        http,
        frontage,
        database,
        recovery,
        store,
        rest,
        auth,
        realtime,
        cache,
        jobs,
    } = deployment;
    let socket = listen::bind(&listen)?;
    let admin_socket = admin.as_ref().map(listen::bind).transpose()?;
    // From here on a signal ends the server in order.
    let mut signals = signals::Signals::install().map_err(ServerError::Signals)?;
    let url = socket.url();
    let prefix = rest.prefix.clone();

    let introspection = database.keeper.introspection.clone();
    let control = database.control.clone();
    let keeper = Arc::new(CatalogKeeper::start(database.control, database.keeper));
    let cache =
        cache.map(|parts| Arc::new(Cache::start(parts, control.clone(), keeper.role_changes())));
    let pools = Pools::new(&database.endpoint, &database.pool, http.workers());
    let complete = Complete::new(reload.as_ref().is_none_or(|reload| reload.complete));
    let (kept, known) = (Arc::clone(&keeper), complete.clone());
    let catalog = move || kept.catalog().filter(|_| known.get());
    let state = RestState::new(pools.first(), catalog, clock::now, rest);
    let replies = cache.as_ref().map(|cache| Arc::clone(&cache.replies));
    let around = Around {
        url: &url,
        control: control.clone(),
        pool: pools.first(),
        fence: cache.as_ref().map(|cache| Arc::clone(&cache.fence)),
        store: &store,
        role_changes: keeper.role_changes(),
    };
    let services = Services::start((auth, realtime, jobs), around).await;
    let state = state.with_cache(replies);
    let state = Arc::new(state.with_session_check(services.checked()));
    pools.keep(keeper.role_changes());
    let frontage = Frontage::new(frontage);
    let limits = RateLimits::new(store);
    let (recovery, mut given_up) = watch::channel(recovery);

    let running = Running {
        keeper: &keeper,
        complete: &complete,
        pools: &pools,
        state: &state,
        services: &services,
        frontage: &frontage,
    };
    let watched = running.watched(socket.address(), limits.clone(), cache.clone());
    let admin = admin_socket
        .map(|socket| admin::start(socket.listen()?, watched))
        .transpose()?;
    let parts = running.parts(recovery, introspection);
    let reloader = reload.map(|reload| Reloader::start(reload, complete, parts));

    tokio::select! {
        () = may_listen(&keeper, &listen) => {}
        () = signals.until_stop(&keeper, reloader.as_ref()) => return Ok(()),
        fault = lost(&keeper, &mut given_up) => return Err(ServerError::Database(fault)),
    }
    let server = app::start(
        socket.listen()?,
        &http,
        &prefix,
        frontage,
        app::Surfaces {
            rest: state,
            accounts: services.accounts.as_ref(),
            realtime: services.realtime.clone(),
        },
        limits,
        pools.clone(),
    )?;
    let handle = server.handle();
    let serving = actix_web::rt::spawn(server);
    started(&Started { url });

    let ended = tokio::select! {
        () = signals.until_stop(&keeper, reloader.as_ref()) => Ok(()),
        fault = lost(&keeper, &mut given_up) => Err(ServerError::Database(fault)),
    };
    drop(reloader);
    if let Some(realtime) = &services.realtime {
        realtime.stop().await;
    }
    handle.stop(true).await;
    let outcome = serving.await.unwrap_or(Ok(()));
    drop((cache, services));
    pools.close();
    if let Some(admin) = admin {
        admin.stop(false).await;
    }
    ended.and(outcome.map_err(ServerError::Http))
}

/// What runs, for those who look after it.
struct Running<'a> {
    keeper: &'a Arc<CatalogKeeper>,
    complete: &'a Complete,
    pools: &'a Pools,
    state: &'a Arc<RestState>,
    services: &'a Services,
    frontage: &'a Frontage,
}

impl Running<'_> {
    fn watched(
        &self,
        main: listen::Address,
        limits: RateLimits,
        cache: Option<Arc<Cache>>,
    ) -> admin::Watched {
        admin::Watched {
            keeper: Arc::clone(self.keeper),
            complete: self.complete.clone(),
            pools: self.pools.clone(),
            metrics: Arc::clone(&self.frontage.settings().metrics),
            limits,
            main,
            state: Arc::clone(self.state),
            accounts: self.services.sign_in(),
            realtime: self.services.realtime.clone(),
            cache,
            workers: Arc::clone(&self.services.workers),
        }
    }

    fn parts(
        &self,
        recovery: watch::Sender<Recovery>,
        introspection: IntrospectionSettings,
    ) -> Parts {
        Parts {
            keeper: Arc::clone(self.keeper),
            state: Arc::clone(self.state),
            accounts: self.services.sign_in(),
            realtime: self.services.realtime.clone(),
            frontage: self.frontage.clone(),
            pools: self.pools.clone(),
            recovery,
            introspection,
        }
    }
}

/// Returns when the database is gone and not waited for, and says why it is gone.
async fn lost(keeper: &CatalogKeeper, recovery: &mut watch::Receiver<Recovery>) -> String {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        let status = keeper.status();
        let ends = match *recovery.borrow() {
            Recovery::Always => false,
            Recovery::UnlessRejected => status.rejected,
            Recovery::Never => !status.connected,
        };
        if let (true, Some(fault)) = (ends, &status.last_error) {
            return fault.clone();
        }
    }
}

/// Returns when the first catalogue is there or cannot be had yet. A server that shares its port
/// waits for the catalogue: the others serve meanwhile.
async fn may_listen(keeper: &CatalogKeeper, listen: &ListenSettings) {
    let shares = matches!(
        listen,
        ListenSettings::Tcp {
            reuse_port: true,
            ..
        }
    );
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    while keeper.catalog().is_none() && (shares || keeper.status().failures == 0) {
        ticks.tick().await;
    }
    if let Some(fault) = keeper.status().last_error.as_deref() {
        tracing::error!(fault, "the database cannot be used yet; trying again");
    }
}
