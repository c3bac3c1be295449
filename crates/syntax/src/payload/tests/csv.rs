//! Bodies of CSV.

use super::read;
use crate::payload::{Payload, PayloadError};

fn post(body: &str) -> Result<Payload, PayloadError> {
    read("POST", "/t", "text/csv", body.as_bytes())
}

fn why(body: &str) -> String {
    match post(body) {
        Err(PayloadError::InvalidCsv(why)) => why,
        other => panic!("{body:?} is no CSV, but became {other:?}"),
    }
}

#[test]
fn rows_become_objects_of_strings() {
    for (body, expected, keys) in [
        (
            "a,b\nbar,baz",
            r#"[{"a":"bar","b":"baz"}]"#,
            &["a", "b"][..],
        ),
        (
            "b,a\r\n1,x y\r\n2, z \r\n",
            r#"[{"b":"1","a":"x y"},{"b":"2","a":" z "}]"#,
            &["a", "b"],
        ),
        ("a\r1\r2\r", r#"[{"a":"1"},{"a":"2"}]"#, &["a"]),
        (
            "a,b,c\nNULL,\"NULL\",null\n,\"\",NULLS\n",
            r#"[{"a":null,"b":null,"c":"null"},{"a":"","b":"","c":"NULLS"}]"#,
            &["a", "b", "c"],
        ),
        (
            "a,\"b,\"\"\nc\"\n\"x\r\ny\",\"\"\"q\"\"\"\n",
            r#"[{"a":"x\r\ny","b,\"\nc":"\"q\""}]"#,
            &["a", "b,\"\nc"],
        ),
        (
            "a\n\\\t\u{1}\u{e9}",
            "[{\"a\":\"\\\\\\t\\u0001\u{e9}\"}]",
            &["a"],
        ),
        ("\u{feff}a\n1", "[{\"\u{feff}a\":\"1\"}]", &["\u{feff}a"]),
        ("a,a\n1,2\n", r#"[{"a":"1","a":"2"}]"#, &["a"]),
        ("\n1\n", r#"[{"":"1"}]"#, &[""]),
    ] {
        let expected = super::json(expected.as_bytes(), false, keys);
        assert_eq!(post(body), Ok(expected), "{body:?}");
    }
}

#[test]
fn empty_lines_and_files_without_rows() {
    for body in ["a,b\n", "a,b\r\n\r\n\n", "\n", "a\n\"\"\n"] {
        assert_eq!(post(body), Ok(super::json(b"[]", false, &[])), "{body:?}");
    }
    let expected = super::json(br#"[{"a":"1"},{"a":"2"}]"#, false, &["a"]);
    assert_eq!(post("a\n\n1\n\n\"\"\n2\n\n"), Ok(expected));
}

#[test]
fn lines_of_different_length() {
    for body in [
        "a,b\nfoo,bar\nbaz",
        "a,b\nbaz\nfoo,bar",
        "a,b,c\n1,2,3\n1,2\n",
    ] {
        assert_eq!(post(body), Err(PayloadError::RaggedCsv), "{body:?}");
    }
    // Lines that all lack the last fields are equal.
    let expected = super::json(br#"[{"a":"1"},{"a":"2"}]"#, false, &["a"]);
    assert_eq!(post("a,b\n1\n2"), Ok(expected));
    let expected = super::json(br#"[{"a":"1"},{"a":"2"}]"#, false, &["a"]);
    assert_eq!(post("a\n1,x,y\n2,\n"), Ok(expected));
}

#[test]
fn what_is_no_csv() {
    for (body, expected) in [
        ("", "it ends within the names of its fields (line 1)"),
        ("a,b", "it ends within the names of its fields (line 1)"),
        ("a\n1\nx\"y\n", "a quote is where none can be (line 3)"),
        ("a\n\"x\"y\n", "a quote is where none can be (line 2)"),
        ("a\n\"x\n\ny\"\" \n", "a quote is not closed (line 2)"),
        ("a\n\"", "a quote is not closed (line 2)"),
        ("a\n\"x\ny\"z", "a quote is where none can be (line 3)"),
        // It is not CSV although its lines differ, too.
        ("a,b\n1,2\n3\n\"", "a quote is not closed (line 4)"),
    ] {
        assert_eq!(why(body), format!("Invalid CSV: {expected}"), "{body:?}");
    }
    let found = read("POST", "/t", "text/csv", b"a\n\xff\n");
    assert!(matches!(found, Err(PayloadError::InvalidCsv(_))));
}

#[test]
fn columns_do_not_matter() {
    for (method, target) in [("POST", "/t?columns=x"), ("PUT", "/t"), ("POST", "/rpc/f")] {
        let expected = super::json(br#"[{"a":"1"}]"#, false, &["a"]);
        assert_eq!(read(method, target, "text/csv", b"a\n1\n"), Ok(expected));
    }
}

#[test]
fn long_names_do_not_multiply() {
    let name = "n".repeat(100_000);
    let rows = "x\n".repeat(100_000);
    assert!(why(&format!("{name}\n{rows}")).contains("too long"));
    // As long as names of columns can be.
    let columns = vec!["c".repeat(63); 100].join(",");
    let rows = format!("{}\n", ",".repeat(99)).repeat(1000);
    assert!(post(&format!("{columns}\n{rows}")).is_ok());
}
