//! The admin port: `/live`, `/ready`, `/metrics` and `/schema_cache`. It is never to be reached from outside.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, HttpServer, web};
use passerelle_pg::CatalogKeeper;
use passerelle_surface::{Metrics, RateLimits};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::ServerError;
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
    pub(super) main: Option<Address>,
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
        Listener::Unix(listener, _) => server.listen_uds(listener),
    };
    let server = server.map_err(ServerError::Http)?.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Ok(handle)
}

/// Whether the main port accepts connections.
async fn live(watched: web::Data<Watched>) -> HttpResponse {
    if accepts(watched.main.as_ref()).await {
        HttpResponse::Ok().finish()
    } else {
        HttpResponse::InternalServerError().finish()
    }
}

/// Whether it also has a catalogue and a database.
async fn ready(watched: web::Data<Watched>) -> HttpResponse {
    let status = watched.keeper.status();
    if !accepts(watched.main.as_ref()).await {
        HttpResponse::InternalServerError().finish()
    } else if status.connected && status.is_ready() && watched.complete.get() {
        HttpResponse::Ok().finish()
    } else {
        HttpResponse::ServiceUnavailable().finish()
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
    watched.limits.render(&mut text);
    render_pool(&watched.pools, &mut text);
    render_catalog(&watched.keeper, &mut text);
    HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .body(text)
}

fn render_pool(pools: &Pools, out: &mut String) {
    let status = pools.status();
    gauge(
        out,
        "passerelle_pool_connections",
        "Connections to PostgreSQL.",
        status.size,
    );
    gauge(
        out,
        "passerelle_pool_idle",
        "Connections that nobody uses.",
        status.idle,
    );
    gauge(
        out,
        "passerelle_pool_waiting",
        "Requests that wait for a connection.",
        status.waiting,
    );
    gauge(
        out,
        "passerelle_pool_max",
        "Connections there may be.",
        status.max_size,
    );
}

fn render_catalog(keeper: &CatalogKeeper, out: &mut String) {
    let status = keeper.status();
    gauge(
        out,
        "passerelle_catalog_ready",
        "Whether the last attempt to load the catalogue succeeded.",
        u8::from(status.is_ready()),
    );
    gauge(
        out,
        "passerelle_catalog_load_seconds",
        "How long the last load took.",
        status.load_duration.as_secs_f64(),
    );
    counter(
        out,
        "passerelle_catalog_loads_total",
        "Catalogues loaded.",
        status.loads,
    );
    counter(
        out,
        "passerelle_catalog_failures_total",
        "Attempts to connect or to load that failed.",
        status.failures,
    );
}

fn gauge(out: &mut String, name: &str, help: &str, value: impl std::fmt::Display) {
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        out,
        "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"
    );
}

fn counter(out: &mut String, name: &str, help: &str, value: u64) {
    let _ = write!(
        out,
        "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n"
    );
}

async fn accepts(main: Option<&Address>) -> bool {
    let connected = async {
        match main {
            None => true,
            Some(Address::Unix(path)) => UnixStream::connect(path).await.is_ok(),
            Some(Address::Tcp(address)) => TcpStream::connect(reachable(*address)).await.is_ok(),
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
