//! What holds for all bodies.

use super::{json, read};
use crate::payload::{Payload, PayloadError};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// The rules of JSON bodies on a tree of values.
fn by_tree(body: &[u8]) -> Result<Payload, PayloadError> {
    let value: Value = serde_json::from_slice(body).map_err(|_| PayloadError::InvalidJson)?;
    let names = |value: &Value| -> Option<BTreeSet<String>> {
        Some(value.as_object()?.keys().cloned().collect())
    };
    let first = match &value {
        Value::Object(_) => names(&value),
        Value::Array(rows) if !rows.is_empty() => {
            let first = names(&rows[0]).ok_or(PayloadError::DifferentKeys)?;
            if rows.iter().any(|row| names(row).as_ref() != Some(&first)) {
                return Err(PayloadError::DifferentKeys);
            }
            Some(first)
        }
        _ => None,
    };
    Ok(match first {
        Some(names) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            json(body, value.is_object(), &names)
        }
        None => json(b"[]", false, &[]),
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-d]", any::<String>()]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Rows of the same names, each in an order of its own, some of them spoilt.
fn rows() -> impl Strategy<Value = String> {
    let names = proptest::collection::btree_set("[a-f]", 0..5)
        .prop_map(|names| names.into_iter().collect::<Vec<_>>());
    names.prop_flat_map(|names| {
        let row = Just(names).prop_shuffle().prop_map(|names| {
            let members: Vec<String> = names.iter().map(|name| format!("\"{name}\": 1")).collect();
            format!("{{{}}}", members.join(", "))
        });
        let row =
            prop_oneof![30 => row, 1 => Just("{\"a\":1}".to_owned()), 1 => Just("2".to_owned())];
        proptest::collection::vec(row, 0..8).prop_map(|rows| format!("[{}]", rows.join(",")))
    })
}

/// Text with the signs that the formats give a meaning.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        proptest::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            "\"",
            ":",
            ",",
            "\\",
            "\\u0061",
            "\"a\":1",
            "\n",
            "\r",
            " ",
            "&",
            "=",
            "%41",
            "+",
            "NULL",
            "null",
            "1",
            "{\"a\":1}",
            "a",
        ])
        .prop_map(|token| token.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..3),
    ];
    proptest::collection::vec(token, 0..20).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn values_are_read_as_their_tree_is(value in value()) {
        let body = serde_json::to_vec_pretty(&value)?;
        let found = read("POST", "/t", "application/json", &body);
        prop_assert_eq!(found, by_tree(&body));
    }

    #[test]
    fn rows_are_read_as_their_tree_is(body in rows()) {
        let found = read("PATCH", "/t", "application/json", body.as_bytes());
        prop_assert_eq!(found, by_tree(body.as_bytes()));
    }

    #[test]
    fn fragments_of_json_are_read_as_their_tree_is(body in fragment()) {
        let found = read("POST", "/t", "application/json", &body);
        prop_assert_eq!(found, by_tree(&body));
    }

    #[test]
    fn any_body_is_read_or_refused(body in fragment()) {
        for content_type in ["text/csv", "application/x-www-form-urlencoded"] {
            let found = read("POST", "/t", content_type, &body);
            if let Ok(Payload::Json { bytes, .. }) = &found {
                prop_assert_eq!(&found, &by_tree(bytes));
            }
        }
    }

    #[test]
    fn files_are_read_as_they_were_written(
        cells in proptest::collection::vec(proptest::collection::vec("[a\",\r\n \u{e9}]{1,4}", 3), 1..5),
        quoted in any::<bool>(),
        end in prop_oneof!["\n", "\r\n"],
    ) {
        let cell = |text: &String| {
            if quoted || text.contains(['"', ',', '\r', '\n']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text.clone()
            }
        };
        let line = |cells: &Vec<String>| cells.iter().map(cell).collect::<Vec<_>>().join(",") + &end;
        let file = format!("x,y,z{end}{}", cells.iter().map(line).collect::<String>());
        let Ok(Payload::Json { bytes, keys, .. }) = read("POST", "/t", "text/csv", file.as_bytes()) else {
            return Err(TestCaseError::fail(file));
        };
        prop_assert_eq!(keys, ["x", "y", "z"]);
        let read: Vec<[(String, String); 3]> = serde_json::from_slice::<Vec<Value>>(&bytes)?
            .iter()
            .map(|row| ["x", "y", "z"].map(|name| (name.to_owned(), row[name].as_str().unwrap().to_owned())))
            .collect();
        let written: Vec<[(String, String); 3]> = cells
            .iter()
            .map(|row| [("x", 0), ("y", 1), ("z", 2)].map(|(name, at)| (name.to_owned(), row[at].clone())))
            .collect();
        prop_assert_eq!(read, written);
    }
}
