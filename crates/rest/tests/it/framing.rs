//! Responses on a real socket: each ends where the next begins.
#![expect(clippy::unwrap_used, reason = "a test that cannot begin has failed")]

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer, web};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::api::{Api, settings, with_pre_request};

/// Everything that a server says to these requests, sent at once; the last one ends the connection.
async fn conversation(api: &Api, requests: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let state = Arc::clone(&api.state);
    let server = HttpServer::new(move || {
        let state = Arc::clone(&state);
        App::new().service(
            web::scope("/rest/v1")
                .configure(move |config| passerelle_rest::configure(config, state)),
        )
    });
    let server = server
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(requests.as_bytes()).await.unwrap();
    let mut said = String::new();
    let reading = socket.read_to_string(&mut said);
    timeout(Duration::from_secs(10), reading)
        .await
        .unwrap()
        .unwrap();
    handle.stop(false).await;
    running.await.unwrap().unwrap();
    said
}

#[actix_web::test]
async fn a_status_without_a_body_does_not_shift_the_next_response() {
    let api = Api::with(with_pre_request()).await;
    let first = "GET /rest/v1/clients HTTP/1.1\r\nHost: x\r\nx-status: 204\r\n\r\n";
    let last =
        "GET /rest/v1/clients?select=id&order=id HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let said = conversation(&api, &format!("{first}{last}")).await;
    let (no_content, rows) = said.split_once("\r\n\r\n").unwrap();
    assert!(no_content.starts_with("HTTP/1.1 204 "), "{said}");
    assert!(rows.starts_with("HTTP/1.1 200 "), "{said}");
    assert!(
        rows.ends_with("\r\n\r\n[{\"id\":1}, \n {\"id\":2}]"),
        "{said}"
    );
}

#[actix_web::test]
async fn a_head_ends_with_its_headers() {
    let api = Api::new().await;
    let first = "HEAD /rest/v1/clients HTTP/1.1\r\nHost: x\r\n\r\n";
    let second = "HEAD /rest/v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "OPTIONS /rest/v1/clients HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let said = conversation(&api, &format!("{first}{second}{last}")).await;
    let heads: Vec<&str> = said.split("\r\n\r\n").collect();
    assert_eq!(heads.len(), 4, "{said}");
    assert!(
        heads[0].starts_with("HTTP/1.1 200 ") && !heads[0].contains("content-length"),
        "{said}"
    );
    assert!(heads[1].starts_with("HTTP/1.1 404 "), "{said}");
    assert!(heads[2].contains("content-length: 0"), "{said}");
    assert_eq!(heads[3], "");
}

#[actix_web::test]
async fn a_body_is_too_long_even_in_one_piece() {
    let mut settings = settings();
    settings.http_limits.body_bytes = 1024;
    let api = Api::with(settings).await;
    let head = "POST /rest/v1/clients HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{{\"name\":\"{}\"}}", "x".repeat(1989));
    let said = conversation(&api, &format!("{head}7d0\r\n{chunk}\r\n0\r\n\r\n")).await;
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    assert!(said.contains("\"code\":\"PSR413\""), "{said}");
}
