//! Reads that PostgreSQL expects to cost more than their role may ask for.

use actix_web::test::TestRequest;
use passerelle_rest::{CostLimits, RestSettings};
use serde_json::{Value, json};

use crate::api::{Api, Reply, bearer, extended, settings, with_pre_request};

/// Whoever reads from the view `mined` beyond its first rows is told so by an error.
const SCHEMA: &str = "
    create table api.many (id int primary key, text text not null);
    insert into api.many select n, 'text ' || n from generate_series(1, 20000) n;
    analyze api.many;
    create function public.explode(int) returns int language plpgsql volatile as $$
    begin
      if $1 > 9 then raise exception 'it was run'; end if;
      return $1;
    end $$;
    create view api.mined as select m.id, public.explode(m.id) as mine from api.many m;
    create function api.some() returns setof api.clients language sql stable rows 1 as $$ select * from api.clients $$;
    alter table api.many add client int references api.clients;
    create function api.all_of_them() returns bigint language sql stable as $$ select count(*) from api.many $$;
    grant select, insert on api.many to anon, authenticated;
    grant select on api.mined to anon, authenticated;
";

/// A page by its key is below, the whole table above.
const LIMIT: u64 = 100;

async fn api(settings: RestSettings) -> Api {
    after("", settings).await
}

async fn after(sql: &str, settings: RestSettings) -> Api {
    let cost_limits: CostLimits = [("anon".into(), LIMIT)].into_iter().collect();
    Api::after(
        &format!("{SCHEMA}{sql}"),
        RestSettings {
            cost_limits,
            ..settings
        },
    )
    .await
}

#[actix_web::test]
async fn what_costs_too_much_is_refused() {
    let api = api(settings()).await;
    let reply = api.get("/many?text=like.*9*").await;
    reply.assert_error(422, "PSR422");
    let error = reply.json();
    assert_eq!(
        error["details"],
        Value::Null,
        "what is expected tells of hidden rows"
    );
    assert!(
        error["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("index"))
    );
    assert_eq!(api.get("/many?id=eq.7").await.json()[0]["text"], "text 7");
    let page = api.get("/many?select=id&order=id&limit=3").await;
    assert_eq!(page.json(), json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }]));
    // As CSV, counted, as HEAD, too.
    let csv = [("accept", "text/csv")];
    api.get_with("/many", &csv)
        .await
        .assert_error(422, "PSR422");
    let counted = [("prefer", "count=exact")];
    api.get_with("/many?limit=1", &counted)
        .await
        .assert_error(422, "PSR422");
    let planned = [("prefer", "count=planned")];
    let planned = api.get_with("/many?id=lt.3&order=id", &planned).await;
    assert_eq!(planned.status, 200, "{}", planned.body);
    assert!(planned.header("content-range").starts_with("0-1/"));
}

#[actix_web::test]
async fn it_is_refused_before_it_runs_and_for_the_role_alone() {
    let api = api(settings()).await;
    api.get("/mined").await.assert_error(422, "PSR422");
    assert_eq!(api.get("/mined?id=eq.5").await.json()[0]["mine"], 5);
    api.get("/mined?id=eq.10").await.assert_error(400, "P0001");
    let authorization = bearer(&json!({ "role": "authenticated" }));
    let headers = [("authorization", authorization.as_str())];
    let all = api.get_with("/many", &headers).await;
    assert_eq!(all.json().as_array().map(Vec::len), Some(20_000));
    let mined = api.get_with("/mined", &headers).await;
    mined.assert_error(400, "P0001");
    // What functions cost is what they say of themselves, and what is read beside them.
    assert_eq!(api.get("/rpc/all_of_them").await.body, "20000");
    assert_eq!(api.get("/rpc/some?select=id").await.status, 200);
    api.get("/rpc/some?select=id,many(text)")
        .await
        .assert_error(422, "PSR422");
}

#[actix_web::test]
async fn errors_of_the_read_are_those_that_it_has_without() {
    let api = api(settings()).await;
    api.get("/many?id=eq.x").await.assert_error(400, "22P02");
    api.get("/secrets").await.assert_error(401, "42501");
    let one = [("accept", "application/vnd.pgrst.object+json")];
    api.get_with("/many?id=lt.3", &one)
        .await
        .assert_error(406, "PGRST116");
}

#[actix_web::test]
async fn a_statement_that_was_prepared_for_another_table_is_prepared_anew() {
    let api = api(settings()).await;
    for _ in 0..12 {
        assert_eq!(api.get("/many?select=*&id=eq.7").await.status, 200);
    }
    api.db.run("alter table api.many add more int").await;
    let row = json!([{ "id": 7, "text": "text 7", "client": null, "more": null }]);
    assert_eq!(api.get("/many?select=*&id=eq.7").await.json(), row);
}

#[actix_web::test]
async fn neither_a_batch_nor_an_analysed_plan_goes_around_it() {
    let mut settings = extended();
    settings.planning.plan_enabled = true;
    let api = api(settings).await;
    let batch = |items: Value| {
        TestRequest::post()
            .uri("/rest/v1/batch")
            .insert_header(("content-type", "application/json"))
            .set_payload(items.to_string())
    };
    let page = json!({ "method": "GET", "path": "/many?id=eq.7" });
    let insert = json!({ "method": "POST", "path": "/many", "body": { "id": 0, "text": "new" } });
    let all = json!({ "method": "GET", "path": "/mined" });
    let done: Reply = api.send(batch(json!([page, insert, page]))).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(done.json()[2]["body"][0]["text"], "text 7");
    let refused = api.send(batch(json!([page, all]))).await;
    refused.assert_error(422, "PSR422");
    assert_eq!(refused.header("batch-item"), "1");
    let plan = |options| [("accept", options)];
    let explained = plan("application/vnd.pgrst.plan+json");
    assert_eq!(api.get_with("/mined", &explained).await.status, 200);
    let analysed = plan("application/vnd.pgrst.plan+json; options=analyze");
    let refused = api.get_with("/mined", &analysed).await;
    refused.assert_error(422, "PSR422");
    let analysed = api.get_with("/mined?id=eq.5", &analysed).await;
    assert_eq!(analysed.status, 200, "{}", analysed.body);
    assert!(analysed.body.contains("Actual Rows"));
}

#[actix_web::test]
async fn bytes_stay_bytes() {
    let api = api(settings()).await;
    let dots = [("accept", "image/x-dots")];
    let reply = api.get_with("/clients?id=eq.1", &dots).await;
    assert_eq!(reply.bytes, [0x00, 0xff]);
}

#[actix_web::test]
async fn what_precedes_a_statement_precedes_it_once() {
    let sql = "create or replace function api.pre_request() returns void language plpgsql as $$
        declare
          asked int := coalesce(nullif(current_setting('x.asked', true), ''), '0');
        begin
          perform set_config('x.asked', (asked + 1)::text, true);
        end $$;
        create view api.asked as select current_setting('x.asked', true) as times;
        grant select on api.asked to anon;";
    let api = after(sql, with_pre_request()).await;
    assert_eq!(api.get("/asked").await.json(), json!([{ "times": "1" }]));
}
