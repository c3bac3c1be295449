//! How long large bodies take.

use super::request;
use crate::payload::{Payload, read_payload};
use bytes::Bytes;
use std::fmt::Write as _;
use std::time::Instant;

const SIZE: usize = 50_000_000;
const COLUMNS: usize = 20;

/// `first`, and rows until the size is reached.
fn body(first: &str, mut write_row: impl FnMut(&mut String, usize)) -> String {
    let mut body = String::with_capacity(SIZE + 4096);
    body.push_str(first);
    for row in 0.. {
        if body.len() >= SIZE {
            break;
        }
        write_row(&mut body, row);
    }
    body
}

fn time(body: String, content_type: &str) {
    let request = request("POST", "/t", content_type);
    let body = Bytes::from(body);
    let start = Instant::now();
    let payload = read_payload(body.clone(), &request).unwrap();
    let took = start.elapsed();
    assert!(matches!(payload, Payload::Json { keys, .. } if keys.len() == COLUMNS));
    println!("{content_type}: {} bytes in {took:?}", body.len());
}

#[test]
#[ignore = "tells a time, which means something in release builds only"]
fn large_json() {
    let mut body = body("[", |body, row| {
        for column in 0..COLUMNS {
            body.push_str(match (row, column) {
                (0, 0) => "{",
                (_, 0) => "},{",
                _ => ",",
            });
            if column % 2 == 0 {
                write!(body, "\"column_{column}\":{}", row * 31 + column).unwrap();
            } else {
                write!(body, "\"column_{column}\":\"value {row} of {column}\"").unwrap();
            }
        }
    });
    body.push_str("}]");
    time(body, "application/json");
}

#[test]
#[ignore = "tells a time, which means something in release builds only"]
fn large_csv() {
    let names: Vec<String> = (0..COLUMNS)
        .map(|column| format!("column_{column}"))
        .collect();
    let body = body(&names.join(","), |body, row| {
        for column in 0..COLUMNS {
            let before = if column == 0 { '\n' } else { ',' };
            write!(body, "{before}value {row} of {column}").unwrap();
        }
    });
    time(body, "text/csv");
}
