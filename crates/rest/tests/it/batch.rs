//! Several requests in one transaction.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use passerelle_rest::RestSettings;
use passerelle_syntax::Extensions;
use serde_json::{Value, json};

use crate::api::{Api, NOW, Reply, bearer, settings, with_pre_request};

const SCHEMA: &str = r#"
    create table api.posts (
      id int generated always as identity primary key, title text not null unique, author text,
      owner name not null default current_user
    );
    create table api.tags (
      post int references api.posts deferrable initially deferred,
      name text not null check (name <> 'bad'), data json, primary key (post, name)
    );
    alter table api.posts enable row level security;
    create policy own on api.posts using (owner = current_user);
    grant select, insert, update, delete on api.posts, api.tags to anon, authenticated;
    create function api.add(a int, b int) returns int language sql immutable as 'select a + b';
    create function api.write(text) returns void language sql volatile as
      'insert into api.posts (title) values ($1)';
    create function api.scribble() returns int language plpgsql stable as $$
    begin
      perform api.write('scribbled');
      return 1;
    end $$;
    create function api.unlock() returns int language plpgsql stable as $$
    begin
      perform set_config('transaction_read_only', 'off', true);
      perform api.write('unlocked');
      return 1;
    end $$;
    create function api.patient() returns text language sql volatile
      set statement_timeout = '7s' as $$ select current_setting('statement_timeout') $$;
    create function api.alone() returns text language sql volatile
      set default_transaction_isolation = 'serializable'
      as $$ select current_setting('transaction_isolation') $$;
    create function api.answer(status text) returns void language sql volatile as $$
      select set_config('response.status', status, true),
             set_config('response.headers', '[{"X-Answer":"yes"}]', true) $$;
    create function api.fails() returns void language plpgsql volatile as $$
    begin
      raise sqlstate 'PT402' using message = 'Payment Required', detail = 'd', hint = 'h';
    end $$;
    create function api.echo(json) returns json language sql immutable as 'select $1';
    create view api.timeouts as
      select current_setting('statement_timeout') as timeout, current_setting('timezone') as zone;
    grant select on api.timeouts to anon;
"#;

fn switched_on() -> RestSettings {
    let mut settings = settings();
    settings.exposure.extensions = Extensions::all();
    settings
}

async fn api() -> Api {
    Api::after(SCHEMA, switched_on()).await
}

async fn text(api: &Api, batch: &str, headers: &[(&'static str, &str)]) -> Reply {
    let request = TestRequest::post()
        .uri("/rest/v1/batch")
        .insert_header(("Content-Type", "application/json"))
        .set_payload(batch.to_owned());
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.insert_header((*name, *value))
    });
    api.send(request).await
}

async fn send(api: &Api, items: Value) -> Reply {
    text(api, &items.to_string(), &[]).await
}

/// The results of a batch that went well.
async fn done(api: &Api, items: Value) -> Vec<Value> {
    let reply = send(api, items).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(
        reply.header("content-type"),
        "application/json; charset=utf-8"
    );
    reply.json().as_array().cloned().unwrap_or_default()
}

/// The item that is named as the one a batch failed at, with status and code.
async fn failed(api: &Api, items: Value) -> (u16, String, String) {
    let reply = send(api, items).await;
    let code = serde_json::from_str::<Value>(&reply.body).unwrap_or_default();
    let code = code["code"].as_str().unwrap_or_default().to_owned();
    assert_eq!(posts(api).await, json!([]), "something was written");
    (
        reply.status.as_u16(),
        code,
        reply.header("batch-item").to_owned(),
    )
}

async fn posts(api: &Api) -> Value {
    api.get("/posts?select=title&order=title").await.json()
}

fn post(path: &str, body: Value) -> Value {
    with(json!({"method": "POST", "path": path}), "body", body)
}

fn get(path: &str) -> Value {
    json!({"method": "GET", "path": path})
}

fn with(mut item: Value, member: &str, value: Value) -> Value {
    item[member] = value;
    item
}

/// An insert that answers with its row and gives it a name.
fn named(name: &str, title: &str) -> Value {
    let item = post("/posts", json!({"title": title}));
    let item = with(item, "headers", json!({"Prefer": "return=representation"}));
    with(item, "let", json!({name: "/body/0/id"}))
}

