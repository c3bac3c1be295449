//! What clients read about malformed parameters.

use crate::request::query_error;
use std::fmt::Write as _;

/// Target; then the parameter and position in the message; then the details.
type Case = (&'static str, &'static str, &'static str);

#[track_caller]
fn check(cases: &[Case]) {
    for (target, message, details) in cases {
        let found = query_error(target);
        assert_eq!(
            (found.0.as_str(), found.1.as_str()),
            (*message, *details),
            "{target}"
        );
    }
}

#[test]
fn filters() {
    check(&[
        (
            "/t?a.b=noop.0",
            r#""failed to parse filter (noop.0)" (line 1, column 1)"#,
            r#"unexpected "o" expecting "not" or operator (eq, gt, ...)"#,
        ),
        (
            "/t?id=val",
            r#""failed to parse filter (val)" (line 1, column 1)"#,
            r#"unexpected "v" expecting "not" or operator (eq, gt, ...)"#,
        ),
        (
            "/t?id=0",
            r#""failed to parse filter (0)" (line 1, column 1)"#,
            r#"unexpected "0" expecting "not" or operator (eq, gt, ...)"#,
        ),
        (
            "/t?id=fts().value",
            r#""failed to parse filter (fts().value)" (line 1, column 5)"#,
            r#"unexpected ")" expecting operator (eq, gt, ...)"#,
        ),
        (
            "/t?id=eq().value",
            r#""failed to parse filter (eq().value)" (line 1, column 4)"#,
            r#"unexpected ")" expecting operator (eq, gt, ...)"#,
        ),
        (
            "/t?id=is().value",
            r#""failed to parse filter (is().value)" (line 1, column 3)"#,
            r#"unexpected "(" expecting operator (eq, gt, ...)"#,
        ),
        (
            "/t?id=in().value",
            r#""failed to parse filter (in().value)" (line 1, column 3)"#,
            r#"unexpected "(" expecting operator (eq, gt, ...)"#,
        ),
    ]);
}

#[test]
fn select() {
    check(&[
        (
            "/t?select=id,clients(name[])",
            r#""failed to parse select parameter (id,clients(name[]))" (line 1, column 16)"#,
            r#"unexpected '[' expecting letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input"#,
        ),
        (
            "/t?select=data->>-78xy",
            r#""failed to parse select parameter (data->>-78xy)" (line 1, column 11)"#,
            r#"unexpected 'x' expecting digit, "->", "::", ".", "," or end of input"#,
        ),
        (
            "/t?select=data->>--34",
            r#""failed to parse select parameter (data->>--34)" (line 1, column 9)"#,
            r#"unexpected "-" expecting digit"#,
        ),
        (
            "/t?select=data->>-xy-4",
            r#""failed to parse select parameter (data->>-xy-4)" (line 1, column 9)"#,
            r#"unexpected "x" expecting digit"#,
        ),
        (
            "/t?select=data->(!@",
            r#""failed to parse select parameter (data->(!@)" (line 1, column 7)"#,
            r#"unexpected "(" expecting "-", digit or any non reserved character different from: .,>()"#,
        ),
        (
            "/t?id=eq.10&select=data->(!@#$%^%26*_d->>!@#$%^%26*_e::integer",
            r#""failed to parse select parameter (data->(!@#$%^&*_d->>!@#$%^&*_e::integer)" (line 1, column 7)"#,
            r#"unexpected "(" expecting "-", digit or any non reserved character different from: .,>()"#,
        ),
        (
            "/t?select=name!hint",
            r#""failed to parse select parameter (name!hint)" (line 1, column 5)"#,
            r#"unexpected '!' expecting letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input"#,
        ),
        (
            "/t?select=a,*!hint",
            r#""failed to parse select parameter (a,*!hint)" (line 1, column 4)"#,
            r#"unexpected '!' expecting ")", "," or end of input"#,
        ),
        (
            "/t?select=name::",
            r#""failed to parse select parameter (name::)" (line 1, column 7)"#,
            "unexpected end of input expecting letter or digit",
        ),
    ]);
}

#[test]
fn order() {
    check(&[
        (
            "/t?order=clients(name,id)",
            r#""failed to parse order (clients(name,id))" (line 1, column 8)"#,
            r#"unexpected '(' expecting letter, digit, "-", "->>", "->", delimiter (.), "," or end of input"#,
        ),
        (
            "/t?order=id.ac",
            r#""failed to parse order (id.ac)" (line 1, column 4)"#,
            r#"unexpected "c" expecting "asc", "desc", "nullsfirst" or "nullslast""#,
        ),
        (
            "/t?order=id.descc",
            r#""failed to parse order (id.descc)" (line 1, column 8)"#,
            r#"unexpected 'c' expecting delimiter (.), "," or end of input"#,
        ),
        (
            "/t?order=id.nulsfist",
            r#""failed to parse order (id.nulsfist)" (line 1, column 4)"#,
            r#"unexpected "n" expecting "asc", "desc", "nullsfirst" or "nullslast""#,
        ),
        (
            "/t?order=id.nullslasttt",
            r#""failed to parse order (id.nullslasttt)" (line 1, column 13)"#,
            r#"unexpected 't' expecting "," or end of input"#,
        ),
        (
            "/t?order=id.smth34",
            r#""failed to parse order (id.smth34)" (line 1, column 4)"#,
            r#"unexpected "s" expecting "asc", "desc", "nullsfirst" or "nullslast""#,
        ),
        (
            "/t?order=id.asc.nlsfst",
            r#""failed to parse order (id.asc.nlsfst)" (line 1, column 8)"#,
            r#"unexpected "l" expecting "nullsfirst" or "nullslast""#,
        ),
        (
            "/t?order=id.asc.nullslasttt",
            r#""failed to parse order (id.asc.nullslasttt)" (line 1, column 17)"#,
            r#"unexpected 't' expecting "," or end of input"#,
        ),
        (
            "/t?order=id.asc.smth34",
            r#""failed to parse order (id.asc.smth34)" (line 1, column 8)"#,
            r#"unexpected "s" expecting "nullsfirst" or "nullslast""#,
        ),
    ]);
}

#[test]
fn logic_trees() {
    check(&[
        (
            "/t?or=()",
            r#""failed to parse logic tree (())" (line 1, column 4)"#,
            r#"unexpected ")" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)"#,
        ),
        (
            "/t?or=(id.in.1,2,id.eq.3)",
            r#""failed to parse logic tree ((id.in.1,2,id.eq.3))" (line 1, column 10)"#,
            r#"unexpected "1" expecting "(""#,
        ),
        (
            "/t?or=)(",
            r#""failed to parse logic tree ()()" (line 1, column 3)"#,
            r#"unexpected ")" expecting "(""#,
        ),
        (
            "/t?and=(ord(id.eq.1,id.eq.1),id.eq.2)",
            r#""failed to parse logic tree ((ord(id.eq.1,id.eq.1),id.eq.2))" (line 1, column 7)"#,
            r#"unexpected "d" expecting "(""#,
        ),
        (
            "/t?or=(id.eq.1,not.xor(id.eq.2,id.eq.3))",
            r#""failed to parse logic tree ((id.eq.1,not.xor(id.eq.2,id.eq.3)))" (line 1, column 16)"#,
            r#"unexpected "x" expecting logic operator (and, or)"#,
        ),
    ]);
}

#[test]
fn columns() {
    check(&[
        (
            "/t?columns=",
            r#""failed to parse columns parameter ()" (line 1, column 1)"#,
            "unexpected end of input expecting field name (* or [a..z0..9_$])",
        ),
        (
            "/t?columns=:",
            r#""failed to parse columns parameter (:)" (line 1, column 1)"#,
            r#"unexpected ":" expecting field name (* or [a..z0..9_$])"#,
        ),
    ]);
}

/// Texts that no specification fixes: what matters is that they stay as they are.
#[test]
fn further_texts() {
    let targets = [
        "/t?select=rel->jsonpath(*)",
        "/t?select=a(b",
        "/t?select=a(b,",
        "/t?select=b,...a",
        "/t?select=a:",
        "/t?select=a!(b)",
        "/t?select=a.sum(b)",
        "/t?select=a.median()",
        "/t?select=\"a",
        "/t?select=\"a\\",
        "/t?select=count(*)",
        "/t?select=a\u{e9}\u{1}",
        "/t?select=a%0Ab%09c[",
        "/t?id=eq",
        "/t?id=not.foo.1",
        "/t?id=in.1",
        "/t?id=in.(1,2",
        "/t?id=is.nul",
        "/t?id=is.",
        "/t?id=fts(english.word",
        "/t?id=",
        "/t?.id=eq.1",
        "/t?a->=eq.1",
        "/t?order=",
        "/t?order=a(b",
        "/t?order=a,",
        "/t?a..order=b",
        "/t?and=",
        "/t?and=(",
        "/t?and=(a.eq.1",
        "/t?and=(a.eq.1,",
        "/t?or=(a.foo.1)",
        "/t?not.and=a",
        "/t?a..or=(b.eq.1)",
        "/t?on_conflict=",
        "/t?columns=a,,b",
        "/rpc/f?a=in.5",
        "/rpc/f?a=not.5",
        "/t?a=eq.%FF",
        "/t?a%FF=eq.1",
    ];
    let mut golden = String::new();
    for target in targets {
        let (message, details) = query_error(target);
        writeln!(golden, "{target:?}\n  {message}\n  {details}").unwrap();
    }
    insta::assert_snapshot!(golden);
}

#[test]
fn the_first_fault_in_order_of_reading_is_reported() {
    let faults = [
        ("order=%5B", "order"),
        ("or=%5B", "logic tree"),
        ("columns=%5B", "columns parameter"),
        ("select=a%5B", "select parameter"),
        ("a=%5B", "filter"),
        ("on_conflict=%5B", "on_conflict parameter"),
    ];
    for first in 0..faults.len() {
        let query: Vec<&str> = faults[first..]
            .iter()
            .rev()
            .map(|(query, _)| *query)
            .collect();
        let (message, _) = query_error(&format!("/t?{}", query.join("&")));
        let wanted = format!("\"failed to parse {} (", faults[first].1);
        assert!(message.starts_with(&wanted), "{message}");
    }
}
