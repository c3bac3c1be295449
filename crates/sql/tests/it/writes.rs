//! Rows that are inserted, changed and deleted.

use crate::{Sent, golden_sent};

const SHOWN: &str = "prefer: return=representation";

pub(crate) const INSERTS: &[Sent] = &[
    (
        "POST /stock",
        "",
        br#"{"id": 7, "name": "seven", "tags": ["x", null], "data": {"a": 1}}"#,
    ),
    (
        "POST /stock",
        SHOWN,
        br##"{"id": 7, "amount": "12.345", "tags": null, "color": "#00ff00"}"##,
    ),
    (
        "POST /stock?select=name,id",
        SHOWN,
        br#"[{"id": 7, "name": "a"}, {"id": 8, "name": "b"}]"#,
    ),
    (
        "POST /stock",
        "",
        br#"{"id": 7, "name": "longer than it may be"}"#,
    ),
    ("POST /stock", "", b"[]"),
    ("POST /stock?select=name,amount", SHOWN, b"{}"),
    ("POST /stock?select=name,amount", SHOWN, b"[{}, {}]"),
    (
        "POST /stock?select=name&columns=id,name",
        SHOWN,
        br#"[{"id": 7, "name": "n", "a": 1}, {"id": 8, "name": "m"}]"#,
    ),
    (
        "POST /stock?select=id,name,color",
        "prefer: return=representation, missing=default",
        br##"{"color": "#0000ff"}"##,
    ),
    (
        "POST /stock?select=name,amount,color&columns=name,amount,color",
        "prefer: return=representation, missing=default",
        br##"[{"name": "a"}, {"amount": null, "color": "#010203"}]"##,
    ),
    (
        "POST /stock?select=id,label,projects(name,clients(name))",
        SHOWN,
        br#"{"id": 7, "project_id": 1}"#,
    ),
    (
        "POST /stock?select=shown:id,name",
        "prefer: return=representation; accept: text/csv",
        br#"{"id": 7, "name": "csv"}"#,
    ),
    (
        "POST /stock?select=id",
        "prefer: return=representation; accept: application/vnd.pgrst.object+json",
        br#"{"id": 7}"#,
    ),
    (
        "POST /stock?order=id.desc&select=id",
        SHOWN,
        br#"[{"id": 7}, {"id": 9}, {"id": 8}]"#,
    ),
    (
        "POST /projects",
        "prefer: return=representation; accept: text/names",
        br#"[{"id": 7, "name": "p"}, {"id": 8, "name": "q"}]"#,
    ),
];

pub(crate) const LOCATIONS: &[Sent] = &[
    (
        "POST /stock",
        "prefer: return=headers-only",
        br#"{"id": 7}"#,
    ),
    (
        "POST /stock",
        "prefer: return=headers-only",
        br#"[{"id": 7}, {"id": 8}]"#,
    ),
    (
        "POST /stock?select=name",
        "prefer: return=headers-only",
        br#"{"id": 7}"#,
    ),
    (
        "POST /places",
        "prefer: return=headers-only",
        br#"{"at": "2024-01-31 12:00", "it's\\": 5}"#,
    ),
];

