//! What holds for all requests.

use crate::request::{LIMITS, exposure};
use crate::strategy::request;
use passerelle_syntax::{ApiRequest, Head, ParseError, parse, print};
use proptest::prelude::*;

fn reread(request: &ApiRequest) -> Result<ApiRequest, ParseError> {
    let printed = print(request);
    let headers: Vec<(&str, &str)> = printed
        .headers
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    let head = Head {
        method: printed.method,
        path: &printed.path,
        query: &printed.query,
        headers: &headers,
    };
    let mut request = parse(&head, &exposure(), &LIMITS)?;
    request.canonical_query = None;
    Ok(request)
}

/// Text that gets past the first characters of the grammar.
fn fragment() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        "[a-z]{1,3}|[0-9]|[^a-z]",
        proptest::sample::select(vec![
            "select=", "order=", "and=", "or=", "not.", "limit=", "a=", "eq.", "in.(", "is.",
            "fts(", "->>", "->", "::", "!inner", "...", "count()", ".sum()", ".desc", "\"", "\\",
            "(", ")", ",", "&", "%", "+", "{", "}", ".", "*", "columns=",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(token, 0..16).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_printed_reads_back(request in request()) {
        prop_assert_eq!(reread(&request), Ok(request));
    }

    #[test]
    fn any_query_is_read_or_refused(query in fragment()) {
        for path in ["/t", "/rpc/f"] {
            let head = Head { method: "GET", path, query: &query, headers: &[] };
            if let Ok(mut request) = parse(&head, &exposure(), &LIMITS) {
                request.canonical_query = None;
                prop_assert_eq!(reread(&request), Ok(request));
            }
        }
    }

    #[test]
    fn any_head_is_read_or_refused(
        method in "GET|HEAD|POST|PUT|[A-Z]{0,4}",
        path in any::<String>(),
        query in any::<String>(),
        accept in any::<String>(),
        prefer in any::<String>(),
        range in "[0-9]{0,30}-?[0-9]{0,30}",
    ) {
        let headers = [
            ("accept", accept.as_str()),
            ("content-type", accept.as_str()),
            ("prefer", prefer.as_str()),
            ("range", range.as_str()),
        ];
        let head = Head { method: &method, path: &path, query: &query, headers: &headers };
        let _ = parse(&head, &exposure(), &LIMITS);
    }
}
