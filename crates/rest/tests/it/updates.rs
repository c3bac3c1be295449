//! Updates by key, and by operations on what columns hold.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::api::{Api, Reply, extended, settings};

const SQL: &str = "
    create domain api.score as numeric(12, 2) check (value >= 0);
    create table api.items (
      id int primary key, name text, code text unique, views bigint default 3,
      score api.score, tags text[], meta jsonb, notes json, at date
    );
    create table api.keyless (a int, b int);
    create function api.shout(api.items) returns text language sql stable
      as $$ select upper($1.name) $$;
    grant all on api.items, api.keyless to anon;
    insert into api.items (id, name, code) values (1, 'a', 'A'), (2, 'b', 'B'), (3, 'c', 'C');
    create table api.mine (id int primary key, owner text, name text);
    insert into api.mine values (1, 'anon', 'x'), (2, 'other', 'y');
    alter table api.mine enable row level security;
    create policy own on api.mine to anon using (owner = current_user);
    grant all on api.mine to anon;
";

async fn patch(api: &Api, url: &str, prefer: &str, body: Value) -> Reply {
    let headers = [("Content-Type", "application/json"), ("Prefer", prefer)];
    api.send_body("PATCH", url, &headers, body.to_string())
        .await
}

async fn by_key(api: &Api, url: &str, body: Value) -> Reply {
    patch(api, url, "update=by-key, return=representation", body).await
}

async fn operate(api: &Api, url: &str, body: Value) -> Reply {
    patch(api, url, "values=operations, return=representation", body).await
}

async fn names(api: &Api) -> Value {
    api.get("/items?select=id,name&order=id").await.json()
}

#[actix_web::test]
async fn each_row_changes_the_one_with_its_key() {
    let api = Api::after(SQL, extended()).await;
    let body = json!([{"id": 3, "name": "z"}, {"id": 7, "name": "y"}, {"id": 1, "name": "x"}]);
    let reply = by_key(&api, "/items?select=id,name,shout&order=id", body.clone()).await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (
            200,
            json!([{"id": 1, "name": "x", "shout": "X"}, {"id": 3, "name": "z", "shout": "Z"}])
        )
    );
    assert_eq!(reply.header("unmatched-rows"), "1");
    assert_eq!(reply.header("unmatched-keys"), r#"[{"id":7}]"#);
    assert_eq!(
        reply.header("preference-applied"),
        "return=representation, update=by-key"
    );
    let silent = patch(&api, "/items", "update=by-key, count=exact", body).await;
    assert_eq!((silent.status.as_u16(), silent.body.as_str()), (204, ""));
    assert_eq!(silent.header("content-range"), "0-1/2");
    let all = by_key(&api, "/items?select=*", json!([{"id": 2, "name": "w"}])).await;
    assert_eq!(all.json()[0]["code"], "B");
    assert_eq!(all.header("unmatched-rows"), "0");
    assert_eq!(all.header("unmatched-keys"), "");
    let expected = json!([{"id": 1, "name": "x"}, {"id": 2, "name": "w"}, {"id": 3, "name": "z"}]);
    assert_eq!(names(&api).await, expected);
}

#[actix_web::test]
async fn csv_forms_of_columns_and_other_keys() {
    let api = Api::after(SQL, extended()).await;
    let headers = [("Content-Type", "text/csv"), ("Prefer", "update=by-key")];
    let csv = "id,name\n1,one\n2,two\n";
    let reply = api
        .send_body("PATCH", "/items?id=lt.2", &headers, csv)
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("unmatched-keys")),
        (204, r#"[{"id":2}]"#)
    );
    let body = json!([{"code": "C", "name": "three"}, {"code": "D", "name": "four"}]);
    let reply = by_key(&api, "/items?on_conflict=code&select=id", body).await;
    assert_eq!(reply.json(), json!([{"id": 3}]));
    assert_eq!(reply.header("unmatched-keys"), r#"[{"code":"D"}]"#);
    let body = json!([{"id": 1, "name": "n", "code": "ignored"}, {"id": 2}]);
    let prefer = "update=by-key, missing=default, return=representation";
    let url = "/items?columns=name,views&select=id,name,code,views&order=id";
    let reply = patch(&api, url, prefer, body).await;
    assert_eq!(
        reply.json(),
        json!([{"id": 1, "name": "n", "code": "A", "views": 3},
            {"id": 2, "name": null, "code": "B", "views": 3}])
    );
    let empty = by_key(&api, "/items?select=id", json!([])).await;
    assert_eq!((empty.status.as_u16(), empty.body.as_str()), (200, "[]"));
}

