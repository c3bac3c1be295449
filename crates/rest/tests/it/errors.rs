//! Each error that a read can end in is provoked.
#![expect(clippy::unwrap_used, reason = "a test that cannot begin has failed")]

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use passerelle_identity::{IdentitySettings, Verifier};
use passerelle_rest::{RestSettings, TransactionMode};
use passerelle_surface::Verbosity;
use passerelle_wire::{ConnectionSettings, Endpoint, Pool, PoolSettings};
use serde_json::json;

use crate::api::{Api, NOW, bearer, settings, state, with_pre_request};

#[actix_web::test]
async fn a_query_string_that_is_not_understood() {
    let api = Api::new().await;
    let reply = api.get("/projects?id=nonsense.1").await;
    reply.assert_error(400, "PGRST100");
    assert!(reply.json()["details"].is_string());
    api.get("/projects?select=id(")
        .await
        .assert_error(400, "PGRST100");
}

#[actix_web::test]
async fn more_than_the_limits_allow() {
    let api = Api::new().await;
    let long = format!("/projects?name=eq.{}", "x".repeat(5000));
    api.get(&long).await.assert_error(414, "PSR414");
    let deep = format!("/projects?select={}id{}", "tasks(".repeat(9), ")".repeat(9));
    api.get(&deep).await.assert_error(400, "PGRST100");
    let huge = format!("/projects?name=eq.{}", "x".repeat(40_000));
    api.get(&huge).await.assert_error(414, "PSR414");
}

#[actix_web::test]
async fn paths_methods_and_schemas() {
    let api = Api::new().await;
    api.get("/projects/1/2").await.assert_error(404, "PGRST125");
    let trace = api.request(Method::TRACE, "/projects", &[]).await;
    trace.assert_error(405, "PGRST117");
    let profile = api
        .get_with("/projects", &[("Accept-Profile", "hidden")])
        .await;
    profile.assert_error(406, "PGRST106");
    assert_eq!(
        profile.json()["hint"],
        "Only the following schemas are exposed: api"
    );
    let rpc = api.request(Method::DELETE, "/rpc/failing", &[]).await;
    rpc.assert_error(405, "PGRST101");
}

#[actix_web::test]
async fn ranges() {
    let api = Api::new().await;
    let upside_down = api.get_with("/projects", &[("Range", "5-2")]).await;
    upside_down.assert_error(416, "PGRST103");
    api.get("/projects?limit=-1")
        .await
        .assert_error(416, "PGRST103");
}

#[actix_web::test]
async fn names_that_are_not_there() {
    let api = Api::new().await;
    let table = api.get("/projectz").await;
    table.assert_error(404, "PGRST205");
    assert_eq!(
        table.json()["hint"],
        "Perhaps you meant the table 'api.projects'"
    );
    let embed = api.get("/projects?select=taskz(id)").await;
    embed.assert_error(400, "PGRST200");
    assert_eq!(
        embed.json()["hint"],
        "Perhaps you meant 'tasks' instead of 'taskz'."
    );
    api.get("/projects?select=nothing")
        .await
        .assert_error(400, "42703");
    api.get("/projects?nothing=eq.1")
        .await
        .assert_error(400, "42703");
}

#[actix_web::test]
async fn an_embed_that_could_be_several() {
    let api = Api::new().await;
    let reply = api.get("/projects?select=clients(name)").await;
    reply.assert_error(300, "PGRST201");
    let through = |constraint: &str, column: &str| {
        json!({"cardinality": "many-to-one", "embedding": "projects with clients",
            "relationship":
                format!("{constraint} using projects({column}) and clients(id)")})
    };
    assert_eq!(
        reply.json()["details"],
        json!([
            through("projects_backup_client_id_fkey", "backup_client_id"),
            through("projects_client_id_fkey", "client_id"),
        ])
    );
    let hint = reply.json()["hint"].as_str().unwrap_or_default().to_owned();
    assert!(hint.contains("'clients!projects_client_id_fkey'"), "{hint}");
}

#[actix_web::test]
async fn what_a_request_may_not_ask_for() {
    let api = Api::new().await;
    api.get("/projects?select=id&tasks.id=eq.1")
        .await
        .assert_error(400, "PGRST108");
    let order = api
        .get("/projects?select=id,tasks(id)&order=tasks(id)")
        .await;
    order.assert_error(400, "PGRST118");
    api.get("/projects?select=id.sum()")
        .await
        .assert_error(400, "PGRST123");
    let media = api.get_with("/projects", &[("Accept", "image/png")]).await;
    media.assert_error(406, "PGRST107");
    let strict = api
        .get_with("/projects", &[("Prefer", "handling=strict, anything")])
        .await;
    strict.assert_error(400, "PGRST122");
    assert_eq!(strict.json()["details"], "Invalid preferences: anything");
}

