//! One running server: sockets, workers, catalogue, admin port, signals; and their end, in order.

mod admin;
mod app;
mod listen;
mod pools;
mod signals;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::System;
use passerelle_pg::CatalogKeeper;
use passerelle_rest::RestState;

use self::pools::Pools;
use crate::clock;
use crate::deployment::Deployment;

pub(crate) use listen::{ListenError, bind};
pub(crate) use signals::Reload;

/// Why a server could not be started or ended badly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    /// A socket cannot be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The operating system refuses signal handlers.
    #[error("signals cannot be handled")]
    Signals(#[source] std::io::Error),
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
pub(crate) fn run(
    deployment: Deployment,
    reconfigure: Option<Reload>,
    started: impl FnOnce(&Started),
) -> Result<(), ServerError> {
    System::new().block_on(serve(deployment, reconfigure, started))
}

/// The same for a caller that is on an actix runtime already.
pub(crate) async fn serve(
    deployment: Deployment,
    reconfigure: Option<Reload>,
    started: impl FnOnce(&Started),
) -> Result<(), ServerError> {
    let Deployment {
        listen,
        admin,
        http,
        frontage,
        database,
        rest,
    } = deployment;
    let listener = listen::bind(&listen)?;
    let admin_listener = admin.as_ref().map(listen::bind).transpose()?;
    let url = listener.url();
    let prefix = rest.prefix.clone();

    let keeper = Arc::new(CatalogKeeper::start(database.control, database.keeper));
    first_catalog(&keeper).await;
    let pools = Pools::new(&database.endpoint, &database.pool, http.workers());
    let kept = Arc::clone(&keeper);
    let catalog = move || kept.catalog();
    let state = Arc::new(RestState::new(pools.first(), catalog, clock::now, rest));
    pools.keep_pruned();
    pools.keep_renewed(keeper.role_changes());
    let frontage = Arc::new(frontage);

    let admin = admin_listener
        .map(|listener| {
            let watched = admin::Watched {
                keeper: Arc::clone(&keeper),
                pools: pools.clone(),
                metrics: Arc::clone(&frontage.metrics),
                main: listener_address(&url),
            };
            admin::start(listener, watched)
        })
        .transpose()?;
    let server = app::start(
        listener,
        &http,
        &prefix,
        Arc::clone(&frontage),
        Arc::clone(&state),
        pools.clone(),
    )?;
    let handle = server.handle();
    let signals = signals::Signals::install().map_err(ServerError::Signals)?;
    let serving = actix_web::rt::spawn(server);
    started(&Started { url });

    signals
        .until_stop(&keeper, &state, reconfigure.as_ref())
        .await;
    handle.stop(true).await;
    let outcome = serving.await.unwrap_or(Ok(()));
    pools.close();
    if let Some(admin) = admin {
        admin.stop(false).await;
    }
    outcome.map_err(ServerError::Http)
}

/// Returns when the first catalogue is there or cannot be had yet.
async fn first_catalog(keeper: &CatalogKeeper) {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    while keeper.catalog().is_none() && keeper.status().failures == 0 {
        ticks.tick().await;
    }
    if let Some(fault) = keeper.status().last_error.as_deref() {
        tracing::error!(fault, "the database cannot be used yet; trying again");
    }
}

/// The address behind a URL of ours, for the liveness check.
fn listener_address(url: &str) -> Option<SocketAddr> {
    url.strip_prefix("http://")?.parse().ok()
}
