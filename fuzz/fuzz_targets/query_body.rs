//! Any body of a QUERY is read or refused; one that is a form means what its query string means.

#![no_main]

use libfuzzer_sys::fuzz_target;
use passerelle_fuzz::{LIMITS, exposure};
use passerelle_syntax::{Head, Limits, parse, parse_query};

const CONTENT_TYPES: [&str; 3] = [
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain",
];

fuzz_target!(|data: &[u8]| {
    let [letter, body @ ..] = data else {
        return;
    };
    let content_type = CONTENT_TYPES[usize::from(letter % 3)];
    let headers = [("content-type", content_type)];
    let head = |method, query| Head {
        method,
        path: "/items",
        query,
        headers: &headers,
    };
    let found = parse_query(&head("QUERY", ""), body, &exposure(), &LIMITS);
    if content_type == CONTENT_TYPES[0]
        && let Ok(query) = std::str::from_utf8(body)
    {
        let limits = Limits {
            query_bytes: usize::MAX,
            ..LIMITS
        };
        let query = query.strip_prefix('?').unwrap_or(query);
        let mut same = parse(&head("QUERY", query), &exposure(), &limits);
        if let (Ok(found), Ok(same)) = (&found, &mut same) {
            same.canonical_query.clone_from(&found.canonical_query);
        }
        assert_eq!(found, same);
    }
});
