//! What a read answers.

use actix_web::http::Method;
use serde_json::json;

use crate::api::{Api, settings};

#[actix_web::test]
async fn rows_of_a_table() {
    let api = Api::new().await;
    let reply = api.get("/clients?select=id,name&order=id").await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.json(),
        json!([{"id": 1, "name": "Microsoft"}, {"id": 2, "name": "Apple"}])
    );
    for (name, value) in [
        ("content-type", "application/json; charset=utf-8"),
        ("content-range", "0-1/*"),
        ("content-location", "/clients?order=id&select=id%2Cname"),
        ("vary", "Accept, Prefer, Range"),
        ("content-profile", ""),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    assert!(!reply.header("x-request-id").is_empty());
}

#[actix_web::test]
async fn embeds() {
    let api = Api::new().await;
    let url = "/clients?select=name,projects!projects_client_id_fkey(id,tasks(title))&id=eq.1\
               &projects.order=id&projects.limit=1";
    assert_eq!(
        api.get(url).await.json(),
        json!([{"name": "Microsoft",
            "projects": [{"id": 1, "tasks": [{"title": "Design"}, {"title": "Code"}]}]}])
    );
}

#[actix_web::test]
async fn exact_counts_make_partial_content() {
    let api = Api::new().await;
    let count = [("Prefer", "count=exact")];
    let page = api.get_with("/projects?limit=2&order=id", &count).await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-range")),
        (206, "0-1/4")
    );
    assert_eq!(page.header("preference-applied"), "count=exact");
    let all = api.get_with("/projects", &count).await;
    assert_eq!(
        (all.status.as_u16(), all.header("content-range")),
        (200, "0-3/4")
    );
    let none = api.get_with("/projects?id=eq.99", &count).await;
    assert_eq!(
        (none.status.as_u16(), none.header("content-range")),
        (200, "*/0")
    );
    let behind = api.get_with("/projects?offset=30", &count).await;
    assert_eq!(
        (behind.status.as_u16(), behind.header("content-range")),
        (416, "*/4")
    );
    assert_eq!(behind.json()["code"], "PGRST103");
}

#[actix_web::test]
async fn planned_and_estimated_counts() {
    let api = Api::new().await;
    let planned = api
        .get_with("/numbers?limit=5", &[("Prefer", "count=planned")])
        .await;
    assert_eq!(
        (planned.status.as_u16(), planned.header("content-range")),
        (206, "0-4/1000")
    );
    let estimated = api
        .get_with("/numbers?limit=5", &[("Prefer", "count=estimated")])
        .await;
    assert_eq!(estimated.header("content-range"), "0-4/1000");
}

#[actix_web::test]
async fn an_estimated_count_is_exact_up_to_max_rows() {
    let mut settings = settings();
    settings.planning.max_rows = Some(10);
    let api = Api::with(settings).await;
    let estimated = [("Prefer", "count=estimated")];
    let few = api.get_with("/projects?limit=2", &estimated).await;
    assert_eq!(few.header("content-range"), "0-1/4");
    let many = api.get_with("/numbers", &estimated).await;
    assert_eq!(many.header("content-range"), "0-9/1000");
}

#[actix_web::test]
async fn a_range_header_is_a_window() {
    let api = Api::new().await;
    let reply = api
        .get_with("/projects?order=id&select=id", &[("Range", "1-2")])
        .await;
    assert_eq!(reply.json(), json!([{"id": 2}, {"id": 3}]));
    assert_eq!(reply.header("content-range"), "1-2/*");
}

#[actix_web::test]
async fn a_single_object() {
    let api = Api::new().await;
    let object = [("Accept", "application/vnd.pgrst.object+json")];
    let reply = api
        .get_with("/projects?id=eq.3&select=id,backup_client_id", &object)
        .await;
    assert_eq!(reply.json(), json!({"id": 3, "backup_client_id": null}));
    assert_eq!(
        reply.header("content-type"),
        "application/vnd.pgrst.object+json; charset=utf-8"
    );
    let stripped = [("Accept", "application/vnd.pgrst.object+json;nulls=stripped")];
    let reply = api
        .get_with("/projects?id=eq.3&select=id,backup_client_id", &stripped)
        .await;
    assert_eq!(reply.json(), json!({"id": 3}));
}

#[actix_web::test]
async fn csv() {
    let api = Api::new().await;
    let reply = api
        .get_with("/clients?order=id", &[("Accept", "text/csv")])
        .await;
    assert_eq!(reply.body, "id,name\n1,Microsoft\n2,Apple");
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
}

#[actix_web::test]
async fn bytes_of_a_media_type_that_sql_defines() {
    let api = Api::new().await;
    let reply = api
        .get_with("/clients", &[("Accept", "image/x-dots")])
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("content-type")),
        (200, "image/x-dots")
    );
    assert_eq!(reply.bytes, [0x00, 0xff, 0x00, 0xff]);
}

#[actix_web::test]
async fn head_answers_headers_alone() {
    let api = Api::new().await;
    let reply = api
        .request(Method::HEAD, "/projects", &[("Prefer", "count=exact")])
        .await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, ""));
    assert_eq!(reply.header("content-range"), "0-3/4");
    assert_eq!(reply.header("body-size"), "None");
}

#[actix_web::test]
async fn options_tell_what_a_relation_allows() {
    let api = Api::new().await;
    let table = api.request(Method::OPTIONS, "/projects", &[]).await;
    assert_eq!(
        table.header("allow"),
        "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"
    );
    assert_eq!(table.header("body-size"), "Sized(0)");
    let view = api.request(Method::OPTIONS, "/caller", &[]).await;
    assert_eq!(view.header("allow"), "OPTIONS,GET,HEAD");
    let root = api.request(Method::OPTIONS, "/", &[]).await;
    assert_eq!(root.header("allow"), "OPTIONS,GET,HEAD");
}

#[actix_web::test]
async fn a_schema_that_was_chosen_is_named() {
    let mut settings = settings();
    settings.exposure.schemas.push("public".to_owned());
    let api = Api::with(settings).await;
    let reply = api.get_with("/clients", &[("Accept-Profile", "api")]).await;
    assert_eq!(reply.header("content-profile"), "api");
}

#[actix_web::test]
async fn an_alias_that_is_passed_over_is_warned_of() {
    let api = Api::new().await;
    let reply = api
        .get("/projects?id=eq.1&select=id,todo:tasks(id)&tasks.order=id")
        .await;
    assert_eq!(reply.status, 200);
    assert!(
        reply.header("warning").contains("`tasks` to `todo`"),
        "{:?}",
        reply.headers
    );
}

#[actix_web::test]
async fn server_timing_where_it_is_wanted() {
    let api = Api::with(passerelle_rest::RestSettings {
        server_timing: true,
        ..settings()
    })
    .await;
    let timing = api.get("/clients").await.header("server-timing").to_owned();
    let names: Vec<_> = timing
        .split(", ")
        .filter_map(|part| part.split(';').next())
        .collect();
    assert_eq!(names, ["jwt", "parse", "plan", "transaction", "response"]);
}

#[actix_web::test]
async fn requests_are_counted() {
    let api = Api::new().await;
    api.get("/clients").await;
    api.get("/nothing").await;
    let mut metrics = String::new();
    api.metrics.render(&mut metrics);
    for status in [200, 404] {
        let line = format!(
            "passerelle_requests_total{{surface=\"rest\",shape=\"read\",status=\"{status}\"}} 1"
        );
        assert!(metrics.contains(&line), "{metrics}");
    }
}