#[actix_web::test]
async fn not_exactly_one_row() {
    let api = Api::new().await;
    let object = [("Accept", "application/vnd.pgrst.object+json")];
    let none = api.get_with("/projects?id=eq.99", &object).await;
    none.assert_error(406, "PGRST116");
    assert_eq!(none.json()["details"], "The result contains 0 rows");
    api.get_with("/projects", &object)
        .await
        .assert_error(406, "PGRST116");
}

#[actix_web::test]
async fn tokens() {
    let api = Api::new().await;
    let broken = api
        .get_with("/projects", &[("Authorization", "Bearer a.b")])
        .await;
    broken.assert_error(401, "PGRST301");
    assert!(
        broken
            .header("www-authenticate")
            .starts_with("Bearer error=\"invalid_token\"")
    );
    let token = bearer(&json!({"role": "authenticated", "exp": NOW.0 - 600}));
    let expired = api
        .get_with("/projects", &[("Authorization", &token)])
        .await;
    expired.assert_error(401, "PGRST303");
    let token = bearer(&json!({"role": "nobody at all"}));
    let unknown = api
        .get_with("/projects", &[("Authorization", &token)])
        .await;
    unknown.assert_error(401, "22023");
}

#[actix_web::test]
async fn without_secret_or_anonymous_role() {
    let bare = Arc::new(Verifier::new(&IdentitySettings::default()).unwrap());
    let api = Api::with(RestSettings {
        verifier: bare,
        ..settings()
    })
    .await;
    let anonymous = api.get("/projects").await;
    anonymous.assert_error(401, "PGRST302");
    assert_eq!(anonymous.header("www-authenticate"), "Bearer");
    let token = bearer(&json!({"role": "anon"}));
    let unverified = api
        .get_with("/projects", &[("Authorization", &token)])
        .await;
    unverified.assert_error(500, "PGRST300");
}

#[actix_web::test]
async fn a_table_without_privileges() {
    let api = Api::new().await;
    let anonymous = api.get("/secrets").await;
    anonymous.assert_error(401, "42501");
    assert_eq!(anonymous.header("www-authenticate"), "Bearer");
    let token = bearer(&json!({"role": "authenticated"}));
    let known = api.get_with("/secrets", &[("Authorization", &token)]).await;
    known.assert_error(403, "42501");
}

#[actix_web::test]
async fn values_that_postgresql_refuses() {
    let api = Api::new().await;
    let cast = api.get("/projects?id=eq.abc").await;
    cast.assert_error(400, "22P02");
    assert_eq!(
        cast.json()["message"],
        "invalid input syntax for type integer: \"abc\""
    );
    // Text ends where PostgreSQL's text has to.
    assert_eq!(
        api.get("/clients?name=eq.Apple%00b&select=id").await.json(),
        json!([{"id": 2}])
    );
    let named = api.get("/clients?select=a%00b:id").await;
    assert!(!named.status.is_server_error(), "{}", named.body);
    let zone = api
        .get_with("/projects", &[("Prefer", "timezone=Nowhere/At_All")])
        .await;
    assert_eq!(zone.header("preference-applied"), "");
}

#[actix_web::test]
async fn errors_that_sql_raises() {
    let api = Api::new().await;
    let payment = api.get("/failures").await;
    payment.assert_error(402, "PT402");
    assert_eq!(payment.json()["details"], "Quota exceeded");
    let raised = api.get("/raised").await;
    raised.assert_error(332, "123");
    assert_eq!(raised.header("x-header"), "str");
    api.get("/garble").await.assert_error(500, "PGRST121");
}

#[actix_web::test]
async fn settings_of_the_response_that_make_no_sense() {
    let api = Api::with(with_pre_request()).await;
    api.get_with("/projects", &[("x-headers", "nonsense")])
        .await
        .assert_error(500, "PGRST111");
    api.get_with("/projects", &[("x-status", "nonsense")])
        .await
        .assert_error(500, "PGRST112");
}

#[actix_web::test]
async fn minimal_errors() {
    let api = Api::with(RestSettings {
        verbosity: Verbosity::Minimal,
        ..settings()
    })
    .await;
    let reply = api.get("/projectz").await;
    reply.assert_error(404, "PGRST205");
    assert!(reply.json().get("hint").is_none(), "{}", reply.body);
}