#[actix_web::test]
async fn results_come_in_order_as_they_are() {
    let api = api().await;
    let results = done(
        &api,
        json!([
            post("/posts", json!([{"title": "one"}, {"title": "two"}])),
            get("/posts?select=title&order=title"),
            with(
                get("/posts?select=title&order=title"),
                "headers",
                json!({"Accept": "text/csv"})
            ),
            {"method": "PATCH", "path": "/posts?title=eq.two", "body": {"author": "me"},
             "headers": {"Prefer": "return=representation"}},
            {"method": "HEAD", "path": "/posts", "headers": {"Prefer": "count=exact"}},
            {"method": "DELETE", "path": "/posts?title=eq.one"},
            get("/rpc/add?a=1&b=2"),
            post("/rpc/add", json!({"a": 3, "b": 4})),
            {"method": "PUT", "path": "/tags?post=eq.0&name=eq.x", "body": {"post": 0, "name": "x"}},
            {"method": "DELETE", "path": "/tags?post=eq.0"},
            with(get("/posts?select=title"), "headers", json!({"Prefer": "count=planned"})),
            with(
                get("/posts?select=title"),
                "headers",
                json!({"Accept": "application/vnd.pgrst.object+json"})
            ),
        ]),
    )
    .await;
    let bodies: Vec<&Value> = results.iter().map(|result| &result["body"]).collect();
    assert_eq!(bodies[0], &Value::Null);
    assert_eq!(bodies[1], &json!([{"title": "one"}, {"title": "two"}]));
    assert_eq!(bodies[2], &json!("title\none\ntwo"));
    assert_eq!(bodies[3][0]["author"], "me");
    assert_eq!(bodies[4], &Value::Null);
    assert_eq!(results[4]["headers"]["content-range"], "0-1/2");
    assert_eq!((bodies[6], bodies[7]), (&json!(3), &json!(7)));
    assert_eq!(bodies[11], &json!({"title": "two"}));
    let statuses: Vec<_> = results
        .iter()
        .filter_map(|one| one["status"].as_u64())
        .collect();
    assert_eq!(
        statuses,
        [201, 200, 200, 200, 200, 204, 200, 200, 204, 204, 206, 200]
    );
    assert_eq!(
        results[2]["headers"]["content-type"],
        "text/csv; charset=utf-8"
    );
    assert_eq!(posts(&api).await, json!([{"title": "two"}]));
    let mut metrics = String::new();
    api.metrics.render(&mut metrics);
    assert!(metrics.contains("{surface=\"rest\",shape=\"batch\",status=\"200\"} 1"));
    assert_eq!(done(&api, json!([])).await, Vec::<Value>::new());
}

#[actix_web::test]
async fn json_is_not_rewritten() {
    let api = api().await;
    let data = r#"{"b" : 1.10, "a":12345678901234567890.123, "a":"\u00e9"}"#;
    let batch = format!(
        r#"[{{"method":"POST","path":"/posts","body":{{"title":"x"}},
              "headers":{{"Prefer":"return=representation"}},"let":{{"post":"/body/0/id"}}}},
            {{"method":"POST","path":"/tags","body":{{"post":{{"$ref":"post"}},"name":"n","data":{data}}}}},
            {{"method":"GET","path":"/tags?select=data"}},
            {{"method":"POST","path":"/rpc/echo","body":{data}}},
            {{"method":"POST","path":"/tags?columns=post,name,data","headers":{{"Content-Type":"text/csv"}},
              "body":"post,name,data\n,other,[]"}}]"#
    );
    let reply = text(&api, &batch, &[]).await;
    // What is empty in CSV is text, and no number.
    reply.assert_error(400, "22P02");
    assert_eq!(reply.header("batch-item"), "4");
    let batch = batch.replace(
        ",\n            {\"method\":\"POST\",\"path\":\"/tags?columns",
        "]#",
    );
    let reply = text(&api, batch.split('#').next().unwrap_or_default(), &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(
        reply.body.contains(&format!("[{{\"data\":{data}}}]")),
        "{}",
        reply.body
    );
    assert!(
        reply.body.ends_with(&format!("\"body\":{data}}}]")),
        "{}",
        reply.body
    );
}

