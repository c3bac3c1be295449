//! Any body is read or refused, and what was read are the members of its JSON.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use passerelle_fuzz::parse_lines;
use passerelle_syntax::{Payload, read_payload};
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, BTreeSet};

const CONTENT_TYPES: [&str; 5] = [
    "application/json",
    "text/csv",
    "application/x-www-form-urlencoded",
    "text/plain",
    "image/png",
];
const TARGETS: [&str; 5] = [
    "POST /t",
    "POST /t?columns=b,a",
    "PUT /t",
    "POST /rpc/f",
    "DELETE /t",
];

fuzz_target!(|data: &[u8]| {
    let [content_type, target, body @ ..] = data else {
        return;
    };
    let choose = |letter: &u8, from: [&'static str; 5]| from[usize::from(letter % 5)];
    let head = format!(
        "{}\ncontent-type: {}",
        choose(target, TARGETS),
        choose(content_type, CONTENT_TYPES)
    );
    let request = parse_lines(&head).expect("the head is right");
    let body = Bytes::copy_from_slice(body);
    let Ok(payload) = read_payload(body.clone(), &request) else {
        return;
    };
    assert!(payload.keys().is_sorted());
    if let Payload::Json {
        bytes,
        is_object,
        keys,
        ..
    } = payload
    {
        assert!(keys.iter().is_sorted_by(|one, other| one < other));
        if head.contains("json") && head.contains("columns") {
            assert_eq!((bytes, keys), (body, vec!["a".to_owned(), "b".to_owned()]));
            return;
        }
        assert_eq!(members(&bytes, is_object), keys.into_iter().collect());
    }
});

/// Names of the members that all objects have, read another way.
fn members(bytes: &[u8], is_object: bool) -> BTreeSet<String> {
    type Row = BTreeMap<String, IgnoredAny>;
    let rows: Vec<Row> = if is_object {
        vec![serde_json::from_slice(bytes).expect("it is an object")]
    } else {
        serde_json::from_slice(bytes).expect("it has objects")
    };
    let mut rows = rows.into_iter().map(|row| row.into_keys().collect());
    let first = rows.next().unwrap_or_default();
    assert!(rows.all(|row: BTreeSet<String>| row == first));
    first
}
