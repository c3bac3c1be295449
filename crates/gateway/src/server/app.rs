//! The HTTP server: which surface answers which path.

use std::future::ready;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::http::{KeepAlive, StatusCode};
use actix_web::{App, HttpResponse, HttpServer, web};
use passerelle_rest::RestState;
use passerelle_surface::{ErrorBody, Frontage, FrontageSettings};

use super::ServerError;
use super::listen::Listener;
use super::pools::Pools;
use crate::deployment::HttpSettings;

/// Starts the workers; the server runs when it is awaited.
pub(super) fn start(
    listener: Listener,
    http: &HttpSettings,
    prefix: &str,
    frontage: Arc<FrontageSettings>,
    rest: Arc<RestState>,
    pools: Pools,
) -> Result<Server, ServerError> {
    let prefix = prefix.to_owned();
    let workers = pools.workers();
    let server = HttpServer::new(move || {
        let app = App::new().wrap(Frontage::new(Arc::clone(&frontage)));
        let rest = Arc::new(rest.with_pool(pools.of_next_worker()));
        let surface = |config: &mut web::ServiceConfig| passerelle_rest::configure(config, rest);
        if prefix.is_empty() {
            app.configure(surface)
        } else {
            let frontage = Arc::clone(&frontage);
            app.service(web::scope(&prefix).configure(surface))
                .default_service(web::to(move || ready(no_surface(&frontage))))
        }
    });
    let server = server
        .workers(workers)
        .max_connections(http.max_connections)
        .keep_alive(
            http.keep_alive
                .map_or(KeepAlive::Disabled, KeepAlive::Timeout),
        )
        .client_request_timeout(http.request_head_timeout)
        .shutdown_timeout(http.shutdown_timeout.as_secs())
        .disable_signals();
    let server = match listener {
        Listener::Tcp(listener) => server.listen(listener),
        Listener::Unix(listener, _) => server.listen_uds(listener),
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
