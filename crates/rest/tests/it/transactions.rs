//! What a request's statement sees of the request, and how its transaction runs.

use serde_json::{Value, json};

use crate::api::{Api, NOW, bearer, settings, with_pre_request};

async fn caller(api: &Api, headers: &[(&'static str, &str)]) -> Value {
    api.get_with("/caller", headers).await.json()[0].take()
}

#[actix_web::test]
async fn sql_sees_the_request() {
    let api = Api::new().await;
    let headers = [("X-Custom", "a \"b\""), ("Cookie", "session=abc; other=1")];
    let seen = caller(&api, &headers).await;
    assert_eq!(seen["role"], "anon");
    assert_eq!(seen["claims"], json!({"role": "anon"}));
    assert_eq!(
        (&seen["method"], &seen["path"]),
        (&json!("GET"), &json!("/caller"))
    );
    assert_eq!(seen["headers"]["x-custom"], "a \"b\"");
    assert_eq!(seen["headers"]["cookie"], Value::Null);
    assert_eq!(seen["cookies"], json!({"session": "abc", "other": "1"}));
    assert_eq!(seen["greeting"], "hello");
    assert_eq!(seen["read_only"], "on");
    assert_eq!(seen["isolation"], "read committed");
    assert_eq!(seen["search_path"], "\"api\", \"public\"");
}

#[actix_web::test]
async fn sql_sees_the_callers_claims_and_nothing_of_the_one_before() {
    let api = Api::new().await;
    let claims = json!({"role": "authenticated", "sub": "7", "exp": NOW.0 + 60});
    let token = bearer(&claims);
    for _ in 0..3 {
        let seen = caller(&api, &[("Authorization", &token)]).await;
        assert_eq!(
            (&seen["role"], &seen["claims"]),
            (&json!("authenticated"), &claims)
        );
        let seen = caller(&api, &[]).await;
        assert_eq!(seen["claims"], json!({"role": "anon"}));
    }
}

#[actix_web::test]
async fn a_key_in_apikey_is_a_credential() {
    let api = Api::new().await;
    let key = bearer(&json!({"role": "authenticated"}));
    let seen = caller(&api, &[("apikey", key.trim_start_matches("Bearer "))]).await;
    assert_eq!(seen["role"], "authenticated");
}

#[actix_web::test]
async fn a_time_zone_is_preferred() {
    let api = Api::new().await;
    let reply = api
        .get_with("/caller", &[("Prefer", "timezone=America/Los_Angeles")])
        .await;
    assert_eq!(reply.json()[0]["timezone"], "America/Los_Angeles");
    assert_eq!(
        reply.header("preference-applied"),
        "timezone=America/Los_Angeles"
    );
}

#[actix_web::test]
async fn a_rollback_is_preferred() {
    let api = Api::new().await;
    let reply = api.get_with("/caller", &[("Prefer", "tx=rollback")]).await;
    assert_eq!(reply.header("preference-applied"), "tx=rollback");
    assert_eq!(reply.json()[0]["read_only"], "on");
    let counted = api
        .get_with("/numbers", &[("Prefer", "tx=rollback, count=planned")])
        .await;
    assert_eq!(counted.header("content-range"), "0-999/1000");
    assert_eq!(caller(&api, &[]).await["role"], "anon");
}

#[actix_web::test]
async fn settings_of_the_role_apply() {
    // Roles belong to the whole cluster, so this one has a name of its own.
    let role = format!("rest isolated {}", std::process::id());
    let sql = format!(
        "create role \"{role}\";
        grant \"{role}\" to authenticator;
        alter role \"{role}\" set default_transaction_isolation = 'serializable';
        grant usage on schema api to \"{role}\";
        grant select on api.caller to \"{role}\";"
    );
    let api = Api::after(&sql, settings()).await;
    let token = bearer(&json!({"role": role}));
    let seen = caller(&api, &[("Authorization", &token)]).await;
    assert_eq!(
        (&seen["isolation"], &seen["read_only"]),
        (&json!("serializable"), &json!("on"))
    );
    let clean = format!("drop owned by \"{role}\"; drop role \"{role}\";");
    api.db.run(&clean).await;
}

#[actix_web::test]
async fn sql_chooses_status_and_headers() {
    let api = Api::with(with_pre_request()).await;
    let chosen = r#"[{"Content-Type":"text/special"},{"Set-Cookie":"a=b"}]"#;
    let reply = api
        .get_with("/clients", &[("x-status", "205"), ("x-headers", chosen)])
        .await;
    assert_eq!(reply.status, 205);
    assert_eq!(reply.header("content-type"), "text/special");
    assert_eq!(reply.header("set-cookie"), "a=b");
    let plain = api.get("/clients").await;
    assert_eq!(
        (plain.status.as_u16(), plain.header("set-cookie")),
        (200, "")
    );
}

#[actix_web::test]
async fn the_pre_request_function_may_refuse() {
    let api = Api::with(with_pre_request()).await;
    let refused = api.get_with("/clients", &[("x-refuse", "1")]).await;
    refused.assert_error(401, "42501");
    assert_eq!(refused.json()["message"], "refused before the statement");
}
