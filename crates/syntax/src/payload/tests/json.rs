//! Bodies of JSON.

use super::{json, read};
use crate::payload::PayloadError;

fn post(body: &[u8]) -> Result<crate::Payload, PayloadError> {
    read("POST", "/t", "application/json", body)
}

#[test]
fn members_are_told_and_bytes_kept() {
    for (body, is_object, keys) in [
        (r#"{"b":1,"a":2}"#, true, &["a", "b"][..]),
        (" \t\r\n{ \"a\" : [ {\"x\":{}} ] } \n", true, &["a"]),
        ("{}", true, &[]),
        (r#"[{"b":1,"a":{"c":2}}]"#, false, &["a", "b"]),
        (" [ { } , { } ] ", false, &[]),
        (r#"[{"a":1,"b":2},{"b":3,"a":4}]"#, false, &["a", "b"]),
        (r#"[{"a":1},{"\u0061":2}]"#, false, &["a"]),
        (
            "{\"\u{e9}\u{1f600}\":1,\"\\ud83d\\ude00\":1}",
            true,
            &["\u{e9}\u{1f600}", "\u{1f600}"],
        ),
        (r#"{"a\u0000":1,"":2}"#, true, &["", "a\0"]),
        (
            r#"{"a":1e99999,"b":12345678901234567890.10}"#,
            true,
            &["a", "b"],
        ),
        // Left to PostgreSQL.
        (r#"{"a":"\u0000","b":"\ud800"}"#, true, &["a", "b"]),
    ] {
        let expected = json(body.as_bytes(), is_object, keys);
        assert_eq!(post(body.as_bytes()), Ok(expected), "{body}");
    }
}

#[test]
fn members_given_twice() {
    let expected = |body: &str, is_object| Ok(json(body.as_bytes(), is_object, &["a", "b"]));
    let body = r#"{"a":1,"b":2,"a":3}"#;
    assert_eq!(post(body.as_bytes()), expected(body, true));
    let body = r#"[{"a":1,"b":2,"a":3},{"b":1,"b":2,"a":3},{"b":1,"a":3}]"#;
    assert_eq!(post(body.as_bytes()), expected(body, false));
    let body = br#"[{"a":1,"b":2},{"a":1,"a":2}]"#;
    assert_eq!(post(body), Err(PayloadError::DifferentKeys));
}

#[test]
fn objects_must_have_the_same_members() {
    for body in [
        r#"[{"a":1},{"b":1}]"#,
        r#"[{"a":1},{}]"#,
        r#"[{},{"a":1}]"#,
        r#"[{"a":1},{"a":1,"b":1}]"#,
        r#"[{"a":1,"b":1},{"b":1}]"#,
        r#"[{"a":1,"b":1},{"a":1,"b":1},{"a":1,"c":1}]"#,
        r#"[{"body":"xxxxx","id":100},123,"xxxx",{"body":"xxxx","id":111}]"#,
        r#"[{"a":1},[]]"#,
        r#"[{"a":1},null]"#,
        "[1]",
        "[null]",
        r#"["a"]"#,
        "[[{}]]",
        "[1e99999]",
        "[-0.1e5, {}]",
        r#"[{"a":1},{"b":1},5,{"a":1}]"#,
    ] {
        let found = post(body.as_bytes());
        assert_eq!(found, Err(PayloadError::DifferentKeys), "{body}");
    }
}

#[test]
fn what_is_no_json() {
    for body in [
        &b""[..],
        b"   ",
        b"}{ x = 2",
        b"{",
        b"[",
        b"nul",
        b"{\"a\":1",
        b"{\"a\":1}x",
        b"{\"a\":1}{}",
        b"{\"a\":1,}",
        b"{\"a\"}",
        b"{a:1}",
        b"{'a':1}",
        b"[{\"a\":1},]",
        b"[{\"a\":1}{\"a\":1}]",
        b"[{\"a\":01}]",
        b"[{\"a\":.5}]",
        b"[{\"a\":+1}]",
        b"[{\"a\":NaN}]",
        b"[{\"a\":\"\n\"}]",
        b"{\"a\\x\":1}",
        b"{\"\\ud800\":1}",
        b"\xef\xbb\xbf{\"a\":1}",
        b"{\"a\":\"\xff\"}",
        b"{\"\xed\xa0\x80\":1}",
        b"\"\xff\"",
        b"{\"a\":1}\0",
        b"5 5",
        // It is not JSON although its members differ, too.
        b"[{\"a\":1},{\"b\":1},",
        b"[{\"a\":1},{\"b\":1}] x",
        b"[1,",
        b"[1,2}",
        b"[{\"a\":1},5,x]",
        b"[tru]",
    ] {
        let text = String::from_utf8_lossy(body);
        assert_eq!(post(body), Err(PayloadError::InvalidJson), "{text}");
    }
}

#[test]
fn other_values_are_no_rows() {
    for body in ["[]", " [ ] ", "5", "-1e99999", "\"a\"", "null", " true "] {
        let expected = json(b"[]", false, &[]);
        assert_eq!(post(body.as_bytes()), Ok(expected), "{body}");
    }
}

#[test]
fn an_empty_body_is_an_object_to_functions_alone() {
    let call = |body: &[u8]| read("POST", "/rpc/f", "application/json", body);
    assert_eq!(call(b""), Ok(json(b"{}", true, &[])));
    assert_eq!(call(b" "), Err(PayloadError::InvalidJson));
    assert_eq!(call(b"5"), Ok(json(b"[]", false, &[])));
    for method in ["POST", "PATCH", "PUT"] {
        let found = read(method, "/t", "application/json", b"");
        assert_eq!(found, Err(PayloadError::InvalidJson));
    }
}

#[test]
fn with_columns_the_body_is_not_read() {
    for (method, target) in [
        ("POST", "/t?columns=b,a,b"),
        ("PATCH", "/t?columns=b,a"),
        ("POST", "/rpc/f?columns=b,a"),
        ("POST", "/t?columns=%22b%22,%22a%22"),
    ] {
        for (body, is_object) in [
            (&b"{\"x\":1}"[..], true),
            (b" \n\t\r{ no json", true),
            (b"[{\"x\":1},{}]", false),
            (b"\xff", false),
            (b"\x0b{", false),
            (b"5", false),
            (b"", false),
        ] {
            let expected = json(body, is_object, &["a", "b"]);
            let found = read(method, target, "application/json", body);
            assert_eq!(found, Ok(expected), "{method} {target}");
        }
    }
}

#[test]
fn put_knows_no_columns() {
    let found = read("PUT", "/t?columns=b", "application/json", br#"{"a":1}"#);
    assert_eq!(found, Ok(json(br#"{"a":1}"#, true, &["a"])));
    let found = read("PUT", "/t?columns=b", "application/json", b"{");
    assert_eq!(found, Err(PayloadError::InvalidJson));
}

#[test]
fn depth_needs_no_stack() {
    let nested = |open: &str, inner: &str, close: &str| {
        let depth = 300_000;
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    for (body, expected) in [
        (format!("{{\"a\":{}}}", nested("[", "", "]")), Ok(true)),
        (nested("{\"a\":", "1", "}"), Ok(true)),
        (format!("[{}]", nested("{\"a\":", "1", "}")), Ok(false)),
        (nested("[", "", "]"), Err(PayloadError::DifferentKeys)),
        (nested("[{\"a\":", "1", "}]"), Ok(false)),
        ("[".repeat(1_000_000), Err(PayloadError::InvalidJson)),
        ("{\"a\":".repeat(300_000), Err(PayloadError::InvalidJson)),
        ("[{\"a\":".repeat(300_000), Err(PayloadError::InvalidJson)),
    ] {
        let expected = expected.map(|is_object| json(body.as_bytes(), is_object, &["a"]));
        assert!(post(body.as_bytes()) == expected, "{}", &body[..20]);
    }
}
