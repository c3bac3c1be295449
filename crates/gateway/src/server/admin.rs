//! The admin port: `/live`, `/ready`, `/metrics` and `/schema_cache`. It is never to be reached from outside.

mod figures;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, HttpServer, web};
use passerelle_auth::AuthState;
use passerelle_jobs::Workers;
use passerelle_pg::CatalogKeeper;
use passerelle_realtime::RealtimeState;
use passerelle_rest::RestState;
use passerelle_surface::{Metrics, RateLimits};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::ServerError;
use super::cache::Cache;
use super::listen::{Address, Listener};
use super::pools::Pools;
use super::reload::Complete;
use crate::catalog_dump;

/// How long the main port may take to accept.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the admin port tells about.
#[derive(Clone)]
pub(super) struct Watched {
    pub(super) keeper: Arc<CatalogKeeper>,
    /// Whether the server knows its whole configuration.
    pub(super) complete: Complete,
    pub(super) pools: Pools,
    pub(super) metrics: Arc<Metrics>,
    pub(super) limits: RateLimits,
    /// Where the surfaces are served.
    pub(super) main: Address,
    pub(super) state: Arc<RestState>,
    /// Absent where no replies are kept.
    pub(super) accounts: Option<Arc<AuthState>>,
    pub(super) realtime: Option<Arc<RealtimeState>>,
    pub(super) cache: Option<Arc<Cache>>,
    pub(super) workers: Arc<Workers>,
}

/// Starts the admin server on the current runtime.
pub(super) fn start(listener: Listener, watched: Watched) -> Result<ServerHandle, ServerError> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(watched.clone()))
            .route("/live", web::get().to(live))
            .route("/ready", web::get().to(ready))
            .route("/metrics", web::get().to(metrics))
            .route("/schema_cache", web::get().to(schema_cache))
    })
    .workers(1)
    .disable_signals();
    let server = match listener {
        Listener::Tcp(listener) => server.listen(listener),
        Listener::Unix(listener) => server.listen_uds(listener),
    };
    let server = server.map_err(ServerError::Http)?.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Ok(handle)
}

/// Whether the main port accepts connections.
async fn live(watched: web::Data<Watched>) -> HttpResponse {
    if accepts(&watched.main).await {
        HttpResponse::Ok().finish()
    } else {
        HttpResponse::InternalServerError().finish()
    }
}

/// Whether it also has a catalogue and a database, which is asked first.
async fn ready(watched: web::Data<Watched>) -> HttpResponse {
    let status = watched.keeper.status();
    if !(status.connected && status.is_ready() && watched.complete.get()) {
        HttpResponse::ServiceUnavailable().finish()
    } else if accepts(&watched.main).await {
        HttpResponse::Ok().finish()
    } else {
        HttpResponse::InternalServerError().finish()
    }
}

/// The catalogue, for people who look for a fault.
async fn schema_cache(watched: web::Data<Watched>) -> HttpResponse {
    let catalog = watched.keeper.catalog();
    let text = catalog.map(|catalog| catalog_dump::json(&catalog));
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(text.unwrap_or_default())
}

/// All counters in Prometheus' text format.
async fn metrics(watched: web::Data<Watched>) -> HttpResponse {
    let mut text = String::new();
    watched.metrics.render(&mut text);
    figures::render(&watched, &mut text);
    watched.limits.render(&mut text);
    HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .body(text)
}

async fn accepts(main: &Address) -> bool {
    let connected = async {
        match main {
            Address::Unix(path) => UnixStream::connect(path).await.is_ok(),
            Address::Tcp(address) => TcpStream::connect(reachable(*address)).await.is_ok(),
        }
    };
    timeout(PATIENCE, connected).await.unwrap_or(false)
}

fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
