//! Parameters of the query string and its canonical form.

use crate::request::{LIMITS, exposure, get, head};
use passerelle_syntax::{ApiRequest, parse};

fn canonical(query: &str) -> String {
    let request = get(&format!("/rpc/f?{query}")).unwrap();
    request.canonical_query.unwrap()
}

#[test]
fn the_canonical_form_is_sorted_and_encoded() {
    for (query, expected) in [
        ("", ""),
        ("a=1&c=3&b=2&d", "a=1&b=2&c=3&d="),
        ("b=eq.1&a=eq.1", "a=eq.1&b=eq.1"),
        ("select=*&id=eq.5", "id=eq.5&select=%2A"),
        ("a=1&b=2&a=3", "a=1,3&b=2"),
        ("a=x+y%2b%7e", "a=x%20y%2B~"),
        ("a=%C3%A9", "a=%C3%A9"),
        ("a=1&", "a=1"),
        ("a=1&&b=2", "=&a=1&b=2"),
        ("?a=1", "a=1"),
    ] {
        assert_eq!(canonical(query), expected, "{query}");
    }
}

#[test]
fn semicolons_separate_as_ampersands_do() {
    let request = get("/t?a=eq.1;b=eq.2&c=eq.3").unwrap();
    assert_eq!(request.filters.len(), 3);
}

#[test]
fn of_reserved_parameters_the_first_counts() {
    let request = get("/t?columns=a&columns=b&on_conflict=c&on_conflict=d").unwrap();
    assert_eq!(request.columns, Some(vec!["a".to_owned()]));
    assert_eq!(request.on_conflict, Some(vec!["c".to_owned()]));
}

#[test]
fn columns_are_a_set() {
    let request = get("/t?columns=b, a,\"x,y\",b&on_conflict=b,a").unwrap();
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(request.columns, Some(names(&["a", "b", "x,y"])));
    assert_eq!(request.on_conflict, Some(names(&["b", "a"])));
}

#[test]
fn names_are_reserved_only_without_quotes() {
    let request = get("/t?\"order\"=eq.1&x.\"limit\"=eq.2&\"select\"=eq.3&y.select=eq.4").unwrap();
    let names: Vec<&str> = request
        .filters
        .iter()
        .map(|(_, filter)| filter.field.name.as_str())
        .collect();
    assert_eq!(names, ["order", "limit", "select", "select"]);
}

#[test]
fn parameters_without_a_value_are_ignored() {
    let request = get("/t?a&order&limit&columns&on_conflict&or&&=").map(|request| request.filters);
    assert!(
        request.is_err(),
        "only the nameless one with a value is wrong"
    );
    assert_eq!(
        get("/t?a&order&limit&columns&on_conflict&or&")
            .unwrap()
            .filters,
        []
    );
}

fn call(method: &str, query: &str) -> Option<ApiRequest> {
    let target = format!("/rpc/f?{query}");
    parse(&head(method, &target, &[]), &exposure(), &LIMITS).ok()
}

#[test]
fn functions_take_what_has_no_operator_as_arguments() {
    for method in ["GET", "HEAD"] {
        let request = call(method, "a=1&b=eq.2&x.c=it's&d=&e=isabella&a=3").unwrap();
        let arguments: Vec<(&str, &str)> = request
            .arguments
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(
            arguments,
            [
                ("a", "1"),
                ("c", "it's"),
                ("d", ""),
                ("e", "isabella"),
                ("a", "3")
            ]
        );
        assert_eq!(request.filters.len(), 1);
    }
    assert!(call("POST", "a=1").is_none());
    assert!(call("POST", "a=eq.1").is_some());
    assert!(call("GET", "a=not.1").is_none());
}
