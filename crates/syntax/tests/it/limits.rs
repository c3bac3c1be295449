//! Bounds on what a request may hold.

use crate::request::{LIMITS, exposure, get, head};
use passerelle_syntax::{Limits, ParseError, parse};

fn nested(depth: usize, open: &str, inner: &str, close: &str) -> String {
    [open.repeat(depth), inner.to_owned(), close.repeat(depth)].concat()
}

#[track_caller]
fn too_complex(target: &str, what: &'static str, limit: usize) {
    let expected = ParseError::TooComplex { what, limit };
    assert_eq!(get(target).map(|_| ()), Err(expected), "{target}");
}

#[test]
fn length_of_the_query() {
    let limits = Limits {
        query_bytes: 8,
        ..LIMITS
    };
    assert!(parse(&head("GET", "/t?a=eq.123", &[]), &exposure(), &limits).is_ok());
    let found = parse(&head("GET", "/t?a=eq.1234", &[]), &exposure(), &limits);
    assert_eq!(found, Err(ParseError::QueryTooLong { limit: 8 }));
}

#[test]
fn depth_of_embeds() {
    let depth = LIMITS.embed_depth;
    assert!(get(&format!("/t?select={}", nested(depth, "a(", "b", ")"))).is_ok());
    for open in ["a(", "...a(", "x,a:b!inner("] {
        let target = format!("/t?select={}", nested(depth + 1, open, "b", ")"));
        too_complex(&target, "select depth", depth);
    }
}

#[test]
fn depth_of_logic_trees() {
    let depth = LIMITS.logic_depth;
    let tree = |depth| nested(depth, "(or", "(a.eq.1)", ")");
    assert!(get(&format!("/t?and={}", tree(depth - 1))).is_ok());
    too_complex(&format!("/t?and={}", tree(depth)), "logic depth", depth);
}

#[test]
fn depth_that_is_never_closed() {
    let limits = Limits {
        query_bytes: usize::MAX,
        ..LIMITS
    };
    for query in [
        format!("select={}", "a(".repeat(100_000)),
        format!("and={}", "(and".repeat(100_000)),
    ] {
        let request = head("GET", "/t", &[]);
        let found = parse(
            &passerelle_syntax::Head {
                query: &query,
                ..request
            },
            &exposure(),
            &limits,
        );
        assert!(matches!(found, Err(ParseError::TooComplex { .. })));
    }
}

#[test]
fn numbers_of_items() {
    let limit = LIMITS.items;
    let list = |count: usize, item: &str| vec![item; count].join(",");
    let half = limit / 2;
    assert!(get(&format!("/t?select={}", list(limit, "a"))).is_ok());
    too_complex(
        &format!("/t?select={}", list(limit + 1, "a")),
        "select items",
        limit,
    );
    too_complex(
        &format!("/t?select=b({})", list(limit, "a")),
        "select items",
        limit,
    );
    assert!(get(&format!("/t?order={}", list(limit, "a"))).is_ok());
    too_complex(
        &format!("/t?order={0}&x.order={0}", list(half + 1, "a")),
        "order terms",
        limit,
    );
    let filters = vec!["a=eq.1"; half].join("&");
    assert!(get(&format!("/t?{filters}&and=({})", list(half - 1, "a.eq.1"))).is_ok());
    too_complex(
        &format!("/t?{filters}&and=({})", list(half, "a.eq.1")),
        "filters",
        limit,
    );
    let ranges = vec!["a.limit=1"; limit + 1].join("&");
    too_complex(&format!("/t?{ranges}"), "ranges", limit);
}
