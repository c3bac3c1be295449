//! The HTTP server: which surface answers which path.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::{AppConfig, Server};
use actix_web::http::{KeepAlive, StatusCode};
use actix_web::{App, HttpResponse, web};
use passerelle_realtime::RealtimeState;
use passerelle_rest::RestState;
use passerelle_surface::{ErrorBody, Frontage, FrontageSettings, RateGate, RateLimits, RawTargets};
use tokio::net::{TcpStream, UnixStream};

use super::accounts::Accounts;
use super::listen::Listener;
use super::pools::Pools;
use super::{ServerError, inbox};
use crate::deployment::HttpSettings;

/// How long a client may take nothing of what has been written to it.
const DEAF: Duration = Duration::from_mins(2);

/// What answers requests.
pub(super) struct Surfaces<'a> {
    pub(super) rest: Arc<RestState>,
    pub(super) accounts: Option<&'a Accounts>,
    pub(super) realtime: Option<Arc<RealtimeState>>,
}

fn mount(config: &mut web::ServiceConfig, realtime: &RealtimeState, gate: RateGate) {
    let scope = web::scope("/realtime/v1");
    let surface = |config: &mut web::ServiceConfig| {
        passerelle_realtime::configure(config, realtime, gate);
    };
    config.service(scope.configure(surface));
}

/// A client that takes nothing holds what waits for it, also when nobody knows of the connection any more.
fn give_up_on_the_deaf(io: &TcpStream) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(io).set_tcp_user_timeout(Some(DEAF));
}

/// Starts the workers; the server runs when it is awaited.
pub(super) fn start(
    listener: Listener,
    http: &HttpSettings,
    prefix: &str,
    frontage: Frontage,
    surfaces: Surfaces<'_>,
    limits: RateLimits,
    pools: Pools,
) -> Result<Server, ServerError> {
    let Surfaces {
        rest,
        accounts,
        realtime,
    } = surfaces;
    let (inbox, accounts) = (
        accounts.and_then(Accounts::inbox),
        accounts.map(Accounts::state),
    );
    let prefix = prefix.to_owned();
    let workers = pools.workers();
    let keep_alive = http
        .keep_alive
        .map_or(KeepAlive::Disabled, KeepAlive::Timeout);
    let head_timeout = http.request_head_timeout;
    let app = move || {
        let app = App::new().wrap(frontage.clone());
        let (pool, gate) = (pools.of_next_worker(), limits.for_worker());
        let accounts = accounts.as_ref().map(|accounts| {
            let gate = limits.for_worker();
            Arc::new(accounts.for_worker(pool.clone(), gate))
        });
        let rest = Arc::new(rest.for_worker(pool, gate, limits.store()));
        let surface = |config: &mut web::ServiceConfig| passerelle_rest::configure(config, rest);
        let app = if prefix.is_empty() {
            app.configure(surface)
        } else {
            let frontage = frontage.clone();
            let app = app.configure(|config| {
                if let Some(accounts) = accounts {
                    let accounts = |config: &mut web::ServiceConfig| {
                        passerelle_auth::configure(config, accounts);
                    };
                    config.service(web::scope("/auth/v1").configure(accounts));
                }
                if let Some(realtime) = &realtime {
                    mount(config, realtime, limits.for_worker());
                }
                if let Some(inbox) = &inbox {
                    let inbox = Arc::clone(inbox);
                    let inbox = |config: &mut web::ServiceConfig| inbox::configure(config, inbox);
                    config.service(web::scope("/_dev").configure(inbox));
                }
            });
            app.service(web::scope(&prefix).configure(surface))
                .default_service(web::to(move || ready(no_surface(&frontage.settings()))))
        };
        map_config(app.into_factory(), |()| AppConfig::default())
    };
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections(http.max_connections)
        .shutdown_timeout(http.shutdown_timeout.as_secs())
        .disable_signals();
    let ending = server.graceful_shutdown_signal();
    let server = match listener {
        Listener::Tcp(listener) => server.listen("http", listener, move || {
            let ending = ending.clone();
            fn_service(|io: TcpStream| async move {
                // Answers are written whole; waiting for more would only delay them.
                let _ = io.set_nodelay(true);
                give_up_on_the_deaf(&io);
                let peer = io.peer_addr().ok();
                Ok::<_, DispatchError>((RawTargets::new(io), Protocol::Http1, peer))
            })
            .and_then(
                HttpService::build()
                    // Idle connections end with the server, others after their answer.
                    .graceful_shutdown_signal(move || {
                        let ending = ending.clone();
                        async move { ending.notified().await }
                    })
                    .keep_alive(keep_alive)
                    .client_request_timeout(head_timeout)
                    .client_disconnect_timeout(std::time::Duration::from_secs(1))
                    .finish(app()),
            )
        }),
        Listener::Unix(listener) => server.listen_uds("http", listener, move || {
            let ending = ending.clone();
            fn_service(|io: UnixStream| async move {
                Ok::<_, DispatchError>((RawTargets::new(io), Protocol::Http1, None))
            })
            .and_then(
                HttpService::build()
                    // Idle connections end with the server, others after their answer.
                    .graceful_shutdown_signal(move || {
                        let ending = ending.clone();
                        async move { ending.notified().await }
                    })
                    .keep_alive(keep_alive)
                    .client_request_timeout(head_timeout)
                    .client_disconnect_timeout(std::time::Duration::from_secs(1))
                    .finish(app()),
            )
        }),
    };
    Ok(server.map_err(ServerError::Http)?.run())
}

fn no_surface(frontage: &FrontageSettings) -> HttpResponse {
    let error = ErrorBody::new(
        StatusCode::NOT_FOUND,
        "PSR404",
        "Nothing is served at this path",
    );
    error.to_response(frontage.verbosity)
}
