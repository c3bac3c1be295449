//! QUERY: a read whose parameters are in the body.

use actix_web::http::Method;
use passerelle_rest::RestSettings;
use passerelle_syntax::Limits;
use serde_json::json;

use crate::api::{Api, Reply, extended};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn query(
    api: &Api,
    url: &str,
    headers: &[(&'static str, &str)],
    body: impl Into<String>,
) -> Reply {
    api.send_body("QUERY", url, headers, body.into()).await
}

#[actix_web::test]
async fn it_is_answered_as_a_get_is() {
    let api = Api::with(extended()).await;
    let expected = api
        .get("/projects?select=id,name,tasks(title)&id=gte.1&id=lt.3&order=id.desc")
        .await;
    let form = query(
        &api,
        "/projects?select=id,name,tasks(title)",
        &[FORM],
        "id=gte.1&id=lt.3&order=id.desc",
    )
    .await;
    let body =
        json!({"select": "id,name,tasks(title)", "id": ["gte.1", "lt.3"], "order": "id.desc"});
    let json = query(&api, "/projects", &[JSON], body.to_string()).await;
    for reply in [&form, &json] {
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &expected.body));
        for name in ["content-range", "content-type", "content-location", "vary"] {
            assert_eq!(reply.header(name), expected.header(name), "{name}");
        }
    }
}

#[actix_web::test]
async fn headers_mean_what_they_mean_to_a_get() {
    let api = Api::with(extended()).await;
    let headers = [JSON, ("Range", "5-9"), ("Prefer", "count=exact")];
    let page = query(&api, "/numbers", &headers, r#"{"order": "id"}"#).await;
    assert_eq!(page.status, 206);
    assert_eq!(page.header("content-range"), "5-9/1000");
    let headers = [JSON, ("Accept", "application/vnd.pgrst.object+json")];
    let one = query(&api, "/numbers", &headers, r#"{"id": "eq.7"}"#).await;
    assert_eq!(one.json(), json!({"id": 7}));
    let many = query(&api, "/numbers", &headers, "{}").await;
    many.assert_error(406, "PGRST116");
    let hidden = [JSON, ("Accept-Profile", "hidden")];
    query(&api, "/numbers", &hidden, "{}")
        .await
        .assert_error(406, "PGRST106");
}

#[actix_web::test]
async fn sql_sees_the_method_and_may_not_write() {
    let api = Api::with(extended()).await;
    let seen = query(&api, "/caller", &[FORM], "").await.json()[0].take();
    assert_eq!(
        (&seen["method"], &seen["read_only"]),
        (&json!("QUERY"), &json!("on"))
    );
}

#[actix_web::test]
async fn a_filter_that_no_url_could_hold() {
    let api = Api::with(extended()).await;
    let ids: Vec<String> = (1..=10_000).map(|id| id.to_string()).collect();
    let filter = format!("id=in.({})", ids.join(","));
    let url = format!("/numbers?{filter}");
    api.get(&url).await.assert_error(414, "PSR414");
    let reply = query(&api, "/numbers?select=id", &[FORM], filter).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json().as_array().unwrap().len(), 1000);
    assert_eq!(reply.header("content-location"), "");
}

#[actix_web::test]
async fn bodies_that_are_refused() {
    let api = Api::with(extended()).await;
    let csv = query(&api, "/numbers", &[("Content-Type", "text/csv")], "id=eq.1").await;
    csv.assert_error(415, "PGRST102");
    let types = "application/x-www-form-urlencoded, application/json";
    assert_eq!(csv.header("accept-query"), types);
    query(&api, "/numbers", &[], "id=eq.1")
        .await
        .assert_error(400, "PGRST102");
    query(&api, "/numbers", &[JSON], "[]")
        .await
        .assert_error(400, "PGRST102");
    let broken = api
        .send_body("QUERY", "/numbers", &[FORM], &b"id=\xff"[..])
        .await;
    broken.assert_error(400, "PGRST102");
    query(&api, "/numbers", &[FORM], "id=nonsense.1")
        .await
        .assert_error(400, "PGRST100");
    let many = "id=eq.1&".repeat(60);
    query(&api, "/numbers", &[FORM], many)
        .await
        .assert_error(400, "PGRST100");
    let settings = extended();
    let limits = Limits {
        query_body_bytes: 50,
        ..settings.limits
    };
    let api = Api::with(RestSettings { limits, ..settings }).await;
    let long = query(&api, "/numbers", &[FORM], "id=eq.1&".repeat(10)).await;
    long.assert_error(413, "PSR413");
    let repeated = query(
        &api,
        "/numbers",
        &[JSON],
        r#"{"id":["gt.1","gt.1","gt.1","gt.1"]}"#,
    );
    assert_eq!(repeated.await.status, 200);
    let repeated = r#"{"a_very_long_name":[1,1,1,1,1,1,1,1,1,1]}"#;
    let repeated = query(&api, "/numbers", &[JSON], repeated).await;
    repeated.assert_error(413, "PSR413");
    assert_eq!(long.json()["details"], "The request body exceeds 50 bytes");
}

#[actix_web::test]
async fn it_is_known_where_it_is_switched_on_only() {
    let api = Api::with(extended()).await;
    let info = api.request(Method::OPTIONS, "/projects", &[]).await;
    assert!(
        info.header("allow").ends_with(",QUERY"),
        "{}",
        info.header("allow")
    );
    assert!(info.header("accept-query").contains("application/json"));
    query(&api, "/rpc/failing", &[FORM], "")
        .await
        .assert_error(405, "PGRST101");
    let api = Api::new().await;
    query(&api, "/projects", &[FORM], "")
        .await
        .assert_error(405, "PGRST117");
    let info = api.request(Method::OPTIONS, "/projects", &[]).await;
    assert!(!info.header("allow").contains("QUERY"));
    assert_eq!(info.header("accept-query"), "");
}