#[actix_web::test]
async fn all_or_nothing() {
    let api = api().await;
    let first = post("/posts", json!({"title": "first"}));
    for (item, status, code) in [
        (post("/posts", json!({"title": "first"})), 409, "23505"),
        (post("/posts", json!({"nothing": 1})), 400, "PGRST204"),
        (post("/nothing", json!({})), 404, "PGRST205"),
        (post("/posts", json!("not JSON")), 400, "PGRST102"),
        (get("/posts?title=nonsense"), 400, "PGRST100"),
        (get("/secrets"), 401, "42501"),
        (post("/rpc/fails", json!({})), 402, "PT402"),
        (post("/rpc/answer", json!({"status": "418"})), 418, ""),
        (
            with(
                get("/posts?title=eq.none"),
                "headers",
                json!({"Accept": "application/vnd.pgrst.object+json"}),
            ),
            406,
            "PGRST116",
        ),
        (
            json!({"method": "DELETE", "path": "/posts?id=gt.0",
                   "headers": {"Prefer": "max-affected=0, handling=strict"}}),
            400,
            "PGRST124",
        ),
        (
            with(
                get("/posts?offset=9"),
                "headers",
                json!({"Prefer": "count=exact"}),
            ),
            416,
            "PGRST103",
        ),
        (
            json!({"method": "PUT", "path": "/tags?post=eq.1&name=eq.a",
                   "body": {"post": 1, "name": "b"}}),
            400,
            "PGRST115",
        ),
    ] {
        let last = post("/posts", json!({"title": "last"}));
        let batch = json!([first, item, last]);
        assert_eq!(
            failed(&api, batch).await,
            (status, code.to_owned(), "1".to_owned()),
            "{item}"
        );
    }
    let reply = send(&api, json!([post("/rpc/fails", json!({}))])).await;
    assert_eq!(
        (&reply.json()["details"], &reply.json()["hint"]),
        (&json!("d"), &json!("h"))
    );
    assert_eq!(done(&api, json!([first])).await[0]["status"], 201);
}

#[actix_web::test]
async fn what_a_commit_finds_wrong_undoes_everything() {
    let api = api().await;
    let orphan = json!({"post": 999, "name": "x"});
    let batch = json!([
        post("/posts", json!({"title": "a"})),
        post("/tags", orphan),
        get("/posts")
    ]);
    let reply = send(&api, batch.clone()).await;
    reply.assert_error(409, "23503");
    assert_eq!(reply.header("batch-item"), "");
    assert_eq!(posts(&api).await, json!([]));
    let reply = text(&api, &batch.to_string(), &[("Prefer", "tx=rollback")]).await;
    reply.assert_error(409, "23503");
}

