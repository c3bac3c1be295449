use std::convert::Infallible;
use std::sync::Arc;

use actix_http::{HttpService, Protocol};
use actix_service::{IntoServiceFactory, Service as _, ServiceFactory as _, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, HttpRequest, web};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::scanner::{MAX_HEAD, MAX_LINES, MAX_TARGET};
use super::*;
use crate::cors::CorsDialect;
use crate::{Cors, Frontage, FrontageSettings, HttpLimits, TrustedProxies, Verbosity};

/// What arrives of `sent` when it comes in pieces of this size and is read in buffers of 7.
async fn arrives(sent: &[u8], piece: usize) -> String {
    let (mut client, server) = duplex(piece);
    let mut server = RawTargets::new(server);
    let sending = async move {
        client.write_all(sent).await.unwrap();
    };
    let reading = async move {
        let mut out = Vec::new();
        let mut buffer = [0; 7];
        loop {
            match server.read(&mut buffer).await.unwrap() {
                0 => return out,
                bytes => out.extend_from_slice(&buffer[..bytes]),
            }
        }
    };
    let ((), out) = futures_util::future::join(sending, reading).await;
    String::from_utf8_lossy(&out).into_owned()
}

#[track_caller]
fn becomes(sent: &str, expected: &str) -> impl Future<Output = ()> {
    let (sent, expected) = (sent.as_bytes().to_vec(), expected.to_owned());
    async move {
        for piece in [1, 2, 3, 5, 64, 4096] {
            assert_eq!(
                arrives(&sent, piece).await,
                expected,
                "in pieces of {piece}"
            );
        }
    }
}

#[actix_web::test]
async fn targets_are_encoded() {
    becomes(
        "GET /a?select=b->>c&d=eq.\"é\" HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /a?select=b-%3E%3Ec&d=eq.%22%C3%A9%22 HTTP/1.1\r\nHost: x\r\n\r\n",
    )
    .await;
    becomes("GET /a<\x7f`", "GET /a%3C%7F%60").await;
}

#[actix_web::test]
async fn what_is_fine_stays_as_it_is() {
    let fine = "GET /a?b=%3E&c={}|\\^[]!$'()*+,;=:@#x HTTP/1.1\r\nX: <\"é\">\r\n\r\n";
    becomes(fine, fine).await;
}

#[actix_web::test]
async fn every_request_of_a_connection_is_looked_at() {
    becomes(
        "\r\nGET /> HTTP/1.1\r\nA: >\r\n\r\n\r\nHEAD /< HTTP/1.0\nB: <\n\nGET /\" HTTP/1.1\r\n\r\n",
        "\r\nGET /%3E HTTP/1.1\r\nA: >\r\n\r\n\r\nHEAD /%3C HTTP/1.0\nB: <\n\nGET /%22 HTTP/1.1\r\n\r\n",
    )
    .await;
}

#[actix_web::test]
async fn what_has_no_known_end_is_left_alone() {
    for header in [
        "Content-Length: 9\r\nContent-Length: 9",
        "content-length: 9,9",
        "Content-Length: 99999999999999999999",
        "TRANSFER-encoding: chunked",
        "upgrade: websocket",
    ] {
        let rest = format!("HTTP/1.1\r\nA: b\r\n{header}\r\n\r\nGET /> x\r\n\r\nGET /> y\r\n");
        becomes(&format!("POST /> {rest}"), &format!("POST /%3E {rest}")).await;
    }
    let tunnel = "x:1 HTTP/1.1\r\n\r\nGET /> x\r\n";
    becomes(
        &format!("CONNECT >{tunnel}"),
        &format!("CONNECT %3E{tunnel}"),
    )
    .await;
}

#[actix_web::test]
async fn a_body_is_left_alone_and_the_next_head_is_not() {
    let head =
        |target, length| format!("POST /{target} HTTP/1.1\r\ncontent-LENGTH:{length}\r\n\r\n");
    let (body, none) = ("GET /> HTTP/1.1\r\n\r\n", "");
    let lengths = [(" 19", body), ("0019 \t", body), (" 0", none), ("19", body)];
    let connection = |target| {
        let requests = lengths.map(|(length, body)| head(target, length) + body);
        requests.concat()
    };
    becomes(&connection(">"), &connection("%3E")).await;
}

#[actix_web::test]
async fn a_client_does_not_say_what_was_cut() {
    becomes(
        &format!("GET / HTTP/1.1\r\n{EXCESS}: target\r\nPasserelle-Head-Excess:headers\r\n\r\n"),
        &format!(
            "GET / HTTP/1.1\r\n{EXCESS}-disarmed: target\r\n\
             Passerelle-Head-Excess-disarmed:headers\r\n\r\n"
        ),
    )
    .await;
}

