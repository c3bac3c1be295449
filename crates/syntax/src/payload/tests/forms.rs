//! Bodies of forms.

use super::{json, read};
use crate::payload::{Payload, PayloadError};

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn functions_take_pairs() {
    for (body, pairs) in [
        ("", &[][..]),
        ("v=hi&v=there", &[("v", "hi"), ("v", "there")]),
        (
            "b=forms+are+fun&a=%7Ba,b%7D&c=%2B%3d",
            &[("b", "forms are fun"), ("a", "{a,b}"), ("c", "+=")],
        ),
        ("a=1;b=2&", &[("a", "1"), ("b", "2")]),
        (
            "a&b=&=c&d=e=f",
            &[("a", ""), ("b", ""), ("", "c"), ("d", "e=f")],
        ),
        ("%61=%zz%", &[("a", "%zz%")]),
        ("\u{e9}=%C3%A9", &[("\u{e9}", "\u{e9}")]),
    ] {
        let pairs = pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        let expected = Payload::Form(pairs.collect());
        assert_eq!(read("POST", "/rpc/f", FORM, body.as_bytes()), Ok(expected));
    }
}

#[test]
fn relations_take_one_row_of_strings() {
    for (body, row, keys) in [
        ("", "{}", &[][..]),
        (
            "b=x+y&a=%22%00",
            r#"{"a":"\"\u0000","b":"x y"}"#,
            &["a", "b"],
        ),
        ("a=1&b=2&a=3", r#"{"a":"3","b":"2"}"#, &["a", "b"]),
        ("a=NULL&%22=", r#"{"\"":"","a":"NULL"}"#, &["\"", "a"]),
    ] {
        for (method, target) in [("POST", "/t?columns=x"), ("PATCH", "/t"), ("PUT", "/t")] {
            let expected = json(row.as_bytes(), true, keys);
            assert_eq!(read(method, target, FORM, body.as_bytes()), Ok(expected));
        }
    }
}

#[test]
fn bytes_that_are_no_text() {
    for body in [&b"a=\xff"[..], b"a=%FF", b"%C3=1"] {
        for target in ["/t", "/rpc/f"] {
            let found = read("POST", target, FORM, body);
            assert_eq!(found, Err(PayloadError::InvalidForm));
        }
    }
}
