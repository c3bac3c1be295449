//! Functions that are called.

use crate::{Sent, golden_sent};

const SINGULAR: &str = "accept: application/vnd.pgrst.object+json";
const STRIPPED: &str = "accept: application/vnd.pgrst.array+json;nulls=stripped";

pub(crate) const ARGUMENTS: &[Sent] = &[
    ("POST /rpc/add_them", "", br#"{"b": 2, "a": 1}"#),
    ("POST /rpc/add_them", "", br#" [{"a": 1}, {"a": 5}]"#),
    ("GET /rpc/add_them?a=1&b=2", "", b""),
    ("GET /rpc/add_them?a=x", "", b""),
    ("POST /rpc/add_them?columns=a", "", b"[]"),
    (
        "POST /rpc/add_them",
        "content-type: application/x-www-form-urlencoded",
        b"a=1&b=7",
    ),
    ("GET /rpc/first_letters?word=abc", "", b""),
    ("POST /rpc/first_letters", "", br#"{"word": "abc"}"#),
    ("GET /rpc/sum_all?numbers=1&numbers=2", "", b""),
    ("POST /rpc/sum_all", "", br#"{"numbers": [1, 2, 3]}"#),
    ("GET /rpc/join_all?separator=-&words=a%22,b&words=", "", b""),
    ("GET /rpc/join_all?separator=-&words=", "", b""),
    (
        "POST /rpc/join_all",
        "",
        br#"{"words": ["a", "b"], "separator": "+"}"#,
    ),
    ("POST /rpc/echo_json", "", br#"{"a": [1,  2]}"#),
    ("POST /rpc/echo_jsonb", "", br#"[{"b": null}, {"b":  1e2}]"#),
    (
        "POST /rpc/echo_text",
        "content-type: text/plain",
        b"it's $1 \\ \"text\"",
    ),
    (
        "POST /rpc/echo_bytes",
        "content-type: application/octet-stream",
        b"\x00\xff\\x",
    ),
    ("POST /rpc/echo_xml", "content-type: text/xml", b"<a>1</a>"),
];

pub(crate) const RESULTS: &[Sent] = &[
    ("POST /rpc/nothing", "", b""),
    ("GET /rpc/nothing?wanted=x", "", b""),
    ("GET /rpc/null_text", "", b""),
    ("GET /rpc/null_text", SINGULAR, b""),
    ("GET /rpc/null_text", STRIPPED, b""),
    ("HEAD /rpc/null_text", "", b""),
    ("GET /rpc/numbers?upto=3", "", b""),
    ("GET /rpc/numbers?upto=1", SINGULAR, b""),
    ("GET /rpc/numbers?upto=3", STRIPPED, b""),
    ("GET /rpc/numbers?upto=3", "accept: text/csv", b""),
    (
        "GET /rpc/numbers?upto=9&limit=2&offset=1",
        "prefer: count=exact",
        b"",
    ),
    ("GET /rpc/one_client?wanted=3", "", b""),
    ("GET /rpc/one_client?wanted=3", STRIPPED, b""),
    ("GET /rpc/one_client?wanted=99", "", b""),
    (
        "GET /rpc/one_client?wanted=1&select=called:name",
        SINGULAR,
        b"",
    ),
    (
        "HEAD /rpc/one_client?wanted=1&id=eq.5",
        "prefer: count=exact",
        b"",
    ),
    (
        "GET /rpc/one_client?wanted=1&id=eq.5",
        "prefer: count=exact",
        b"",
    ),
    (
        "POST /rpc/one_client?select=name,projects(id,name)&projects.order=id",
        "",
        br#"{"wanted": 1}"#,
    ),
    ("GET /rpc/pair?a=4", "", b""),
    ("POST /rpc/pair?select=word", "", br#"{"a": 5}"#),
    ("GET /rpc/clients_from?lowest=2", "", b""),
    (
        "GET /rpc/clients_from?lowest=1&select=name&id=gt.1&order=name&limit=1",
        "prefer: count=exact",
        b"",
    ),
    (
        "GET /rpc/clients_from?lowest=1&select=id",
        "prefer: count=planned",
        b"",
    ),
    (
        "GET /rpc/clients_from?lowest=1&select=id",
        "prefer: count=estimated; x: max-rows",
        b"",
    ),
    (
        "GET /rpc/clients_from?lowest=1&select=id",
        "prefer: count=exact",
        b"",
    ),
    (
        "HEAD /rpc/clients_from?lowest=1",
        "prefer: count=exact",
        b"",
    ),
    (
        "GET /rpc/clients_from?lowest=1&select=id.count(),id.sum()",
        "",
        b"",
    ),
    ("GET /rpc/clients_from?lowest=1", "accept: text/csv", b""),
    ("GET /rpc/clients_from?lowest=1", "accept: text/rows", b""),
    (
        "POST /rpc/rename_clients?select=name,id&order=id",
        "prefer: count=exact",
        br#"{"suffix": "!"}"#,
    ),
    ("GET /rpc/page?title=t", "accept: text/html", b""),
    (
        "POST /rpc/page",
        "accept: text/html",
        br#"{"title": "posted"}"#,
    ),
    ("POST /rpc/reply", "", b"{}"),
];

#[test]
fn golden_calls() {
    insta::assert_snapshot!("arguments", golden_sent(ARGUMENTS));
    insta::assert_snapshot!("results", golden_sent(RESULTS));
}