#[actix_web::test]
async fn a_batch_is_rolled_back_where_that_is_preferred() {
    let api = api().await;
    let batch = json!([
        post("/posts", json!({"title": "a"})),
        get("/posts?select=title")
    ]);
    let reply = text(&api, &batch.to_string(), &[("Prefer", "tx=rollback")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("preference-applied"), "tx=rollback");
    assert_eq!(reply.json()[1]["body"], json!([{"title": "a"}]));
    assert_eq!(posts(&api).await, json!([]));
}

#[actix_web::test]
async fn each_item_has_its_own_prelude() {
    let api = Api::after(SCHEMA, {
        let mut settings = with_pre_request();
        settings.exposure.extensions = Extensions::all();
        settings
    })
    .await;
    let token = bearer(&json!({"role": "authenticated", "sub": "7", "exp": NOW.0 + 60}));
    let own = json!({"X-Own": "item", "Prefer": "timezone=Asia/Tokyo"});
    let batch = json!([
        with(get("/caller?role=neq.x"), "headers", own),
        with(
            post("/rpc/answer", json!({"status": "201"})),
            "headers",
            json!({"Prefer": "timezone=Asia/Tokyo"})
        ),
        get("/caller"),
        with(
            get("/clients?select=id&id=eq.1"),
            "headers",
            json!({"x-status": "202"})
        ),
        get("/caller"),
    ]);
    let headers = [
        ("Authorization", &*token),
        ("Cookie", "a=b"),
        ("X-Mine", "batch"),
        ("X-Own", "batch"),
    ];
    let reply = text(&api, &batch.to_string(), &headers).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let results = reply.json();
    let (first, third, last) = (
        &results[0]["body"][0],
        &results[2]["body"][0],
        &results[4]["body"][0],
    );
    assert_eq!(
        (&first["path"], &first["method"]),
        (&json!("/caller"), &json!("GET"))
    );
    for seen in [first, third, last] {
        assert_eq!(
            (&seen["role"], &seen["claims"]["sub"]),
            (&json!("authenticated"), &json!("7"))
        );
        assert_eq!(seen["cookies"], json!({"a": "b"}));
        assert_eq!(seen["headers"]["x-mine"], "batch");
        assert_eq!(seen["headers"]["content-type"], Value::Null);
        assert_eq!(seen["read_only"], "on");
    }
    assert_eq!(
        (&first["headers"]["x-own"], &third["headers"]["x-own"]),
        (&json!("item"), &json!("batch"))
    );
    assert_eq!(first["timezone"], "Asia/Tokyo");
    assert_ne!(third["timezone"], "Asia/Tokyo");
    assert_eq!(
        (&results[1]["status"], &results[1]["headers"]["x-answer"]),
        (&json!(201), &json!("yes"))
    );
    assert_eq!(results[2]["status"], 200);
    assert_eq!(results[2]["headers"]["x-answer"], Value::Null);
    assert_eq!(
        (&results[3]["status"], &results[4]["status"]),
        (&json!(202), &json!(200))
    );
}

#[actix_web::test]
async fn settings_of_a_function_end_with_its_item() {
    let api = api().await;
    let results = done(
        &api,
        json!([
            get("/timeouts"),
            post("/rpc/patient", json!({})),
            get("/timeouts")
        ]),
    )
    .await;
    assert_eq!(results[1]["body"], "7s");
    assert_eq!(results[0]["body"], results[2]["body"]);
    let alone = json!([
        post("/posts", json!({"title": "a"})),
        post("/rpc/alone", json!({}))
    ]);
    assert_eq!(
        failed(&api, alone).await,
        (400, "PSR625".to_owned(), "1".to_owned())
    );
}

#[actix_web::test]
async fn an_upsert_counts_its_own_rows() {
    let api = api().await;
    let upsert = |title: &str| {
        let item = post("/posts?on_conflict=title", json!({"title": title}));
        let prefer = "resolution=merge-duplicates,return=representation";
        with(item, "headers", json!({"Prefer": prefer}))
    };
    let results = done(&api, json!([upsert("a"), upsert("a")])).await;
    assert_eq!(
        (&results[0]["status"], &results[1]["status"]),
        (&json!(201), &json!(200))
    );
}

#[actix_web::test]
async fn a_read_cannot_write_and_what_follows_it_can() {
    let api = api().await;
    for (function, code) in [("scribble", "25006"), ("unlock", "25001")] {
        let batch = json!([
            post("/posts", json!({"title": "a"})),
            get(&format!("/rpc/{function}"))
        ]);
        let (_, found, item) = failed(&api, batch).await;
        assert_eq!((&*found, &*item), (code, "1"));
    }
    let results = done(
        &api,
        json!([
            get("/posts"),
            post("/posts", json!({"title": "a"})),
            get("/posts?select=title,owner"),
            post("/posts", json!({"title": "b"})),
        ]),
    )
    .await;
    assert_eq!(results[2]["body"], json!([{"title": "a", "owner": "anon"}]));
    assert_eq!(posts(&api).await, json!([{"title": "a"}, {"title": "b"}]));
}

#[actix_web::test]
async fn later_items_refer_to_results() {
    let api = api().await;
    let results = done(
        &api,
        json!([
            named("post", "one"),
            post("/tags", json!([{"post": {"$ref": "post"}, "name": "x"}])),
            with(
                get("/posts?id=eq.$post&select=title,tags(name)"),
                "let",
                json!({"titles": "/body", "title": "/body/0/title", "status": "/status",
                       "type": "/headers/content-type"})
            ),
            get("/rpc/add?a=$post&b=$status"),
            post("/rpc/echo", json!({"a": [{"$ref": "titles"}, {"$ref": "type"}], "$ref2": "post"})),
            {"method": "PATCH", "path": "/posts?or=(title.eq.none,and(title.eq.$title,id.eq.$post))",
             "body": {"author": "$title"}},
            get("/posts?select=author"),
        ]),
    )
    .await;
    assert_eq!(
        results[2]["body"],
        json!([{"title": "one", "tags": [{"name": "x"}]}])
    );
    let id = &results[0]["body"][0]["id"];
    assert_eq!(results[3]["body"].as_i64(), id.as_i64().map(|id| id + 200));
    assert_eq!(
        results[4]["body"],
        json!({"a": [results[2]["body"], "application/json; charset=utf-8"], "$ref2": "post"})
    );
    assert_eq!(results[6]["body"], json!([{"author": "$title"}]));
}

#[actix_web::test]
async fn no_value_changes_what_a_request_says() {
    let api = api().await;
    for hostile in [
        "1,or(id.gt.0)",
        "x)&select=*",
        "not.is.null",
        "in.(a,b)",
        "a&id=gt.0",
        "{a,b}",
        "\",\"",
        "a\\\"b",
        "$other",
        "%25",
        "' or 1=1 --",
        "(a)",
    ] {
        let insert = named("post", hostile);
        let insert = with(insert, "let", json!({"title": "/body/0/title"}));
        let results = done(
            &api,
            json!([
                post("/posts", json!([{"title": "a"}, {"title": "b"}])),
                insert,
                get("/posts?select=title&title=eq.$title"),
                get("/posts?select=title&title=neq.$title&order=title"),
                get("/posts?select=title&or=(title.eq.$title,title.eq.none)"),
                get("/posts?select=title&title=in.($title,none)"),
                get("/posts?select=title&title=in.($title)"),
                post("/rpc/echo", json!({"a": {"$ref": "title"}})),
                {"method": "DELETE", "path": "/posts?id=gt.0"},
            ]),
        )
        .await;
        let own = json!([{"title": hostile}]);
        for index in [2, 4, 5, 6] {
            assert_eq!(results[index]["body"], own, "{hostile} in item {index}");
        }
        assert_eq!(results[3]["body"], json!([{"title": "a"}, {"title": "b"}]));
        assert_eq!(results[7]["body"], json!({"a": hostile}));
    }
}

#[actix_web::test]
async fn a_list_takes_the_elements_of_an_array() {
    let api = api().await;
    let echo = post("/rpc/echo", json!({"titles": ["a", "b,c", "d\"e", 5]}));
    let names = json!({"titles": "/body/titles", "one": "/body/titles/1"});
    let results = done(
        &api,
        json!([
            with(echo, "let", names),
            post("/posts", json!([{"title": "b,c"}, {"title": "d\"e"}, {"title": "5"}, {"title": "c"}])),
            get("/posts?select=title&title=in.($titles)&order=title"),
            get("/posts?select=title&title=in.(c,$one)&order=title"),
            {"method": "DELETE", "path": "/posts?id=gt.0"},
        ]),
    )
    .await;
    assert_eq!(
        results[2]["body"],
        json!([{"title": "5"}, {"title": "b,c"}, {"title": "d\"e"}])
    );
    assert_eq!(
        results[3]["body"],
        json!([{"title": "b,c"}, {"title": "c"}])
    );
}

#[actix_web::test]
async fn references_that_cannot_be_resolved_are_named() {
    let api = api().await;
    let first = named("post", "a");
    let declare = |names: Value| with(post("/rpc/echo", json!({"a": [1]})), "let", names);
    for (batch, item, name) in [
        (
            json!([first, post("/tags", json!({"post": {"$ref": "other"}}))]),
            "1",
            "other",
        ),
        (
            json!([post("/tags", json!({"post": {"$ref": "post"}})), first]),
            "0",
            "post",
        ),
        (json!([get("/posts?id=eq.$post"), first]), "0", "post"),
        (
            json!([with(
                get("/posts?id=eq.$own"),
                "let",
                json!({"own": "/body"})
            )]),
            "0",
            "own",
        ),
        (
            json!([first, with(get("/posts"), "let", json!({"post": ""}))]),
            "1",
            "post",
        ),
        (
            json!([with(get("/posts"), "let", json!({"5": ""}))]),
            "0",
            "5",
        ),
        (
            json!([with(get("/posts"), "let", json!({"a b": ""}))]),
            "0",
            "a b",
        ),
        (
            json!([with(get("/posts"), "let", json!({"x": "/body/0"}))]),
            "0",
            "x",
        ),
        (
            json!([with(get("/posts"), "let", json!({"x": "body"}))]),
            "0",
            "x",
        ),
        (
            json!([declare(json!({"x": "/body"})), get("/posts?title=eq.$x")]),
            "1",
            "x",
        ),
        (
            json!([declare(json!({"x": "/body/a"})), get("/rpc/add?a=$x&b=1")]),
            "1",
            "x",
        ),
        (
            json!([declare(json!({"x": ""})), get("/posts?title=in.(a,$x)")]),
            "1",
            "x",
        ),
    ] {
        let reply = send(&api, batch.clone()).await;
        reply.assert_error(400, "PSR624");
        assert_eq!(reply.header("batch-item"), item, "{batch}");
        let message = reply.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(
            message.starts_with(&format!("Item {item}: "))
                && message.contains(&format!("\"{name}\"")),
            "{message}"
        );
        assert_eq!(posts(&api).await, json!([]));
    }
    let texts = done(
        &api,
        json!([get("/posts?title=eq.$5"), get("/posts?title=eq.$post")]),
    )
    .await;
    assert_eq!(texts.len(), 2);
}

#[actix_web::test]
async fn credentials_belong_to_the_batch() {
    let api = api().await;
    let token = bearer(&json!({"role": "authenticated"}));
    for (name, value) in [
        ("authorization", &*token),
        ("Authorization", &*token),
        ("apikey", "x"),
        ("Cookie", "a=b"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("Prefer", "return=minimal,tx=rollback"),
        ("bad name", "x"),
        ("x-bad", "a\r\nb: c"),
    ] {
        let item = with(get("/posts"), "headers", json!({name: value}));
        let batch = json!([post("/posts", json!({"title": "a"})), item]);
        assert_eq!(
            failed(&api, batch).await,
            (400, "PSR622".to_owned(), "1".to_owned()),
            "{name}"
        );
    }
}

#[actix_web::test]
async fn what_has_no_place_in_a_batch() {
    let api = api().await;
    let plan = json!({"Accept": "application/vnd.pgrst.plan+json"});
    for (item, status, code) in [
        (get("/"), 400, "PSR623"),
        (post("/batch", json!([])), 400, "PSR623"),
        (
            json!({"method": "OPTIONS", "path": "/posts"}),
            405,
            "PGRST117",
        ),
        (
            json!({"method": "QUERY", "path": "/posts"}),
            405,
            "PGRST117",
        ),
        (json!({"method": "get", "path": "/posts"}), 405, "PGRST117"),
        (get("/posts/1"), 404, "PGRST125"),
        (
            get(&format!("/posts?title=eq.{}", "x".repeat(33_000))),
            414,
            "PSR414",
        ),
        (with(get("/posts"), "headers", plan), 406, "PGRST107"),
        (
            with(
                get("/posts"),
                "headers",
                json!({"Accept-Profile": "secret"}),
            ),
            406,
            "PGRST106",
        ),
    ] {
        let batch = json!([post("/posts", json!({"title": "a"})), item]);
        assert_eq!(
            failed(&api, batch).await,
            (status, code.to_owned(), "1".to_owned()),
            "{item}"
        );
    }
    let unauthenticated = text(&api, "[]", &[("Authorization", "Bearer nonsense")]).await;
    unauthenticated.assert_error(401, "PGRST301");
}

#[actix_web::test]
async fn what_is_no_batch() {
    let api = api().await;
    for batch in [
        "",
        "{}",
        "[",
        "null",
        "[1]",
        "[{}]",
        "[{\"method\":\"GET\",\"path\":\"/a\",\"x\":1}]",
    ] {
        let reply = text(&api, batch, &[]).await;
        reply.assert_error(400, "PSR620");
        assert_eq!(reply.header("batch-item"), "", "{batch}");
    }
    let surrogate = text(
        &api,
        r#"[{"method":"POST","path":"/posts","body":"\ud800"}]"#,
        &[],
    )
    .await;
    surrogate.assert_error(400, "PSR620");
}

#[actix_web::test]
async fn a_batch_is_bounded() {
    let api = api().await;
    let items = vec![get("/posts"); 21];
    send(&api, json!(items)).await.assert_error(400, "PSR621");
    let long = post("/posts", json!({"title": "x".repeat(60_000)}));
    let long = with(long, "headers", json!({"Prefer": "return=representation"}));
    let batch = json!([long, get("/posts")]);
    assert_eq!(
        failed(&api, batch).await,
        (400, "PSR626".to_owned(), "1".to_owned())
    );
    let mut settings = switched_on();
    settings.http_limits.body_bytes = 1000;
    api.state.reconfigure(settings);
    let large = json!([post("/posts", json!({"title": "x".repeat(1000)}))]);
    send(&api, large).await.assert_error(413, "PSR413");
    // What references become counts as well.
    let title = post("/rpc/echo", json!({"title": "x".repeat(300)}));
    let title = with(title, "let", json!({"title": "/body/title"}));
    let many = json!({"a": vec![json!({"$ref": "title"}); 4]});
    let batch = json!([title, post("/rpc/echo", many)]);
    let (status, code, item) = failed(&api, batch).await;
    assert_eq!((status, &*code, &*item), (413, "PSR413", "1"));
}

#[actix_web::test]
async fn a_result_that_is_no_text_has_no_place_in_json() {
    let api = api().await;
    let drawn = with(get("/posts"), "headers", json!({"Accept": "image/x-dots"}));
    let batch = json!([post("/posts", json!({"title": "a"})), drawn]);
    assert_eq!(
        failed(&api, batch).await,
        (400, "PSR627".to_owned(), "1".to_owned())
    );
}

#[actix_web::test]
async fn a_statement_whose_table_has_changed_does_not_fail_a_batch() {
    let api = api().await;
    let batch = json!([post("/posts", json!({"title": "a"})), get("/posts")]);
    let undone = async || {
        let batch = batch.to_string();
        let reply = text(&api, &batch, &[("Prefer", "tx=rollback")]).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()[1]["body"][0].clone()
    };
    assert_eq!(undone().await["more"], Value::Null);
    api.db
        .run("alter table api.posts add column more int default 7")
        .await;
    assert_eq!(undone().await["more"], 7);
}

#[actix_web::test]
async fn where_it_is_switched_off_it_is_the_name_of_a_relation() {
    let table = "create table api.batch (id int); grant all on api.batch to anon;";
    let api = Api::after(table, settings()).await;
    let request = TestRequest::post()
        .uri("/rest/v1/batch")
        .insert_header(("Content-Type", "application/json"))
        .set_payload("[{\"id\":1}]");
    assert_eq!(api.send(request).await.status, 201);
    assert_eq!(api.get("/batch").await.json(), json!([{"id": 1}]));
    api.state.reconfigure(switched_on());
    let read = api.request(Method::GET, "/batch", &[]).await;
    assert_eq!(read.json(), json!([{"id": 1}]));
    send(&api, json!([{"id": 1}]))
        .await
        .assert_error(400, "PSR620");
}

#[actix_web::test]
async fn a_long_value_cannot_be_referred_to_without_end() {
    let api = api().await;
    let long = with(
        with(
            post("/posts", json!({ "title": "x".repeat(40_000) })),
            "headers",
            json!({ "Prefer": "return=representation" }),
        ),
        "let",
        json!({ "long": "/body/0/title" }),
    );
    for path in [
        "/posts?title=eq.$long&title=neq.$long",
        "/posts?title=in.($long,$long)",
    ] {
        let reply = send(&api, json!([long, get(path)])).await;
        reply.assert_error(400, "PSR624");
    }
    let once = done(&api, json!([long, get("/posts?select=id&title=eq.$long")])).await;
    assert_eq!(once[1]["status"], 200);
}
