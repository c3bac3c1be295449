//! Bodies that are too much or not what they seem: refused, and nothing of them is written.
#![expect(clippy::unwrap_used, reason = "a test that cannot begin has failed")]

use std::fmt::Write as _;

use actix_web::http::Method;
use actix_web::test::TestRequest;

use crate::api::{Api, Reply, settings};

const SQL: &str = "
    create table api.items (id int primary key, name text, doc jsonb);
    grant select, insert, update, delete on api.items to anon;
    create function api.kind(doc json) returns text language sql immutable as 'select json_typeof(doc)';";

/// More than any limit of a parser that counts.
const DEPTH: usize = 200_000;

async fn api() -> Api {
    Api::after(SQL, settings()).await
}

async fn send(api: &Api, method: Method, url: &str, kind: &str, body: Vec<u8>) -> Reply {
    let request = TestRequest::with_uri(&format!("/rest/v1{url}"))
        .method(method)
        .insert_header(("Content-Type", kind))
        .set_payload(body);
    api.send(request).await
}

async fn post(api: &Api, url: &str, body: impl Into<Vec<u8>>) -> Reply {
    send(api, Method::POST, url, "application/json", body.into()).await
}

async fn assert_nothing_written(api: &Api) {
    assert_eq!(api.get("/items?select=id&limit=1").await.body, "[]");
}

/// So many rows as JSON, without the end of their array.
fn rows(bytes: usize) -> String {
    let mut body = String::from("[");
    let mut id = 0;
    while body.len() < bytes {
        let separator = if id == 0 { "" } else { "," };
        write!(
            body,
            "{separator}{{\"id\":{id},\"name\":\"{}\",\"doc\":null}}",
            "x".repeat(100)
        )
        .unwrap();
        id += 1;
    }
    body
}

#[actix_web::test]
async fn a_fault_behind_ten_megabytes() {
    let api = api().await;
    let long = rows((10 << 20) - 200);
    for end in [",{\"id\":", "]]", ",{\"id\":-1,\"name\":\"\"}]"] {
        let reply = post(&api, "/items", format!("{long}{end}")).await;
        reply.assert_error(400, "PGRST102");
        assert_nothing_written(&api).await;
    }
    // Where the columns are named it is PostgreSQL that reads.
    let reply = post(&api, "/items?columns=id,name", format!("{long},{{")).await;
    reply.assert_error(400, "22P02");
    let twice = format!("{long},{{\"id\":0,\"name\":\"\",\"doc\":1}}]");
    post(&api, "/items", twice).await.assert_error(409, "23505");
    assert_nothing_written(&api).await;
    let reply = post(&api, "/items", format!("{long}]")).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
}

#[actix_web::test]
async fn more_than_is_taken() {
    let api = api().await;
    let reply = post(&api, "/items", format!("{}]", rows(10 << 20))).await;
    reply.assert_error(413, "PSR413");
    assert_nothing_written(&api).await;
}

#[actix_web::test]
async fn a_ragged_line_behind_many() {
    let api = api().await;
    let mut csv = String::from("id,name\n");
    for id in 0..100_000 {
        writeln!(csv, "{id},name").unwrap();
    }
    csv.push_str("-1\n");
    let reply = send(&api, Method::POST, "/items", "text/csv", csv.into()).await;
    reply.assert_error(400, "PGRST102");
    assert_nothing_written(&api).await;
}

#[actix_web::test]
async fn nesting_without_end() {
    let api = api().await;
    let deep = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    post(&api, "/items", deep.clone())
        .await
        .assert_error(400, "PGRST102");
    post(&api, "/items", "[".repeat(DEPTH))
        .await
        .assert_error(400, "PGRST102");
    post(&api, "/items", "{\"id\":".repeat(DEPTH))
        .await
        .assert_error(400, "PGRST102");
    let row = format!("{{\"id\":1,\"doc\":{deep}}}");
    let refused = |reply: Reply| {
        reply.assert_error(500, "54001");
        assert_eq!(reply.json()["message"], "stack depth limit exceeded");
    };
    refused(post(&api, "/items", row.clone()).await);
    refused(post(&api, "/items?columns=id,doc", row.clone()).await);
    let patch = send(
        &api,
        Method::PATCH,
        "/items",
        "application/json",
        row.into(),
    )
    .await;
    refused(patch);
    refused(post(&api, "/rpc/kind", format!("{{\"doc\":{deep}}}")).await);
    assert_nothing_written(&api).await;
    let shallow = format!(
        "{{\"id\":1,\"doc\":{}{}}}",
        "[".repeat(500),
        "]".repeat(500)
    );
    assert_eq!(post(&api, "/items", shallow).await.status, 201);
}

#[actix_web::test]
async fn more_members_than_a_table_has_columns() {
    let api = api().await;
    let members: Vec<String> = (0..20_000).map(|n| format!("\"m{n}\":{n}")).collect();
    let object = format!("{{{}}}", members.join(","));
    post(&api, "/items", object.clone())
        .await
        .assert_error(400, "PGRST204");
    let reply = post(&api, "/rpc/kind", object).await;
    reply.assert_error(404, "PGRST202");
    assert_nothing_written(&api).await;
}

#[actix_web::test]
async fn bytes_that_are_no_text() {
    let api = api().await;
    let invalid = b"{\"id\":1,\"name\":\"\xff\xfe\"}".to_vec();
    post(&api, "/items", invalid.clone())
        .await
        .assert_error(400, "PGRST102");
    let reply = post(&api, "/items?columns=id,name", invalid).await;
    reply.assert_error(400, "22021");
    let marked = b"\xef\xbb\xbf{\"id\":1}".to_vec();
    post(&api, "/items", marked)
        .await
        .assert_error(400, "PGRST102");
    let csv = b"id,name\n1,\xff\n".to_vec();
    send(&api, Method::POST, "/items", "text/csv", csv)
        .await
        .assert_error(400, "PGRST102");
    let form = b"id=1&name=%ff".to_vec();
    let kind = "application/x-www-form-urlencoded";
    send(&api, Method::POST, "/items", kind, form)
        .await
        .assert_error(400, "PGRST102");
    let wide: Vec<u8> = "{\"id\":1}".bytes().flat_map(|byte| [byte, 0]).collect();
    post(&api, "/items", wide)
        .await
        .assert_error(400, "PGRST102");
    assert_nothing_written(&api).await;
}

#[actix_web::test]
async fn numbers_beyond_all_types() {
    let api = api().await;
    let huge = "9".repeat(200_000);
    post(&api, "/items", format!("{{\"id\":{huge}}}"))
        .await
        .assert_error(400, "22003");
    let tiny = post(&api, "/items", "{\"id\":1e999999999}").await;
    assert!(tiny.status.is_client_error(), "{}", tiny.body);
    assert_nothing_written(&api).await;
}
