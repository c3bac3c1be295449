//! What takes a body, and of which content type.

use super::{json, read};
use crate::payload::{Payload, PayloadError};
use bytes::Bytes;

#[test]
fn bodies_of_what_takes_none_are_not_looked_at() {
    for (method, target) in [
        ("DELETE", "/t"),
        ("GET", "/t"),
        ("HEAD", "/t"),
        ("OPTIONS", "/t"),
        ("GET", "/rpc/f?a=1"),
        ("HEAD", "/rpc/f"),
        ("OPTIONS", "/rpc/f"),
        ("GET", "/"),
        ("OPTIONS", "/"),
    ] {
        for content_type in ["application/json", "text/csv", "image/png"] {
            let found = read(method, target, content_type, b"}{");
            assert_eq!(found, Ok(Payload::None), "{method} {target}");
        }
    }
}

#[test]
fn functions_take_raw_bodies() {
    for content_type in [
        "text/plain",
        "text/plain; charset=utf-8",
        "text/xml",
        "application/octet-stream",
    ] {
        for body in [&b"\xff\0x"[..], b""] {
            let expected = Payload::Raw(Bytes::copy_from_slice(body));
            assert_eq!(read("POST", "/rpc/f", content_type, body), Ok(expected));
        }
    }
}

#[test]
fn relations_take_no_raw_bodies() {
    for content_type in ["text/plain", "text/xml", "application/octet-stream"] {
        for method in ["POST", "PATCH", "PUT"] {
            let expected = PayloadError::ContentType(content_type.to_owned());
            assert_eq!(read(method, "/t", content_type, b"x"), Err(expected));
        }
    }
}

#[test]
fn other_content_types() {
    for (content_type, shown) in [
        ("image/png", "image/png"),
        ("application/geo+json", "application/geo+json"),
        (
            "application/vnd.pgrst.object+json",
            "application/vnd.pgrst.object+json",
        ),
        ("*/*", "*/*"),
        ("", ""),
    ] {
        for target in ["/t", "/rpc/f", "/t?columns=a"] {
            let error = read("POST", target, content_type, b"{}").unwrap_err();
            assert_eq!(error, PayloadError::ContentType(shown.to_owned()));
            let text = format!("Content-Type not acceptable: {shown}");
            assert_eq!(error.to_string(), text);
        }
    }
}

#[test]
fn kin_of_json() {
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "application/vnd.pgrst.array+json",
    ] {
        let expected = json(br#"{"a":1}"#, true, &["a"]);
        assert_eq!(
            read("POST", "/t", content_type, br#"{"a":1}"#),
            Ok(expected)
        );
    }
}

#[test]
fn texts_of_errors() {
    for (error, text) in [
        (PayloadError::InvalidJson, "Empty or invalid json"),
        (PayloadError::DifferentKeys, "All object keys must match"),
        (
            PayloadError::RaggedCsv,
            "All lines must have same number of fields",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}