#[actix_web::test]
async fn keys_that_cannot_be_matched_by() {
    let api = Api::after(SQL, extended()).await;
    let none = by_key(&api, "/keyless", json!([{"a": 1, "b": 2}])).await;
    none.assert_error(400, "PSR601");
    assert_eq!(none.json()["message"], "'keyless' has no primary key");
    let body = json!([{"id": 1, "name": "x"}]);
    by_key(&api, "/items?on_conflict=name", body)
        .await
        .assert_error(400, "PSR601");
    let lacking = by_key(&api, "/items", json!([{"name": "x"}])).await;
    lacking.assert_error(400, "PSR602");
    by_key(&api, "/items", json!([{}]))
        .await
        .assert_error(400, "PSR602");
    by_key(&api, "/items", json!([{"id": 1}]))
        .await
        .assert_error(400, "PSR606");
    let twice = json!([{"id": 1, "name": "x"}, {"id": 2, "name": "y"}, {"id": "1", "name": "z"}]);
    let twice = by_key(&api, "/items", twice).await;
    twice.assert_error(400, "PSR603");
    assert_eq!(twice.json()["details"], json!([{"id": 1}]));
    assert_eq!(names(&api).await[0]["name"], "a");
}

#[actix_web::test]
async fn what_is_not_there_is_an_error_to_the_strict() {
    let api = Api::after(SQL, extended()).await;
    let body = json!([{"id": 1, "name": "x"}, {"id": 8, "name": "y"}, {"id": 9, "name": "z"}]);
    let strict = "update=by-key, handling=strict";
    let refused = patch(&api, "/items", strict, body).await;
    refused.assert_error(400, "PSR604");
    assert_eq!(
        refused.json()["message"],
        "Rows of the body that match no row: 2"
    );
    assert_eq!(refused.json()["details"], json!([{"id": 8}, {"id": 9}]));
    assert_eq!(names(&api).await[0]["name"], "a");
    let body = json!([{"id": 1, "name": "x"}, {"id": 2, "name": "y"}]);
    let limited = patch(
        &api,
        "/items",
        "update=by-key, handling=strict, max-affected=1",
        body.clone(),
    );
    limited.await.assert_error(400, "PGRST124");
    let hidden = patch(&api, "/mine", strict, body.clone()).await;
    hidden.assert_error(400, "PSR604");
    assert_eq!(hidden.json()["details"], json!([{"id": 2}]));
    let lenient = by_key(&api, "/mine?select=id", body.clone()).await;
    assert_eq!(
        (lenient.json(), lenient.header("unmatched-rows")),
        (json!([{"id": 1}]), "1")
    );
    let done = patch(&api, "/items", strict, body).await;
    assert_eq!(done.status, 204);
    assert_eq!(names(&api).await[1]["name"], "y");
}

#[actix_web::test]
async fn keys_in_headers_are_ascii_and_few() {
    let api = Api::after(SQL, extended()).await;
    let body: Vec<Value> = (0..500)
        .map(|n| json!({"code": format!("é{n}"), "name": "x"}))
        .collect();
    let reply = by_key(&api, "/items?on_conflict=code", json!(body)).await;
    assert_eq!(reply.header("unmatched-rows"), "500");
    let keys = reply.header("unmatched-keys");
    assert!(keys.is_ascii() && keys.len() <= 1024, "{keys}");
    let keys: Vec<Value> = serde_json::from_str(keys).unwrap_or_default();
    assert!((40..100).contains(&keys.len()), "{}", keys.len());
    assert_eq!(keys[1], json!({"code": "é1"}));
}

#[actix_web::test]
async fn operations_change_what_columns_hold() {
    let api = Api::after(SQL, extended()).await;
    let url = "/items?id=eq.1&select=name,views,score,tags,meta,notes";
    let body = json!({
        "name": "set", "views": {"$inc": 4}, "score": {"$inc": 0.25}, "tags": {"$append": ["x", "y"]},
        "meta": {"$merge": {"a": {"b": 1}}}, "notes": {"$append": [1]}
    });
    let first = operate(&api, url, body.clone()).await;
    assert_eq!(
        (first.status.as_u16(), first.json()),
        (
            200,
            json!([{"name": "set", "views": 7, "score": 0.25, "tags": ["x", "y"],
            "meta": {"a": {"b": 1}}, "notes": [1]}])
        )
    );
    let applied = first.header("preference-applied");
    assert_eq!(applied, "return=representation, values=operations");
    operate(&api, url, body).await;
    let body = json!({
        "score": {"$inc": -0.5}, "tags": {"$remove": ["y"]}, "meta": {"$merge": {"a": 2, "c": null}},
        "notes": {"$prepend": [0]}
    });
    let second = operate(&api, url, body).await;
    assert_eq!(
        second.json(),
        json!([{"name": "set", "views": 11, "score": 0.0, "tags": ["x", "x"],
            "meta": {"a": 2, "c": null}, "notes": [0, 1, 1]}])
    );
    let body = json!({"meta": {"$remove": ["a", "z"]}, "tags": {"$prepend": ["p"]}});
    let third = operate(&api, "/items?id=eq.1&select=meta,tags", body).await;
    assert_eq!(
        third.json(),
        json!([{"meta": {"c": null}, "tags": ["p", "x", "x"]}])
    );
}

