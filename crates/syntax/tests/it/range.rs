//! `limit`, `offset` and the `Range` header.

use crate::request::{LIMITS, exposure, get, head};
use passerelle_syntax::{ParseError, RangeFault, RowRange, parse};

fn range(method: &str, query: &str, header: &str) -> Answer {
    let headers = [("range", header)];
    let headers = if header.is_empty() {
        &headers[..0]
    } else {
        &headers[..]
    };
    let target = format!("/t?{query}");
    parse(&head(method, &target, headers), &exposure(), &LIMITS).map(|request| request.range)
}

type Answer = Result<RowRange, ParseError>;

const fn all_from(offset: u64) -> RowRange {
    RowRange {
        offset,
        limit: None,
    }
}

const fn rows(offset: u64, limit: u64) -> RowRange {
    RowRange {
        offset,
        limit: Some(limit),
    }
}

const NEGATIVE: Answer = Err(ParseError::InvalidRange(RangeFault::NegativeLimit));
const REVERSED: Answer = Err(ParseError::InvalidRange(RangeFault::LowerAboveUpper));

#[test]
fn parameters() {
    let largest = i64::MAX.unsigned_abs();
    for (query, expected) in [
        ("", Ok(all_from(0))),
        ("limit=5", Ok(rows(0, 5))),
        ("offset=5", Ok(all_from(5))),
        ("limit=5&offset=10", Ok(rows(10, 5))),
        ("limit=1&limit=2", Ok(rows(0, 2))),
        ("limit=0", Ok(rows(0, 0))),
        ("limit=0&offset=0", Ok(rows(0, 0))),
        ("limit=0&offset=1", NEGATIVE),
        ("limit=-1", NEGATIVE),
        ("limit=-1&offset=5", NEGATIVE),
        ("offset=-5", Ok(all_from(0))),
        ("limit=10&offset=-5", Ok(rows(0, 5))),
        ("limit=x", Ok(all_from(0))),
        ("limit=x&offset=1", NEGATIVE),
        ("offset=x", Ok(all_from(0))),
        ("limit=+7+", Ok(rows(0, 7))),
        (
            "limit=99999999999999999999999999999999999999999999",
            Ok(rows(0, largest)),
        ),
        ("offset=99999999999999999999", Ok(all_from(largest))),
    ] {
        assert_eq!(range("GET", query, ""), expected, "{query}");
    }
}

#[test]
fn header() {
    for (header, expected) in [
        ("0-9", Ok(rows(0, 10))),
        ("5-5", Ok(rows(5, 1))),
        ("5-", Ok(all_from(5))),
        ("-5", Ok(all_from(0))),
        ("items=0-9", Ok(all_from(0))),
        ("0-9,20-29", Ok(all_from(0))),
        ("1-0", REVERSED),
    ] {
        assert_eq!(range("GET", "", header), expected, "{header}");
        assert_eq!(range("HEAD", "", header), Ok(all_from(0)), "{header}");
        assert_eq!(range("POST", "", header), Ok(all_from(0)), "{header}");
    }
}

#[test]
fn both() {
    for (query, header, expected) in [
        ("limit=5", "2-", Ok(rows(2, 3))),
        ("offset=3", "0-9", Ok(rows(3, 7))),
        ("limit=5", "10-20", NEGATIVE),
        ("limit=0", "1-0", Ok(rows(0, 0))),
        ("limit=0", "5-9", Ok(rows(0, 0))),
        ("limit=-1", "1-0", REVERSED),
    ] {
        assert_eq!(range("GET", query, header), expected, "{query} {header}");
    }
}

#[test]
fn put_knows_no_range() {
    for query in ["limit=1", "offset=1", "limit=0"] {
        assert_eq!(
            range("PUT", query, ""),
            Err(ParseError::PutLimit),
            "{query}"
        );
    }
    assert_eq!(range("PUT", "offset=0", "1-0"), Ok(all_from(0)));
    assert_eq!(range("PUT", "limit=-1", ""), NEGATIVE);
}

#[test]
fn embeds() {
    let path = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    let ranges = |query: &str| get(&format!("/t?{query}")).unwrap().embed_ranges;
    assert_eq!(
        ranges("a.offset=1&a.b.offset=2&a.limit=3&c.limit=0&c.offset=4"),
        [
            (
                path(&["a"]),
                RowRange {
                    offset: 1,
                    limit: Some(3)
                }
            ),
            (path(&["a", "b"]), all_from(2)),
            (
                path(&["c"]),
                RowRange {
                    offset: 4,
                    limit: Some(0)
                }
            ),
        ]
    );
    assert_eq!(
        ranges("a.limit=1&\"a\".limit=2"),
        [(path(&["a"]), rows(0, 2))]
    );
    assert_eq!(ranges("a{b.limit=1"), []);
    for query in ["a.limit=-1", "a.offset=-1", "a.limit=5&a.offset=-1"] {
        let found = get(&format!("/t?{query}")).map(|request| request.range);
        assert_eq!(found, NEGATIVE, "{query}");
    }
}
