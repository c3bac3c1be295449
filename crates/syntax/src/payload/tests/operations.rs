//! Values that are operations.

use super::{Payload, PayloadError};
use crate::payload::operations::ValueOperation;
use crate::{Exposure, Extensions, Head, Limits, parse, read_payload};
use bytes::Bytes;

fn read(target: &str, body: &'static str) -> Result<Payload, PayloadError> {
    let (method, target) = target.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = [("prefer", "values=operations")];
    let head = Head {
        method,
        path,
        query,
        headers: &headers,
    };
    let exposure = Exposure {
        schemas: vec!["public".to_owned()],
        root: true,
        allow_transaction_override: false,
        extensions: Extensions::all(),
    };
    let limits = Limits {
        query_bytes: 1024,
        query_body_bytes: 1024,
        embed_depth: 4,
        logic_depth: 4,
        items: 16,
    };
    let request = parse(&head, &exposure, &limits).unwrap();
    read_payload(Bytes::from_static(body.as_bytes()), &request)
}

fn operations(body: &'static str) -> Vec<(String, ValueOperation)> {
    of("PATCH /t", body)
}

fn of(target: &str, body: &'static str) -> Vec<(String, ValueOperation)> {
    match read(target, body) {
        Ok(Payload::Json {
            operations, bytes, ..
        }) => {
            assert_eq!(bytes, body, "the body goes on as it came");
            operations
        }
        other => panic!("{body}: {other:?}"),
    }
}

fn named(all: &[(&str, ValueOperation)]) -> Vec<(String, ValueOperation)> {
    let all = all.iter();
    all.map(|(name, operation)| ((*name).to_owned(), *operation))
        .collect()
}

#[test]
fn objects_with_one_known_member_are_operations() {
    use ValueOperation::{Append, Increment, Merge, Prepend, Remove};
    assert_eq!(
        operations(
            r#"{"n": {"$inc": -1.50}, "o": {"$merge": {"a": 1}}, "p": { "\u0024append" : [ ] },
                "q": {"$prepend": ["x"]}, "r": {"$remove": ["x", null]}, "s": 5, "t": "$inc"}"#
        ),
        named(&[
            ("n", Increment),
            ("o", Merge),
            ("p", Append),
            ("q", Prepend),
            ("r", Remove)
        ])
    );
    for plain in [
        r#"{"a": {"$inc": 1, "b": 2}, "b": {}, "c": {"$set": 1}, "d": {"inc": 1}}"#,
        r#"{"a": [{"$inc": 1}], "b": {"x": {"$inc": 1}}, "c": null}"#,
        r#"{"a": {"$inc": 1, "$inc": 2}}"#,
        r#"{"a": {"$inc": 1}, "a": 2}"#,
        "{}",
        "[]",
    ] {
        assert_eq!(operations(plain), [], "{plain}");
    }
}

#[test]
fn operands_are_of_their_kind() {
    for (body, operation, kind) in [
        (
            r#"{"a": {"$inc": "1"}}"#,
            ValueOperation::Increment,
            "a number",
        ),
        (
            r#"{"a": {"$inc": null}}"#,
            ValueOperation::Increment,
            "a number",
        ),
        (
            r#"[{"a": {"$merge": []}}]"#,
            ValueOperation::Merge,
            "an object",
        ),
        (
            r#"{"a": {"$append": "x"}}"#,
            ValueOperation::Append,
            "an array",
        ),
        (
            r#"{"a": {"$prepend": {}}}"#,
            ValueOperation::Prepend,
            "an array",
        ),
        (
            r#"{"a": {"$remove": 1}}"#,
            ValueOperation::Remove,
            "an array",
        ),
    ] {
        let column = "a".to_owned();
        let error = PayloadError::Operand { column, operation };
        assert!(
            error
                .to_string()
                .ends_with(&format!("of column 'a' takes {kind}"))
        );
        assert_eq!(read("PATCH /t", body), Err(error), "{body}");
    }
}

#[test]
fn rows_agree_on_their_operations() {
    let mixed = |column: &str| {
        let column = column.to_owned();
        Err(PayloadError::MixedOperations { column })
    };
    assert_eq!(
        operations(r#"[{"b": 1, "a": {"$inc": 1}}, {"a": {"$inc": 2}, "b": 2}]"#),
        named(&[("a", ValueOperation::Increment)])
    );
    for body in [
        r#"[{"a": {"$inc": 1}}, {"a": 1}]"#,
        r#"[{"a": 1}, {"a": {"$inc": 1}}]"#,
        r#"[{"a": {"$append": []}}, {"a": {"$prepend": []}}]"#,
    ] {
        assert_eq!(read("PATCH /t", body), mixed("a"), "{body}");
    }
    let target = "PATCH /t?columns=a";
    assert_eq!(
        read(target, r#"[{"a": {"$inc": 1}}, {"b": 1}]"#),
        mixed("a")
    );
    assert_eq!(of(target, r#"[{"b": {"$inc": 1}}, {"b": 1, "a": 2}]"#), []);
    assert_eq!(read(target, r#"{"a": "#), Err(PayloadError::InvalidJson));
    assert_eq!(read(target, r"[1]"), Err(PayloadError::InvalidJson));
}

#[test]
fn only_updates_have_them() {
    for target in ["POST /t", "PUT /t", "POST /rpc/f"] {
        assert_eq!(of(target, r#"{"a": {"$inc": 1}}"#), [], "{target}");
    }
}