#[actix_web::test]
async fn numbers_keep_their_digits() {
    let api = Api::after(SQL, extended()).await;
    let headers = [
        ("Content-Type", "application/json"),
        ("Prefer", "values=operations, return=representation"),
    ];
    let body = r#"{"views": {"$inc": 9007199254740993}}"#;
    let url = "/items?id=eq.1&select=views";
    let reply = api.send_body("PATCH", url, &headers, body).await;
    assert_eq!(reply.body, r#"[{"views":9007199254740996}]"#);
}

#[actix_web::test]
async fn operations_by_key() {
    let api = Api::after(SQL, extended()).await;
    let body = json!([
        {"id": 1, "views": {"$inc": 1}, "tags": {"$append": ["one"]}},
        {"id": 2, "views": {"$inc": 20}, "tags": {"$append": []}},
    ]);
    let prefer = "update=by-key, values=operations, return=representation";
    let reply = patch(&api, "/items?select=id,views,tags&order=id", prefer, body).await;
    assert_eq!(
        reply.json(),
        json!([{"id": 1, "views": 4, "tags": ["one"]}, {"id": 2, "views": 23, "tags": []}])
    );
    let body = json!([{"id": {"$inc": 1}, "name": "x"}]);
    patch(&api, "/items", prefer, body)
        .await
        .assert_error(400, "PSR611");
}

#[actix_web::test]
async fn operations_that_cannot_be_done() {
    let api = Api::after(SQL, extended()).await;
    let url = "/items?id=eq.1";
    for (column, operation) in [
        ("name", json!({"$inc": 1})),
        ("at", json!({"$inc": 1})),
        ("views", json!({"$append": [1]})),
        ("tags", json!({"$merge": {}})),
        ("meta", json!({"$inc": 1})),
    ] {
        let reply = operate(&api, url, json!({column: operation})).await;
        reply.assert_error(400, "PSR611");
        assert!(reply.body.contains(column), "{}", reply.body);
    }
    let reply = operate(&api, url, json!({"views": {"$inc": "1"}})).await;
    reply.assert_error(400, "PSR613");
    assert_eq!(
        reply.json()["message"],
        "$inc of column 'views' takes a number"
    );
    let mixed = json!([{"views": {"$inc": 1}}, {"views": 2}]);
    operate(&api, url, mixed).await.assert_error(400, "PSR612");
    operate(&api, url, json!({"none": {"$inc": 1}}))
        .await
        .assert_error(400, "PGRST204");
    operate(&api, url, json!({"score": {"$inc": -1}}))
        .await
        .assert_error(400, "23514");
    operate(&api, url, json!({"views": {"$inc": 1.5}}))
        .await
        .assert_error(400, "22P02");
}

#[actix_web::test]
async fn increments_at_the_same_time_add_up() {
    let api = Api::after(SQL, extended()).await;
    let body = json!({"views": {"$inc": 1}, "tags": {"$append": ["t"]}});
    let all = (0..50).map(|_| patch(&api, "/items?id=eq.1", "values=operations", body.clone()));
    for reply in join_all(all).await {
        assert_eq!(reply.status, 204, "{}", reply.body);
    }
    let row = api.get("/items?id=eq.1&select=views,tags").await.json()[0].take();
    assert_eq!(row["views"], 53);
    assert_eq!(row["tags"].as_array().map(Vec::len), Some(50));
}

#[actix_web::test]
async fn nothing_of_it_is_there_unless_it_is_switched_on() {
    let api = Api::after(SQL, settings()).await;
    let plain = operate(
        &api,
        "/items?id=eq.1&select=meta",
        json!({"meta": {"$merge": {"a": 1}}}),
    )
    .await;
    assert_eq!(plain.json(), json!([{"meta": {"$merge": {"a": 1}}}]));
    assert_eq!(plain.header("preference-applied"), "return=representation");
    let strict = "update=by-key, handling=strict";
    let unknown = patch(
        &api,
        "/items?id=eq.1",
        strict,
        json!([{"id": 1, "name": "x"}]),
    )
    .await;
    unknown.assert_error(400, "PGRST122");
    let lenient = by_key(&api, "/items?id=eq.1", json!([{"id": 1, "name": "x"}])).await;
    assert_eq!(lenient.header("unmatched-rows"), "");
}
