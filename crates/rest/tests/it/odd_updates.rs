//! Updates by key and by operations where names, types, collations and values are unusual: what
//! cannot be done as it was meant is refused, and nothing is written.

use serde_json::{Value, json};

use crate::api::{Api, Reply, extended};

const SQL: &str = r#"
    create table api.kk (k int primary key, v text);
    insert into api.kk values (1, 'a'), (2, 'b');
    create table api.numbered (pgrst_position int primary key, pgrst_position_ text);
    insert into api.numbered values (1, 'a'), (2, 'b');
    create collation api.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create table api.people (name text collate api.any_case primary key, age int);
    insert into api.people values ('Ada', 1), ('Eve', 2);
    create domain api.label as text collate api.any_case;
    create table api.labels (label api.label primary key, n int);
    insert into api.labels values ('Ada', 1);
    create extension if not exists citext schema public;
    create table api.nicks (nick public.citext primary key, age int);
    insert into api.nicks values ('Ada', 1);
    create type api.color as enum ('red', 'green');
    create domain api.short as varchar(9);
    create table api.held (
      id int primary key, grid int[], "a ""b"" pgrst" jsonb, j json, b jsonb,
      js json[], places point[], boxes box[], words varchar(9)[], colors api.color[],
      spans int4range[], names api.short[], docs jsonb[]
    );
    insert into api.held (id, grid, "a ""b"" pgrst", j, b) values
      (1, '{{1,2},{3,4}}', '[1]', '5', '{"a": 1}'), (2, '{1,2}', 'null', null, '[1]');
    create table api.owners (id int primary key, name text);
    create table api.pets (id int primary key, owner_id int references api.owners, pet text);
    insert into api.owners values (1, 'Ada'), (2, 'Eve');
    insert into api.pets values (1, 1, 'cat'), (2, 1, 'dog'), (3, 2, 'owl');
    create view api.homes as
      select o.id, o.name, p.pet from api.owners o join api.pets p on p.owner_id = o.id;
    create function api.change_home() returns trigger language plpgsql as $$
    begin
      update api.pets set pet = new.pet where owner_id = old.id and pet = old.pet;
      return new;
    end $$;
    create trigger change instead of update on api.homes
      for each row execute function api.change_home();
    grant all on all tables in schema api to anon;
"#;

async fn api() -> Api {
    Api::after(SQL, extended()).await
}

async fn patch(api: &Api, url: &str, prefer: &str, body: Value) -> Reply {
    let prefer = format!("return=representation, {prefer}");
    let headers = [("Content-Type", "application/json"), ("Prefer", &*prefer)];
    api.send_body("PATCH", url, &headers, body.to_string())
        .await
}

async fn by_key(api: &Api, url: &str, body: Value) -> Reply {
    patch(api, url, "update=by-key", body).await
}

async fn operate(api: &Api, url: &str, body: Value) -> Reply {
    patch(api, url, "values=operations", body).await
}

