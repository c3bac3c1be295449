//! QUERY: parameters in the body.

use passerelle_syntax::{
    Action, ApiRequest, Exposure, Extensions, ParseError, QueryBodyError, parse, parse_query,
};

use crate::request::{LIMITS, exposure, get, head};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json; charset=utf-8";

fn query(target: &str, content_type: &str, body: &str) -> Result<ApiRequest, ParseError> {
    let headers = [("content-type", content_type)];
    let head = head("QUERY", target, &headers);
    parse_query(&head, body.as_bytes(), &exposure(), &LIMITS)
}

/// The GET of the same rows.
#[track_caller]
fn assert_same(target: &str, content_type: &str, body: &str, get_target: &str) {
    let expected = get(get_target).unwrap();
    let found = query(target, content_type, body).unwrap();
    let found = ApiRequest {
        content_type: expected.content_type.clone(),
        ..found
    };
    assert_eq!(found, expected, "{target} {body}");
}

#[test]
fn a_form_goes_on_where_the_url_ends() {
    assert_same(
        "/t",
        FORM,
        "id=in.(1,2)&select=id",
        "/t?id=in.(1,2)&select=id",
    );
    assert_same(
        "/t?select=id",
        FORM,
        "a=eq.1%202&a=gt.0",
        "/t?select=id&a=eq.1%202&a=gt.0",
    );
    assert_same("/t?select=id", FORM, "", "/t?select=id");
    assert_same("/t?select=id", FORM, "?limit=3", "/t?select=id&limit=3");
    assert_same(
        "/t?select=id",
        FORM,
        "select=name",
        "/t?select=id&select=name",
    );
}

#[test]
fn members_are_parameters_and_lists_repeat_them() {
    assert_same(
        "/t?order=id",
        JSON,
        r#" {"select": "id,a->>b", "id": ["gte.1", "lt.9"], "limit": 10, "b": []} "#,
        "/t?order=id&select=id,a->>b&id=gte.1&id=lt.9&limit=10",
    );
    assert_same(
        "/t",
        JSON,
        r#"{"a": "eq.x&y=z;+%\u00e9\ud83d\ude00", "or": "(b.is.true,c.eq.1)"}"#,
        "/t?a=eq.x%26y%3Dz%3B%2B%25é😀&or=(b.is.true,c.eq.1)",
    );
    assert_same("/t", JSON, "{}", "/t");
    assert_same(
        "/t",
        JSON,
        r#"{"a": "eq.1", "a": "eq.2"}"#,
        "/t?a=eq.1&a=eq.2",
    );
}

#[test]
fn numbers_keep_their_digits() {
    let call = query(
        "/t",
        JSON,
        r#"{"offset": 18446744073709551617, "limit": 1}"#,
    );
    assert_eq!(call.unwrap().range.offset, i64::MAX.unsigned_abs());
    let same = get("/t?offset=18446744073709551617&limit=1");
    assert_eq!(same.unwrap().range.offset, i64::MAX.unsigned_abs());
}

#[test]
fn a_long_query_is_no_location() {
    let id = |count: usize| format!("id=in.({})", "1,".repeat(count));
    let short = query("/t", FORM, &id(10)).unwrap();
    assert!(short.canonical_query.is_some());
    assert_eq!(
        query("/t", FORM, &id(10_000)).unwrap().canonical_query,
        None
    );
}

#[test]
fn a_list_does_not_make_a_long_name_longer_without_end() {
    let name = "n".repeat(10_000);
    let body = |count: usize| format!("{{\"{name}\": [{}1]}}", "1,".repeat(count));
    let limit = LIMITS.query_body_bytes;
    let long = QueryBodyError::TooLong { limit };
    assert_eq!(query("/t", JSON, &body(20_000)), Err(long.into()));
    let few = query("/t", JSON, &body(10));
    assert!(matches!(few, Err(ParseError::Query { .. })), "{few:?}");
}

#[test]
fn bodies_that_are_refused() {
    let refused = |content_type, body| match query("/t", content_type, body) {
        Err(ParseError::QueryBody(error)) => error,
        other => panic!("{body} is read as {other:?}"),
    };
    assert_eq!(
        refused("text/csv", "a"),
        QueryBodyError::ContentType("text/csv".to_owned())
    );
    for body in [
        "",
        "[]",
        "1",
        "{",
        "{}x",
        r#"{"a": null}"#,
        r#"{"a": {}}"#,
        r#"{"a": [[]]}"#,
        r#"{"a": [null]}"#,
        r#"{"a": "\ud800"}"#,
    ] {
        assert_eq!(refused(JSON, body), QueryBodyError::NotParameters, "{body}");
    }
    let headers = [("content-type", FORM)];
    let none = parse_query(&head("QUERY", "/t", &[]), b"", &exposure(), &LIMITS);
    assert_eq!(none, Err(QueryBodyError::NoContentType.into()));
    let bytes = parse_query(
        &head("QUERY", "/t", &headers),
        b"a=\xff",
        &exposure(),
        &LIMITS,
    );
    assert_eq!(bytes, Err(QueryBodyError::NotText.into()));
    let malformed = query("/t", JSON, r#"{"a": "nonsense.1"}"#);
    assert!(matches!(malformed, Err(ParseError::Query { .. })));
}

#[test]
fn it_is_a_read_where_it_is_switched_on() {
    let found = parse(
        &head("QUERY", "/t", &[("range", "0-4")]),
        &exposure(),
        &LIMITS,
    )
    .unwrap();
    let read = Action::Read {
        relation: "t".to_owned(),
        headers_only: false,
    };
    assert_eq!((found.action, found.range.limit), (read, Some(5)));
    let off = Exposure {
        extensions: Extensions::NONE,
        ..exposure()
    };
    let refused = parse(&head("QUERY", "/t", &[]), &off, &LIMITS);
    assert_eq!(
        refused,
        Err(ParseError::UnsupportedMethod("QUERY".to_owned()))
    );
    let root = parse(&head("QUERY", "/", &[]), &exposure(), &LIMITS);
    assert_eq!(root, Err(ParseError::UnsupportedMethod("QUERY".to_owned())));
    let function = parse(&head("QUERY", "/rpc/f", &[]), &exposure(), &LIMITS);
    assert_eq!(
        function,
        Err(ParseError::InvalidRoutineMethod("QUERY".to_owned()))
    );
}
