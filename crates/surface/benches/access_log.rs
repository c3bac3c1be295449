//! Nanoseconds of a request through the frontage, without and with an entry in the access log, with all that
//! happens on the thread that answers; and of an entry that goes through `tracing-subscriber` instead.

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpResponse, web};
use passerelle_surface::{
    AccessLevel, AccessLog, Cors, CorsDialect, Frontage, FrontageSettings, HttpLimits, LogForm,
    LogSink, Service, Shape, Stages, Trace, TrustedProxies, Verbosity, set_access_level,
};

const RUNS: u32 = 20_000;
const ROUNDS: usize = 50;

async fn handler() -> HttpResponse {
    let mut response = HttpResponse::Ok().body("[]");
    response.extensions_mut().insert(Trace {
        service: Service::Rest,
        shape: Shape::Read,
        role: Some("authenticated".into()),
        stages: Stages::default(),
        request_id: None,
    });
    response
}

/// The quickest round: whatever else the machine does makes a round slower, never quicker.
fn report(name: &str, rounds: &[Duration]) {
    let quickest = rounds.iter().min().copied().unwrap_or_default();
    println!("{name}: {} ns", (quickest / RUNS).as_nanos());
}

fn through_tracing() {
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(io::sink)
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let round = || {
            let since = Instant::now();
            for number in 0..RUNS {
                tracing::info!(
                    target: "passerelle::access",
                    method = "GET",
                    path = "/rest/v1/items",
                    status = 200,
                    role = "authenticated",
                    request_id = "0123456789abcdef",
                    client = tracing::field::display("192.0.2.1"),
                    bytes = 12,
                    duration_us = black_box(number),
                    auth_us = 0,
                    parse_us = 0,
                    plan_us = 0,
                    db_us = 0,
                    reply_us = 0,
                );
            }
            since.elapsed()
        };
        report(
            "an entry through tracing-subscriber, written nowhere",
            &[(); ROUNDS].map(|()| round()),
        );
    });
}

#[expect(clippy::disallowed_methods, reason = "a benchmark has no other clock")]
fn clock() -> SystemTime {
    SystemTime::now()
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    through_tracing();
    let sink = LogSink::start(io::sink(), |_| {})?;
    AccessLog::new(sink, LogForm::Text, clock).install();
    let frontage = Frontage::new(FrontageSettings {
        cors: Cors::new(CorsDialect::Supabase, &[]),
        limits: HttpLimits::default(),
        trusted_proxies: TrustedProxies::default(),
        trace_header: None,
        verbosity: Verbosity::Verbose,
        metrics: std::sync::Arc::default(),
    });
    let app = init_service(App::new().wrap(frontage).default_service(web::to(handler))).await;
    let peer = ([192, 0, 2, 1], 4711).into();
    for (name, level) in [
        ("off", AccessLevel::Off),
        ("a line for each", AccessLevel::All),
        ("off", AccessLevel::Off),
    ] {
        set_access_level(level);
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let since = Instant::now();
            for _ in 0..RUNS {
                let request = TestRequest::get()
                    .uri("/rest/v1/items")
                    .peer_addr(peer)
                    .to_request();
                black_box(call_service(&app, request).await);
            }
            rounds.push(since.elapsed());
        }
        report(
            &format!("a request through the frontage, access log {name}"),
            &rounds,
        );
    }
    Ok(())
}