#[actix_web::test]
async fn the_override_is_ignored_where_it_is_not_allowed() {
    let mut settings = settings();
    settings.transaction_mode = TransactionMode::Commit;
    settings.exposure.allow_transaction_override = false;
    let api = Api::with(settings).await;
    let reply = api.get_with("/clients", &[("Prefer", "tx=rollback")]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("preference-applied")),
        (200, "")
    );
}

#[actix_web::test]
async fn a_catalogue_that_is_not_there_yet() {
    let mut api = Api::new().await;
    api.state = state(pool(&api.db.authenticator_url(), 10), None, settings());
    let reply = api.get("/projects").await;
    reply.assert_error(503, "PGRST002");
    assert!(!reply.header("retry-after").is_empty());
}

fn pool(url: &str, max_size: usize) -> Pool {
    let settings = PoolSettings {
        max_size,
        max_waiting: 0,
        ..PoolSettings::default()
    };
    Pool::new(Endpoint::parse(url).unwrap(), settings)
}

#[actix_web::test]
async fn a_database_that_cannot_be_reached() {
    let api = Api::new().await;
    let other = api
        .db
        .authenticator_url()
        .replace(api.db.name(), "no_such_database");
    let api = api.over(pool(&other, 1));
    let reply = api.get("/projects").await;
    reply.assert_error(503, "PGRST000");
    assert!(!reply.header("retry-after").is_empty());
}

#[actix_web::test]
async fn a_pool_that_is_exhausted() {
    let api = Api::new().await;
    let pool = pool(&api.db.authenticator_url(), 1);
    let busy = pool.acquire("anon").await.unwrap();
    let api = api.over(pool);
    api.get("/projects").await.assert_error(504, "PGRST003");
    drop(busy);
    assert_eq!(api.get("/projects").await.status, 200);
}

#[actix_web::test]
async fn a_connection_that_is_lost() {
    let sql = "create function api.dying() returns int language sql volatile security definer as
        'select 1 from (select pg_terminate_backend(pg_backend_pid())) as t';
        create view api.death as select api.dying() as id;
        grant select on api.death to anon;";
    let api = Api::after(sql, settings()).await;
    let reply = api.get("/death").await;
    assert_eq!(reply.status, 503, "{}", reply.body);
    assert_eq!(api.get("/projects").await.status, 200);
}

#[actix_web::test]
async fn a_statement_that_takes_too_long() {
    let sql = "create view api.sleepy as select pg_sleep(60)::text as id;
        grant select on api.sleepy to anon;";
    let api = Api::after(sql, settings()).await;
    let connection = ConnectionSettings {
        flight_timeout: Some(Duration::from_millis(50)),
        ..ConnectionSettings::default()
    };
    let settings = PoolSettings {
        connection,
        ..PoolSettings::default()
    };
    let endpoint = Endpoint::parse(&api.db.authenticator_url()).unwrap();
    let api = api.over(Pool::new(endpoint, settings));
    api.get("/sleepy").await.assert_error(504, "PSR504");
}

#[actix_web::test]
async fn odd_requests_are_refused_and_do_no_harm() {
    let api = Api::new().await;
    for url in [
        "",
        "//",
        "/%2e%2e/etc",
        "/%00",
        "/%ff%fe",
        "/projects%20x",
        "/projects?%00=eq.%00",
        "/projects?select=%ff",
        "/projects?select=%22%00%22",
        "/projects?id=in.(",
        "/projects?or=((((((((((",
        "/projects?limit=99999999999999999999",
        "/projects?offset=18446744073709551615",
        "/projects?order=id.asc.desc",
        "/projects?select=*,*,*",
    ] {
        let reply = api.get(url).await;
        assert!(!reply.status.is_server_error(), "{url}: {}", reply.body);
    }
    for (name, value) in [
        ("Range", "18446744073709551615-18446744073709551615"),
        ("Prefer", ",,;=,count=,tx==,"),
        ("Accept", ";q=2, */*;q=x, \u{e9}"),
        ("Authorization", "Bearer"),
        ("Accept-Profile", "\u{e9}"),
        ("Cookie", "=;==;a=\u{e9}"),
    ] {
        let reply = api.get_with("/projects", &[(name, value)]).await;
        assert!(
            !reply.status.is_server_error(),
            "{name}: {value}: {}",
            reply.body
        );
    }
}