pub(crate) const UPSERTS: &[Sent] = &[
    (
        "POST /stock?select=id,name",
        "prefer: return=representation, resolution=merge-duplicates",
        br#"[{"id": 1, "name": "new"}, {"id": 9, "name": "nine"}]"#,
    ),
    (
        "POST /stock?select=id,name",
        "prefer: return=representation, resolution=ignore-duplicates",
        br#"[{"id": 1, "name": "new"}, {"id": 9, "name": "nine"}]"#,
    ),
    (
        "POST /stock?on_conflict=id",
        "prefer: resolution=merge-duplicates",
        br##"{"id": 2, "color": "#000000"}"##,
    ),
    ("POST /stock", "prefer: resolution=merge-duplicates", b"{}"),
    ("POST /stock", "prefer: resolution=merge-duplicates", b"[]"),
    ("PUT /stock?id=eq.1", "", br#"{"id": 1, "name": "put"}"#),
    (
        "PUT /stock?id=eq.7&select=id,name",
        SHOWN,
        br#"[{"id": 7, "name": "put"}]"#,
    ),
    ("PUT /stock?id=eq.8", "", br#"{"id": 7, "name": "put"}"#),
    ("PUT /stock?id=eq.1", "", b"{}"),
];

pub(crate) const CONFLICTS: &[Sent] = &[
    (
        "POST /handles?on_conflict=name&select=id,region",
        "prefer: return=representation, resolution=merge-duplicates",
        br#"[{"id": 1, "name": "ada", "region": "x"}]"#,
    ),
    (
        "POST /handles?on_conflict=name&select=id",
        "prefer: return=representation, resolution=ignore-duplicates",
        br#"[{"id": 7, "name": "ada"}, {"id": 8, "name": "bob"}]"#,
    ),
    (
        "POST /handles?on_conflict=handles_lower&select=id,name",
        "prefer: return=representation, resolution=merge-duplicates",
        br#"{"id": 1, "name": "ADA", "region": "n"}"#,
    ),
    (
        "POST /handles?on_conflict=handles_region_off&select=id,name",
        "prefer: return=representation, resolution=merge-duplicates",
        br#"{"id": 2, "name": "eve", "region": "s", "active": false}"#,
    ),
    (
        "POST /handles?on_conflict=region,name&select=id,active",
        "prefer: return=representation, resolution=merge-duplicates",
        br#"{"id": 2, "name": "ada", "region": "s", "active": true}"#,
    ),
    (
        "POST /handles?on_conflict=active",
        "prefer: resolution=merge-duplicates",
        br#"{"id": 3}"#,
    ),
    (
        "POST /handles?on_conflict=no_index",
        "prefer: resolution=merge-duplicates",
        br#"{"id": 3}"#,
    ),
];

pub(crate) const CHANGES: &[Sent] = &[
    ("PATCH /stock?id=eq.1", "", br#"{"name": "changed"}"#),
    (
        "PATCH /stock?id=eq.1",
        SHOWN,
        br##"{"amount": 9, "color": "#0a0b0c"}"##,
    ),
    (
        "PATCH /stock?select=id,amount&id=lt.9&order=id",
        "prefer: return=representation, missing=default",
        br#"{"amount": 3}"#,
    ),
    (
        "PATCH /stock?select=id,name,amount&columns=name,amount&id=eq.2",
        "prefer: return=representation, missing=default",
        br#"{"amount": 3}"#,
    ),
    (
        "PATCH /stock?select=id&color=eq.%230000ff&or=(id.eq.1,name.like.t*)",
        SHOWN,
        br#"[{"name": "array"}]"#,
    ),
    ("PATCH /stock?id=eq.1", "", b"{}"),
    ("PATCH /stock?id=eq.1", SHOWN, b"{}"),
    (
        "PATCH /stock?id=eq.1&select=id,label,projects(name)",
        SHOWN,
        b"{}",
    ),
    ("PATCH /stock?id=eq.1", "", br#"{"name": null}"#),
    ("DELETE /stock?id=eq.1", "", b""),
    (
        "DELETE /stock?select=id,projects(name)&order=id.desc",
        SHOWN,
        b"",
    ),
    (
        "DELETE /stock?id=gt.100",
        "prefer: return=representation; accept: application/vnd.pgrst.object+json;nulls=stripped",
        b"",
    ),
];

const BY_KEY: &str = "prefer: return=representation, update=by-key";

pub(crate) const BY_KEYS: &[Sent] = &[
    (
        "PATCH /stock?select=id,name,projects(name)&order=id.desc",
        BY_KEY,
        br#"[{"id": 1, "name": "first"}, {"id": 9, "name": "none"}, {"name": "second", "id": 2}]"#,
    ),
    (
        "PATCH /stock?id=gt.1",
        "prefer: update=by-key",
        br##"[{"id": 1, "color": "#000001"}, {"id": 2, "color": "#000002"}]"##,
    ),
    (
        "PATCH /stock",
        BY_KEY,
        br#"{"id": 2, "amount": 7}"#,
    ),
    (
        "PATCH /stock?columns=name,amount&select=id,name,amount",
        "prefer: return=representation, update=by-key, missing=default",
        br#"[{"id": 1, "name": "n", "tags": ["z"]}, {"id": 2, "amount": 3}, {"name": "x"}]"#,
    ),
    (
        "PATCH /handles?on_conflict=name,region&select=id,active",
        BY_KEY,
        br#"[{"name": "ada", "region": "s", "active": true}, {"name": "ada", "region": null, "active": false}]"#,
    ),
    (
        "PATCH /stock?select=id",
        BY_KEY,
        br#"[{"id": 1, "name": "a"}, {"id": "1", "name": "b"}, {"id": 2, "name": "c"}]"#,
    ),
    ("PATCH /stock?select=id,name", BY_KEY, b"[]"),
    (
        "PATCH /places",
        "prefer: update=by-key",
        br#"[{"at": "2024-01-31 12:00", "it's\\": 5, "note": "n"}]"#,
    ),
];

const OPERATIONS_SHOWN: &str = "prefer: return=representation, values=operations";

pub(crate) const OPERATIONS: &[Sent] = &[
    (
        "PATCH /stock?id=eq.1&select=id,name,amount,tags,data",
        OPERATIONS_SHOWN,
        br#"{"name": "x", "amount": {"$inc": 0.5}, "tags": {"$append": ["c", null]},
            "data": {"$merge": {"a": [1.10, "e"], "k": null}}}"#,
    ),
    (
        "PATCH /stock?order=id&select=id,amount,tags,data",
        OPERATIONS_SHOWN,
        br#"{"amount": {"$inc": -1}, "tags": {"$prepend": ["z"]}, "data": {"$append": ["q"]}}"#,
    ),
    (
        "PATCH /stock?order=id&select=id,tags,data",
        OPERATIONS_SHOWN,
        br#"{"tags": {"$remove": ["a", "x"]}, "data": {"$remove": ["k"]}}"#,
    ),
    (
        "PATCH /stock?id=eq.2&select=data",
        OPERATIONS_SHOWN,
        br#"{"data": {"$prepend": [1]}}"#,
    ),
    (
        "PATCH /stock?select=id,amount,tags&order=id",
        "prefer: return=representation, update=by-key, values=operations",
        br#"[{"id": 1, "amount": {"$inc": 1}, "tags": {"$append": ["1"]}},
            {"id": 2, "amount": {"$inc": 2.25}, "tags": {"$append": ["2"]}}]"#,
    ),
    (
        "PATCH /stock?id=eq.1",
        "prefer: values=operations",
        br#"{"project_id": {"$inc": 1.5}}"#,
    ),
    (
        "PATCH /stock?id=eq.1",
        "prefer: values=operations",
        br#"{"amount": {"$inc": 99999}}"#,
    ),
    (
        "PATCH /stock?id=eq.1&columns=amount&select=amount,name",
        "prefer: return=representation, values=operations, missing=default",
        br#"{"amount": {"$inc": 1.000000000000000000001}, "name": "y"}"#,
    ),
];

pub(crate) const EXPLAINED: &[Sent] = &[
    (
        "POST /stock",
        "accept: application/vnd.pgrst.plan",
        br#"{"id": 7}"#,
    ),
    (
        "PATCH /stock?id=eq.1",
        "accept: application/vnd.pgrst.plan+json; options=analyze|verbose|settings|buffers|wal",
        br#"{"id": 7}"#,
    ),
    (
        "/projects?id=eq.1",
        "accept: application/vnd.pgrst.plan+json; options=verbose",
        b"",
    ),
    (
        "POST /rpc/add_them",
        "accept: application/vnd.pgrst.plan+text; options=analyze",
        br#"{"a": 1}"#,
    ),
];

#[test]
fn golden_writes() {
    insta::assert_snapshot!("inserts", golden_sent(INSERTS));
    insta::assert_snapshot!("locations", golden_sent(LOCATIONS));
    insta::assert_snapshot!("upserts", golden_sent(UPSERTS));
    insta::assert_snapshot!("conflicts", golden_sent(CONFLICTS));
    insta::assert_snapshot!("changes", golden_sent(CHANGES));
    insta::assert_snapshot!("by_keys", golden_sent(BY_KEYS));
    insta::assert_snapshot!("operations", golden_sent(OPERATIONS));
    insta::assert_snapshot!("explained", golden_sent(EXPLAINED));
}