#[actix_web::test]
async fn what_is_no_head_is_left_alone() {
    for nonsense in [
        "GET />\r\n\r\nGET /> HTTP/1.1\r\n",
        "no request at\r\nGET /> HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nno header\r\n\r\nGET /> HTTP/1.1\r\n",
    ] {
        let first_line = nonsense.find('\n').unwrap();
        let arrived = arrives(nonsense.as_bytes(), 4096).await;
        assert!(arrived.ends_with(&nonsense[first_line..]), "{arrived}");
    }
    let binary: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let text = String::from_utf8_lossy(&binary).into_owned();
    assert_eq!(arrives(&binary, 64).await, text);
}

#[actix_web::test]
async fn heads_that_are_too_large_are_cut() {
    let host = "Host: x\r\n";
    let long = "a".repeat(MAX_TARGET);
    let sent = format!("GET /{long} HTTP/1.1\r\n{host}\r\n");
    let given = format!(
        "GET /{} HTTP/1.1\r\n{EXCESS}: target\r\n{host}\r\n",
        &long[1..]
    );
    assert_eq!(arrives(sent.as_bytes(), 4096).await, given);

    let lines = |count: usize| "A: b\r\n".repeat(count);
    let most = format!("GET / HTTP/1.1\r\n{}\r\n", lines(MAX_LINES));
    assert_eq!(
        arrives(most.repeat(2).as_bytes(), 4096).await,
        most.repeat(2)
    );
    for more in [1, 2, 1000] {
        let sent = format!("GET / HTTP/1.1\r\n{}\r\nrest", lines(MAX_LINES + more));
        let given = format!(
            "GET / HTTP/1.1\r\n{}{EXCESS}: headers\r\n\r\n",
            lines(MAX_LINES)
        );
        assert_eq!(arrives(sent.as_bytes(), 4096).await, given);
    }

    for place in ["A: ", "A"] {
        let sent = format!(
            "GET / HTTP/1.1\r\n{host}{place}{}\r\n\r\n",
            "b".repeat(2 * MAX_HEAD)
        );
        let given = arrives(sent.as_bytes(), 4096).await;
        assert!(given.len() < MAX_HEAD + 100);
        assert!(given.ends_with(&format!("\r\n{EXCESS}: headers\r\n\r\n")));
    }
}

#[actix_web::test]
async fn the_http_parser_takes_what_it_refused() {
    async fn query(request: HttpRequest) -> String {
        request.query_string().to_owned()
    }
    let app = App::new().default_service(web::to(query));
    let app = map_config(app.into_factory(), |()| AppConfig::default());
    let service = HttpService::build().finish(app);
    let service = service.new_service(()).await.unwrap();
    let (mut client, server) = duplex(64);
    let serving = service.call((RawTargets::new(server), Protocol::Http1, None));
    let asking = async move {
        let request = "GET /a?b=c->>d HTTP/1.1\r\nHost: x\r\n\r\n\
                       GET /a?b=é HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        Ok::<_, Infallible>(answer)
    };
    let (_, answer) = futures_util::future::join(serving, asking).await;
    let answer = answer.unwrap();
    assert!(
        answer.contains("b=c-%3E%3Ed") && answer.contains("b=%C3%A9"),
        "{answer}"
    );
}

#[actix_web::test]
async fn heads_that_are_too_large_are_answered_as_other_errors() {
    let settings = FrontageSettings {
        cors: Cors::new(CorsDialect::Supabase, &[]),
        limits: HttpLimits::default(),
        trusted_proxies: TrustedProxies::default(),
        trace_header: None,
        verbosity: Verbosity::Verbose,
        metrics: Arc::default(),
    };
    let settings = Arc::new(settings);
    let origin = "Host: x\r\nOrigin: https://app.example\r\n";
    let long = format!("GET /{} HTTP/1.1\r\n{origin}\r\n", "a".repeat(70_000));
    let many = format!("GET / HTTP/1.1\r\n{origin}{}\r\n", "A: b\r\n".repeat(5000));
    let first = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    for (request, status, code) in [
        (first.to_owned() + &long, "414 ", "PSR414"),
        (first.to_owned() + &many, "431 ", "PSR431"),
        (long, "414 ", "PSR414"),
        (many, "431 ", "PSR431"),
    ] {
        let app = App::new()
            .wrap(Frontage::new(Arc::clone(&settings)))
            .default_service(web::to(async |body: String| body));
        let app = map_config(app.into_factory(), |()| AppConfig::default());
        let service = HttpService::build().finish(app);
        let service = service.new_service(()).await.unwrap();
        let (mut client, server) = duplex(4096);
        let serving = service.call((RawTargets::new(server), Protocol::Http1, None));
        let asking = async move {
            // The answer may come before everything is written.
            let _ = client.write_all(request.as_bytes()).await;
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let (_, answer) = futures_util::future::join(serving, asking).await;
        let last = answer.rfind("HTTP/1.1 ").map(|last| &answer[last..]);
        let answer = last.unwrap_or_default();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains(code), "{answer}");
        assert!(answer.contains("access-control-allow-origin"), "{answer}");
    }
}
