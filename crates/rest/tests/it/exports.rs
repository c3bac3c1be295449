//! CSV that is sent while its rows arrive.

use std::time::Duration;

use actix_web::body::{BodySize, MessageBody as _, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, Version};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, web};
use passerelle_rest::{ExportSettings, RestSettings};
use passerelle_store::Store;
use passerelle_surface::RateLimits;
use passerelle_wire::{Endpoint, Pool, PoolSettings};
use tokio::time::timeout;

use crate::api::{Api, Reply, settings, with_pre_request};

const SOON: Duration = Duration::from_mins(1);

/// Tables of which the same rows can be had through a function, whose reply is never streamed.
const TABLES: &str = r#"
    create table api.texts (id int primary key, a text, b text);
    insert into api.texts values
      (1, 'plain', ''), (2, null, null), (3, 'a,b', 'say ''x'' and \x'), (4, 'two\nlines', '(a)'),
      (5, E'two\nlines', E'tab\there'), (6, E'vt\x0B', E'ff\x0C'), (7, E'cr\r', ' '),
      (8, 'say "x"', '\\'), (9, 'é', U&'\00a0'), (10, U&'\0085', U&'\+01F600'), (11, ';', '''');
    create table api.others (
      id int primary key, n numeric, f float8, b bool, bytes bytea, j json, jb jsonb, a text[],
      t timestamptz, i interval, r int4range, c api.texts
    );
    insert into api.others values
      (1, 1.10, 0.1, true, '\x00ff', '{"a" :  1}', '{"b": "c,d"}', '{a,"b c",NULL}',
       '2024-02-03 04:05:06+00', '1 day 02:03', '[1,5)', row(1, 'a b', null)),
      (2, 'NaN', 'Infinity', null, '', 'null', '[]', '{}', 'infinity', '0', 'empty', null);
    create function api.all_texts() returns setof api.texts language sql as
      'select * from api.texts order by id';
    create function api.all_others() returns setof api.others language sql as
      'select * from api.others order by id';
    create table api.many (id int primary key, name text, divisor int not null);
    insert into api.many
      select n, case n % 3 when 0 then null else 'row, ' || n end, 50000 - n
      from generate_series(1, 100000) n;
    analyze api.many;
    create function api.all_many() returns setof api.many language sql as
      'select * from api.many order by id';
    create function api.inverse(api.many) returns int language sql stable as
      'select 1 / $1.divisor';
    create function api.wait(api.many) returns text language sql volatile as
      'select case when $1.id = 90000 then pg_sleep(3600)::text end';
    create function api.pause(api.many) returns text language sql volatile as
      'select case when $1.id = 90000 then pg_sleep(1.5)::text end';
    create function api.said(api.texts) returns text language plpgsql volatile as $$
    begin
      perform set_config('response.status', case $1.id when 3 then 'none' else '20' || $1.id end, true);
      perform set_config('response.headers', case $1.id when 4 then '{}' else
        format('[{"X-Row":"%s"}]', $1.id) end, true);
      if $1.id = 5 then
        raise sqlstate 'PT402' using message = 'enough';
      end if;
      return 'said';
    end $$;
    grant select on api.texts, api.others, api.many to anon;
"#;

async fn api() -> Api {
    with(settings()).await
}

async fn with(settings: RestSettings) -> Api {
    Api::after(TABLES, settings).await
}

async fn csv(api: &Api, url: &str, more: &[(&'static str, &str)]) -> Reply {
    let headers = [&[("Accept", "text/csv")], more].concat();
    api.get_with(url, &headers).await
}

/// What the function says that returns all rows: its reply is never streamed.
async fn aggregated(api: &Api, function: &str) -> Reply {
    let reply = api
        .request(Method::POST, function, &[("Accept", "text/csv")])
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.header("body-size").starts_with("Sized"));
    reply
}

/// The response to a request, whose body is not read.
async fn begin(api: &Api, request: TestRequest) -> ServiceResponse {
    let state = std::sync::Arc::clone(&api.state);
    let scope =
        web::scope("/rest/v1").configure(move |config| passerelle_rest::configure(config, state));
    let app = init_service(App::new().service(scope)).await;
    call_service(
        &app,
        request.insert_header(("Accept", "text/csv")).to_request(),
    )
    .await
}

fn get(url: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/rest/v1{url}"))
}

#[actix_web::test]
async fn lines_are_those_that_postgresql_writes() {
    let api = api().await;
    for (rows, function) in [("/texts", "/rpc/all_texts"), ("/others", "/rpc/all_others")] {
        let expected = aggregated(&api, function).await;
        let reply = csv(&api, &format!("{rows}?order=id"), &[]).await;
        assert_eq!(reply.body, expected.body);
        assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(
            reply.header("content-range"),
            expected.header("content-range")
        );
        assert_eq!(
            reply.header("body-size"),
            format!("Sized({})", reply.body.len())
        );
    }
}

#[actix_web::test]
async fn few_rows_have_their_ranges_and_counts() {
    let api = api().await;
    let exact = [("Prefer", "count=exact")];
    let all = csv(&api, "/texts?select=id", &exact).await;
    assert_eq!(
        (all.status.as_u16(), all.header("content-range")),
        (200, "0-10/11")
    );
    let some = csv(&api, "/texts?select=id&order=id&limit=2&offset=3", &exact).await;
    assert_eq!(
        (
            some.status.as_u16(),
            some.header("content-range"),
            &*some.body
        ),
        (206, "3-4/11", "id\n4\n5")
    );
    let none = csv(&api, "/texts?id=eq.0", &[]).await;
    assert_eq!((none.header("content-range"), &*none.body), ("*/*", "\n"));
    let nowhere = csv(&api, "/texts?offset=20", &exact).await;
    let code = &nowhere.json()["code"];
    assert_eq!(
        (nowhere.status.as_u16(), code.as_str()),
        (416, Some("PGRST103"))
    );
    let ranged = csv(&api, "/texts?select=id&order=id", &[("Range", "1-2")]).await;
    assert_eq!(
        (ranged.header("content-range"), &*ranged.body),
        ("1-2/*", "id\n2\n3")
    );
    let planned = csv(
        &api,
        "/texts?select=id&limit=1",
        &[("Prefer", "count=planned")],
    )
    .await;
    let total = planned
        .header("content-range")
        .strip_prefix("0-0/")
        .unwrap();
    assert!(total.parse::<u64>().is_ok(), "{total}");
    let head = [("Accept", "text/csv"), ("Prefer", "count=exact")];
    let head = api.request(Method::HEAD, "/texts", &head).await;
    assert_eq!((head.header("content-range"), &*head.body), ("0-10/11", ""));
}

#[actix_web::test]
async fn many_rows_are_the_same_as_few_but_for_their_range() {
    let api = api().await;
    let expected = aggregated(&api, "/rpc/all_many").await;
    let reply = csv(&api, "/many?order=id", &[]).await;
    assert_eq!(reply.header("body-size"), "Stream");
    assert!(reply.body == expected.body, "the bodies differ");
    assert_eq!(reply.header("content-range"), "");
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(reply.header("content-location"), "/many?order=id");

    for (url, status, range) in [
        ("/many", 200, "0-99999/100000"),
        ("/many?limit=60000&offset=10", 206, "10-60009/100000"),
        ("/many?offset=30000", 206, "30000-99999/100000"),
        ("/many?limit=200000&id=gt.1000", 200, "0-98999/99000"),
    ] {
        let reply = csv(&api, url, &[("Prefer", "count=exact")]).await;
        assert_eq!(reply.header("body-size"), "Stream", "{url}");
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-range")),
            (status, range),
            "{url}"
        );
        let (first, last) = range.split('/').next().unwrap().split_once('-').unwrap();
        let number = |text: &str| text.parse::<usize>().unwrap();
        let lines = reply.body.lines().count() - 1;
        assert_eq!(lines, number(last) - number(first) + 1, "{url}");
    }
    let planned = csv(&api, "/many", &[("Prefer", "count=planned")]).await;
    assert_eq!(planned.header("content-range"), "*/100000");
}

#[actix_web::test]
async fn a_reply_that_streams_has_the_status_and_headers_of_the_request_before_it() {
    let api = with(with_pre_request()).await;
    let headers = [("x-status", "202"), ("x-headers", r#"[{"X-Mine":"yes"}]"#)];
    let reply = csv(&api, "/many", &headers).await;
    assert_eq!(reply.header("body-size"), "Stream");
    assert_eq!(
        (reply.status.as_u16(), reply.header("x-mine")),
        (202, "yes")
    );
    let empty = csv(&api, "/many", &[("x-status", "204")]).await;
    assert_eq!(empty.header("body-size"), "None");
    assert_eq!(csv(&api, "/texts?id=eq.1", &[]).await.status, 200);
}

#[actix_web::test]
async fn a_failure_in_the_middle_cuts_the_body_off() {
    let api = api().await;
    for prefer in ["", "count=exact"] {
        let request =
            get("/many?select=id,name,inverse&order=id").insert_header(("Prefer", prefer));
        let response = begin(&api, request).await;
        assert_eq!(response.status(), 200);
        let body = timeout(SOON, to_bytes(response.into_body())).await.unwrap();
        assert!(body.is_err(), "the body ends as if it were complete");
    }
    let early = csv(&api, "/many?select=id,inverse&order=id&id=gt.49990", &[]).await;
    early.assert_error(400, "22012");
    assert_eq!(csv(&api, "/texts?id=eq.1", &[]).await.status, 200);
}

/// Another worker, with connections of its own.
fn worker(api: &Api, connections: usize) -> Api {
    let endpoint = Endpoint::parse(&api.db.authenticator_url()).expect("a URL");
    let settings = PoolSettings {
        max_size: connections,
        ..PoolSettings::default()
    };
    let gate = RateLimits::new(Store::memory()).for_worker();
    let state = api
        .state
        .for_worker(Pool::new(endpoint, settings), gate, &Store::memory());
    api.with_state(state)
}

fn exports(at_once: usize) -> RestSettings {
    let settings = settings();
    RestSettings {
        exports: ExportSettings {
            at_once,
            ..settings.exports
        },
        ..settings
    }
}

fn streams(response: &ServiceResponse) -> bool {
    response.response().body().size() == BodySize::Stream
}

/// A reply that streams, as soon as there is room for it.
async fn streamed(api: &Api, url: &str) -> ServiceResponse {
    let streamed = async {
        loop {
            let response = begin(api, get(url)).await;
            if streams(&response) {
                return response;
            }
        }
    };
    timeout(SOON, streamed).await.expect("there is room")
}

/// The reply is sent as a whole, and says what one that streams cannot.
async fn is_held(api: &Api) {
    let reply = csv(api, "/many?order=id", &[]).await;
    assert_eq!(
        reply.header("body-size"),
        format!("Sized({})", reply.body.len())
    );
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-range"), "0-99999/*");
    assert!(reply.body == aggregated(api, "/rpc/all_many").await.body);
}

#[actix_web::test]
async fn so_many_may_run_and_those_that_are_given_up_make_room() {
    let api = api().await;
    let first = begin(&api, get("/many")).await;
    assert!(streams(&first));
    // No connection is lost by it: the only one that is left goes on.
    for _ in 0..3 {
        is_held(&api).await;
    }
    drop(first);
    drop(streamed(&api, "/many").await);
}

#[actix_web::test]
async fn without_exports_replies_are_held() {
    let api = with(exports(0)).await;
    is_held(&api).await;
    let early = csv(&api, "/many?select=id,inverse&order=id", &[]).await;
    early.assert_error(400, "22012");
}

#[actix_web::test]
async fn exports_leave_half_of_each_workers_connections() {
    let first = with(exports(100)).await;
    let [second, small] = [4, 1].map(|connections| worker(&first, connections));
    let one = begin(&first, get("/many")).await;
    assert!(streams(&one));
    is_held(&first).await;
    let others = [
        begin(&second, get("/many")).await,
        begin(&second, get("/many")).await,
    ];
    assert!(others.iter().all(streams));
    is_held(&second).await;
    drop(one);
    drop(streamed(&first, "/many").await);
    is_held(&small).await;
}

#[actix_web::test]
async fn exports_of_another_configuration_count() {
    let api = with(exports(1)).await;
    let other = worker(&api, 2);
    let running = begin(&api, get("/many")).await;
    assert!(streams(&running));
    api.state.reconfigure(exports(1));
    is_held(&other).await;
    api.state.reconfigure(exports(2));
    drop(streamed(&other, "/many").await);
    is_held(&api).await;
    api.state.reconfigure(exports(0));
    drop(running);
    is_held(&api).await;
}

#[actix_web::test]
async fn readers_that_stop_do_not_keep_others_waiting() {
    let api = with(exports(100)).await;
    let mut stalled = Vec::new();
    for _ in 0..4 {
        stalled.push(begin(&api, get("/many")).await);
    }
    assert_eq!(
        stalled.iter().filter(|response| streams(response)).count(),
        1
    );
    assert_eq!(api.get("/clients").await.status, 200);
}

#[actix_web::test]
async fn nobody_streams_for_longer_than_allowed() {
    let mut settings = settings();
    settings.exports.longest = Duration::from_millis(300);
    let api = with(settings).await;
    // One client waits for what does not come, the other does not read what has come.
    let waiting = begin(&api, get("/many?select=id,name,wait&order=id")).await;
    is_cut_off(waiting).await;
    let idle = begin(&api, get("/many")).await;
    assert!(streams(&idle));
    drop(streamed(&api, "/many").await);
    is_cut_off(idle).await;
}

#[actix_web::test]
async fn who_takes_nothing_is_cut_off_and_who_waits_is_not() {
    let mut settings = settings();
    settings.exports.stall = Duration::from_millis(500);
    let api = with(settings).await;
    let idle = begin(&api, get("/many")).await;
    assert!(streams(&idle));
    drop(streamed(&api, "/many").await);
    is_cut_off(idle).await;
    let patient = streamed(&api, "/many?select=id,name,pause&order=id").await;
    let body = timeout(SOON, to_bytes(patient.into_body())).await.unwrap();
    assert_eq!(body.unwrap().split(|byte| *byte == b'\n').count(), 100_001);
}

async fn is_cut_off(response: ServiceResponse) {
    let body = timeout(SOON, to_bytes(response.into_body()))
        .await
        .expect("it ends");
    assert!(body.is_err(), "the body ends as if it were complete");
}

/// Up to the size from which a reply streams it makes no difference that it could.
#[actix_web::test]
async fn what_rows_set_and_how_they_fail_is_the_same_as_in_a_reply_that_is_held() {
    let may = api().await;
    let held = worker(&may, 1);
    for url in [
        "/texts?select=id,said&id=eq.1",
        "/texts?select=id,said&id=lt.3&order=id",
        "/texts?select=id,said&id=eq.3",
        "/texts?select=id,said&id=eq.4",
        "/texts?select=id,said&id=eq.5",
        "/texts?select=id,said",
        "/texts?select=id,said&offset=20",
        "/many?select=id,inverse&order=id&id=gt.49990",
        "/raised",
    ] {
        for prefer in ["", "count=exact", "count=planned", "count=estimated"] {
            let headers = [("Prefer", prefer), ("X-Request-Id", "1")];
            let streamed = csv(&may, url, &headers).await;
            let held = csv(&held, url, &headers).await;
            assert_eq!(streamed.status, held.status, "{url}");
            assert_eq!(streamed.body, held.body, "{url}");
            assert_eq!(streamed.headers, held.headers, "{url}");
        }
    }
    let said = csv(&may, "/texts?select=id,said&id=lt.3&order=id", &[]).await;
    assert_eq!((said.status.as_u16(), said.header("x-row")), (202, "2"));
}

#[actix_web::test]
async fn http_1_0_cannot_tell_a_body_that_was_cut_off() {
    let api = api().await;
    let response = begin(&api, get("/many?order=id").version(Version::HTTP_10)).await;
    let body = to_bytes(response.into_body()).await.unwrap();
    assert_eq!(body, aggregated(&api, "/rpc/all_many").await.body);
}
