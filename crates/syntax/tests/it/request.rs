//! Heads of requests for tests.

use passerelle_syntax::{ApiRequest, Exposure, Extensions, Head, Limits, ParseError, parse};

pub(crate) const LIMITS: Limits = Limits {
    query_bytes: 16_384,
    query_body_bytes: 65_536,
    embed_depth: 5,
    logic_depth: 5,
    items: 50,
};

pub(crate) fn exposure() -> Exposure {
    Exposure {
        schemas: vec!["public".to_owned()],
        root: true,
        allow_transaction_override: true,
        extensions: Extensions::all(),
    }
}

/// A head with what most tests need of it.
pub(crate) fn head<'a>(
    method: &'a str,
    target: &'a str,
    headers: &'a [(&'a str, &'a str)],
) -> Head<'a> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Head {
        method,
        path,
        query,
        headers,
    }
}

pub(crate) fn get(target: &str) -> Result<ApiRequest, ParseError> {
    parse(&head("GET", target, &[]), &exposure(), &LIMITS)
}

/// Message and details of a malformed query.
pub(crate) fn query_error(target: &str) -> (String, String) {
    match get(target) {
        Err(ParseError::Query { message, details }) => (message, details),
        other => panic!("{target} should be malformed, but is {other:?}"),
    }
}
