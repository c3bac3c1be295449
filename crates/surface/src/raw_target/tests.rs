use std::convert::Infallible;

use actix_http::{HttpService, Protocol};
use actix_service::{IntoServiceFactory, Service as _, ServiceFactory as _, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, HttpRequest, web};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::*;

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
async fn bodies_and_what_follows_them_are_left_alone() {
    for header in [
        "Content-Length: 9",
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
