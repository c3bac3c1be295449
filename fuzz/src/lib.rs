//! What the fuzz targets of the request grammar share: settings and the shape of their inputs.

use passerelle_syntax::{ApiRequest, Exposure, Extensions, Head, Limits, ParseError, parse, print};

/// Schemas with names as odd as they may be.
pub fn exposure() -> Exposure {
    Exposure {
        schemas: vec!["public".to_owned(), "SPECIAL \"@/\\#~_-".to_owned()],
        root: true,
        allow_transaction_override: true,
        extensions: Extensions::all(),
    }
}

/// Small enough to be reached.
pub const LIMITS: Limits = Limits {
    query_bytes: 4096,
    query_body_bytes: 65_536,
    embed_depth: 4,
    logic_depth: 4,
    items: 64,
};

/// Parses a head given as lines: method and target, then `name: value` headers.
pub fn parse_lines(text: &str) -> Result<ApiRequest, ParseError> {
    let mut lines = text.split('\n');
    let (method, target) = lines
        .next()
        .unwrap_or_default()
        .split_once(' ')
        .unwrap_or(("GET", ""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    parse(
        &Head {
            method,
            path,
            query,
            headers: &headers,
        },
        &exposure(),
        &LIMITS,
    )
}

/// Prints a request and parses what was printed.
pub fn reparse(request: &ApiRequest) -> Result<ApiRequest, ParseError> {
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
    // Escapes make the printed query longer than the one that was read.
    let limits = Limits {
        query_bytes: usize::MAX,
        ..LIMITS
    };
    parse(&head, &exposure(), &limits)
}
