//! The scanner agrees with the parser about what is a head.

use proptest::prelude::*;
use proptest::sample::select;

use super::oracle;
use super::scanner::Scanner;

/// What the scanner gives on of `sent` when it comes in pieces of these sizes, again and again.
fn given(sent: &[u8], pieces: &[usize]) -> Vec<u8> {
    let mut scanner = Scanner::default();
    let mut given = Vec::new();
    let mut left = sent;
    for size in pieces.iter().cycle() {
        if left.is_empty() {
            break;
        }
        let (piece, rest) = left.split_at(left.len().min(*size));
        given.extend(scanner.scan(piece).unwrap_or_else(|| piece.to_vec()));
        left = rest;
    }
    given
}

#[derive(Clone, Debug)]
struct Sent {
    head: String,
    body: &'static str,
}

const BODIES: &[&str] = &[
    "",
    "<",
    "\r\n",
    "GET /< HTTP/1.1\r\nHost: x\r\n\r\n",
    "\r\n\r\nPOST /\"a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n>>>",
    "0\r\n\r\n",
    "5\r\nGET /\r\n0\r\n\r\n",
];

fn line() -> impl Strategy<Value = String> {
    let name = select(vec![
        "A",
        "content-lengt",
        "Content-Length",
        "CONTENT-LENGTH",
        "Content-Length ",
        "Content_Length",
        "Content-Le\rngth",
        "X-Content-Length",
        "Transfer-Encoding",
        "Upgrade",
        "Expect",
        "Connection",
        "\rContent-Length",
        " Content-Length",
        // Longer than what is followed at once, and with the length at the end of it.
        "X-Name-That-Goes-On-And-On-And-On-And-On-And-On-And-On-And-On-And-On-And-On",
        "X-Name-That-Goes-On-And-On-And-On-And-On-And-On-And-On-And-OnContent-Length",
    ]);
    let value = select(vec![
        " 0",
        " 5",
        "5",
        "\t005 \t",
        " +5",
        " -1",
        " 5, 5",
        " 5 5",
        " 0x5",
        " 5\r",
        "",
        " ",
        "\r\n 5",
        " 18446744073709551615",
        " 18446744073709551616",
        " 99999999999999999999999",
        " chunked",
        " identity",
        " websocket",
        " h2c",
        " 100-continue",
        " close",
        " <\"é",
    ]);
    (name, value, line_end()).prop_map(|(name, value, end)| format!("{name}:{value}{end}"))
}

fn line_end() -> impl Strategy<Value = &'static str> {
    prop_oneof![9 => Just("\r\n"), 2 => Just("\n"), 1 => Just("\r\r\n"), 1 => Just("\r")]
}

/// One request: its lines, perhaps a true length, perhaps one that is a little wrong, and a body.
fn request() -> impl Strategy<Value = Sent> {
    let start = (
        select(vec![
            "GET", "POST", "PATCH", "HEAD", "CONNECT", "\r\nGET", "\nX",
        ]),
        select(vec!["/", "/<", "/a?b=\"é\"", "*", "x:1", ""]),
        prop_oneof![8 => Just("HTTP/1.1"), 2 => Just("HTTP/1.0"), 1 => Just("HTTP/2.0")],
    );
    let lines = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec(line(), 0..3),
    ];
    let length = prop_oneof![1 => Just(None), 4 => Just(Some(0)), 1 => (-2_i32..3).prop_map(Some)];
    let body = select(BODIES.to_vec());
    let host = prop_oneof![9 => Just("Host: x\r\n"), 1 => Just("")];
    (start, host, lines, length, body, line_end()).prop_map(
        |((method, target, version), host, lines, length, body, end)| {
            let length = length.map_or_else(String::new, |wrong| {
                let length = i32::try_from(body.len()).unwrap() + wrong;
                format!("Content-Length: {}\r\n", length.max(0))
            });
            let lines = lines.concat();
            Sent {
                head: format!("{method} {target} {version}\r\n{host}{lines}{length}{end}"),
                body,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn with_the_parser_about_what_is_a_head(
        requests in prop::collection::vec(request(), 1..6),
        pieces in prop::collection::vec(1_usize..200, 1..5),
    ) {
        let parts = requests.iter().flat_map(|Sent { head, body }| [head.as_str(), *body]);
        let sent: String = parts.collect();
        oracle::check(sent.as_bytes(), &given(sent.as_bytes(), &pieces));
    }
}

#[test]
fn the_parser_takes_what_follows_a_body() {
    let sent = BODIES.iter().fold(String::new(), |sent, body| {
        let length = body.len();
        format!("{sent}POST /< HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}")
    });
    for piece in [1, 2, 3, 7, 64, 4096] {
        let heads = oracle::check(sent.as_bytes(), &given(sent.as_bytes(), &[piece]));
        assert_eq!(heads, BODIES.len());
    }
}
