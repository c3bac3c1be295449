//! The short cuts of the silent reading against the whole grammar.

use std::fmt::Debug;

use proptest::prelude::*;

use super::{columns, logic_tree, operation, order_terms, rest_value, select_items, tree_path};
use crate::Limits;
use crate::scanner::{Parsed, Scanner};

const LIMITS: Limits = Limits {
    query_bytes: 1000,
    query_body_bytes: 1000,
    embed_depth: 3,
    logic_depth: 3,
    items: 100,
};

fn same<'t, T: PartialEq + Debug>(
    text: &'t str,
    silent: impl FnOnce(&mut Scanner<'t, false>) -> Parsed<T>,
    explaining: impl FnOnce(&mut Scanner<'t, true>) -> Parsed<T>,
) {
    let mut silently = Scanner::new(text, &LIMITS);
    let mut aloud = Scanner::new(text, &LIMITS);
    let (one, other) = (silent(&mut silently).ok(), explaining(&mut aloud).ok());
    assert_eq!(one, other, "{text:?}");
    if one.is_some() {
        let read = (silently.at(), silently.items());
        assert_eq!(read, (aloud.at(), aloud.items()), "{text:?}");
    }
}

/// Texts of what names, operators and their neighbours are made of.
fn texts() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "b_1",
        "count",
        "Z9",
        "é",
        "\"q,\"",
        "*",
        ",",
        ".",
        ":",
        "::",
        "(",
        ")",
        " ",
        "-",
        "->",
        "->>",
        "!inner",
        "!left",
        "...",
        "sum()",
        "count()",
        "asc",
        "desc",
        "nullsfirst",
        "eq",
        "not",
        "gte",
        "in",
        "is",
        "like",
        "(any)",
        "(all)",
        "fts",
        "null",
        "0",
        "$",
        "\t",
    ];
    let piece = prop::sample::select(pieces.to_vec());
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn short_cuts_read_what_the_grammar_reads(text in texts()) {
        same(&text, select_items, select_items);
        same(&text, order_terms, order_terms);
        same(&text, tree_path, tree_path);
        same(&text, columns, columns);
        let tree = format!("or(a.eq.1,{text})");
        same(&tree, logic_tree, logic_tree);
        same(&text, |s| operation(s, rest_value), |s| operation(s, rest_value));
    }
}