#[actix_web::test]
async fn keys_are_told_as_rows_whatever_they_are_called() {
    let api = api().await;
    let twice = json!([{"k": 1, "v": "x"}, {"k": 1, "v": "y"}]);
    let twice = by_key(&api, "/kk", twice).await;
    twice.assert_error(400, "PSR603");
    assert_eq!(twice.json()["details"], json!([{"k": 1}]));
    let absent = by_key(&api, "/kk", json!([{"k": 1, "v": "x"}, {"k": 9, "v": "y"}])).await;
    assert_eq!(absent.header("unmatched-keys"), r#"[{"k":9}]"#);
    assert_eq!(absent.json(), json!([{"k": 1, "v": "x"}]));
}

#[actix_web::test]
async fn columns_may_have_the_names_of_the_statement() {
    let api = api().await;
    let body = json!([
        {"pgrst_position": 1, "pgrst_position_": "x"}, {"pgrst_position": 9, "pgrst_position_": "y"}
    ]);
    let reply = by_key(&api, "/numbered", body).await;
    assert_eq!(
        reply.json(),
        json!([{"pgrst_position": 1, "pgrst_position_": "x"}])
    );
    assert_eq!(reply.header("unmatched-keys"), r#"[{"pgrst_position":9}]"#);
}

#[actix_web::test]
async fn keys_are_the_same_where_the_column_says_so() {
    let api = api().await;
    for (url, column) in [
        ("/people", "name"),
        ("/nicks", "nick"),
        ("/labels", "label"),
    ] {
        let other = if column == "label" { "n" } else { "age" };
        let twice = json!([{column: "ada", other: 7}, {column: "ADA", other: 8}]);
        let twice = by_key(&api, url, twice).await;
        assert_eq!(twice.status, 400, "{url}: {}", twice.body);
        twice.assert_error(400, "PSR603");
        let once = json!([{column: "ADA", other: 9}, {column: "none", other: 8}]);
        let once = by_key(&api, url, once).await;
        assert_eq!(once.json(), json!([{column: "Ada", other: 9}]), "{url}");
        assert_eq!(once.header("unmatched-rows"), "1");
    }
}

#[actix_web::test]
async fn arrays_of_several_dimensions_are_not_flattened() {
    let api = api().await;
    for operation in [
        json!({"$remove": [1]}),
        json!({"$append": [5]}),
        json!({"$prepend": [5, 6]}),
    ] {
        let reply = operate(&api, "/held?id=eq.1", json!({"grid": operation})).await;
        reply.assert_error(400, "PSR614");
        assert!(reply.body.contains("'grid'"), "{}", reply.body);
    }
    let nested = json!({"grid": {"$append": [[3, 4]]}});
    operate(&api, "/held?id=eq.2", nested)
        .await
        .assert_error(400, "PSR614");
    let held = api.get("/held?select=grid&order=id").await.json();
    assert_eq!(held, json!([{"grid": [[1, 2], [3, 4]]}, {"grid": [1, 2]}]));
    let rows = json!({"grid": {"$append": [[5, 6]]}});
    let rows = operate(&api, "/held?id=eq.1&select=grid", rows).await;
    assert_eq!(rows.json(), json!([{"grid": [[1, 2], [3, 4], [5, 6]]}]));
}

#[actix_web::test]
async fn json_of_another_kind_is_left_alone() {
    let api = api().await;
    let odd = "a \"b\" pgrst";
    for (id, column, operation) in [
        (1, odd, json!({"$merge": {"a": 1}})),
        (1, "j", json!({"$merge": {"a": 1}})),
        (1, "j", json!({"$append": [2]})),
        (1, "j", json!({"$remove": ["a"]})),
        (1, "b", json!({"$append": [2]})),
        (1, "b", json!({"$prepend": [2]})),
        (2, "b", json!({"$merge": {"a": 1}})),
    ] {
        let body = json!({column: operation});
        let reply = operate(&api, &format!("/held?id=eq.{id}"), body.clone()).await;
        reply.assert_error(400, "PSR614");
        let told = reply.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let name = operation.as_object().and_then(|only| only.keys().next());
        let name = name.map(String::as_str).unwrap_or_default();
        assert_eq!(
            told,
            format!("Cannot apply {name} to what column '{column}' holds")
        );
        // One such row is enough for nothing to be written.
        operate(&api, "/held", body)
            .await
            .assert_error(400, "PSR614");
    }
    let held = api.get("/held?select=j,b&order=id").await.json();
    assert_eq!(
        held,
        json!([{"j": 5, "b": {"a": 1}}, {"j": null, "b": [1]}])
    );
    let nothing = json!({odd: {"$append": [2]}, "j": {"$merge": {"a": 1}}});
    let nothing = operate(&api, "/held?id=eq.2", nothing).await;
    assert_eq!(nothing.json()[0][odd], json!([2]));
    assert_eq!(nothing.json()[0]["j"], json!({"a": 1}));
    let emptied = json!({odd: null});
    operate(&api, "/held?id=eq.2", emptied).await;
    let kept = operate(&api, "/held?id=eq.2", json!({odd: {"$remove": ["a"]}})).await;
    assert_eq!(kept.json()[0][odd], Value::Null);
}

#[actix_web::test]
async fn elements_that_cannot_be_compared_are_not_removed() {
    let api = api().await;
    for column in ["js", "places", "boxes"] {
        let reply = operate(&api, "/held?id=eq.1", json!({column: {"$remove": []}})).await;
        reply.assert_error(400, "PSR611");
    }
    let added = json!({"js": {"$append": [{"a": 1}]}, "places": {"$append": ["(1,2)"]}});
    let added = operate(&api, "/held?id=eq.1&select=js,places", added).await;
    assert_eq!(
        added.json(),
        json!([{"js": [{"a": 1}], "places": ["(1,2)"]}])
    );
    let columns = [
        ("words", json!(["a", "b"])),
        ("colors", json!(["red", "green"])),
        ("spans", json!(["[1,2)", "[2,3)"])),
        ("names", json!(["a", "b"])),
        ("docs", json!([{"a": 1}, 2])),
    ];
    for (column, all) in columns {
        let url = format!("/held?id=eq.1&select={column}");
        let set = operate(&api, &url, json!({column: all})).await;
        assert_eq!(set.status, 200, "{}", set.body);
        let rest = operate(&api, &url, json!({column: {"$remove": [all[0]]}})).await;
        assert_eq!(rest.json(), json!([{column: [all[1]]}]));
    }
}

#[actix_web::test]
async fn a_key_of_several_rows_changes_none() {
    let api = api().await;
    let body = json!([{"id": 1, "pet": "cow"}, {"id": 2, "pet": "bat"}]);
    let several = by_key(&api, "/homes", body).await;
    several.assert_error(400, "PSR607");
    assert_eq!(several.json()["details"], json!([{"id": 1}]));
    let pets = api.get("/pets?select=pet&order=id").await.json();
    assert_eq!(
        pets,
        json!([{"pet": "cat"}, {"pet": "dog"}, {"pet": "owl"}])
    );
    let single = by_key(&api, "/homes", json!([{"id": 2, "pet": "bat"}])).await;
    assert_eq!(
        single.json(),
        json!([{"id": 2, "name": "Eve", "pet": "bat"}])
    );
    let filtered = by_key(&api, "/homes?pet=eq.cat", json!([{"id": 1, "pet": "cow"}])).await;
    assert_eq!(filtered.json()[0]["pet"], "cow");
}

#[actix_web::test]
async fn headers_stay_short_and_the_error_says_more() {
    let api = api().await;
    let body: Vec<Value> = (100..300)
        .map(|k| json!({"k": 1_000_000_000 + k, "v": "x"}))
        .collect();
    let lenient = by_key(&api, "/kk", json!(body)).await;
    assert_eq!(lenient.header("unmatched-rows"), "200");
    let keys = lenient.header("unmatched-keys");
    assert!((900..=1024).contains(&keys.len()), "{}", keys.len());
    let strict = patch(&api, "/kk", "update=by-key, handling=strict", json!(body)).await;
    strict.assert_error(400, "PSR604");
    assert_eq!(strict.json()["details"].as_array().map(Vec::len), Some(100));
}
