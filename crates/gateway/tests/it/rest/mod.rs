//! `passerelle rest` in PostgREST's place.

mod command_line;
mod handover;
mod reload;
mod sockets;

use passerelle_testkit::TestDb;

use crate::program::{Program, free_port, get, run};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
/// What the claims of a token are signed with.
const SECRET: &str = "reallyreallyreallyreallyverysafe";

/// Starts a server on a free port of this machine; `variables` come on top.
fn start(db_uri: &str, variables: &[(&str, &str)]) -> Program {
    let mut all = vec![
        ("PGRST_DB_URI", db_uri),
        ("PGRST_DB_ANON_ROLE", "postgres"),
        ("PGRST_SERVER_HOST", "127.0.0.1"),
        ("PGRST_SERVER_PORT", "0"),
    ];
    all.extend(variables);
    Program::start(HERE.as_ref(), &["rest"], &all)
}

#[test]
fn a_faulty_configuration_is_said_in_one_line() {
    for (variable, said) in [
        (("PGRST_LOG_LEVEL", "loud"), "Invalid logging level"),
        (
            ("PGRST_JWT_SECRET", "short"),
            "must be at least 32 characters",
        ),
        (
            ("PGRST_DB_URI", "mysql://a@b/c"),
            "the database URL cannot be used",
        ),
        (("PGRST_SERVER_TRACE_HEADER", "a b"), "server-trace-header"),
        (
            ("PGRST_JWT_ROLE_CLAIM_KEY", "role;"),
            "failed to parse role-claim-key value (role;)",
        ),
        (("PGRST_SERVER_PORT", "70000"), "70000 is not a port"),
    ] {
        let (code, out, errors) = run(HERE.as_ref(), &["rest"], &[variable]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{errors}");
        assert!(errors.contains(said), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}

#[tokio::test]
async fn address_and_secret_may_come_from_standard_input() {
    let db = TestDb::with_sql("create table first (id int)").await;
    let variables = [
        ("PGRST_DB_URI", "@/dev/stdin"),
        ("PGRST_DB_ANON_ROLE", "postgres"),
        ("PGRST_SERVER_HOST", "127.0.0.1"),
        ("PGRST_SERVER_PORT", "0"),
    ];
    let server = Program::start_reading(HERE.as_ref(), &["rest"], &variables, &db.url());
    assert_eq!(get(&format!("{}/first", server.url()), &[]).0, 200);
    // Nothing is left to be read by now.
    server.signal("USR2");
    server.error_line("configuration reloaded");

    let url = db.url();
    let variables = [
        ("PGRST_DB_URI", url.as_str()),
        ("PGRST_JWT_SECRET", "@/dev/stdin"),
        ("PGRST_SERVER_HOST", "127.0.0.1"),
        ("PGRST_SERVER_PORT", "0"),
    ];
    let server = Program::start_reading(HERE.as_ref(), &["rest"], &variables, SECRET);
    // Without a role for strangers, that is a refusal; without a secret, it would be a failure.
    let bearer = [("Authorization", "Bearer a.b.c")];
    let (status, answer) = get(&format!("{}/first", server.url()), &bearer);
    assert_eq!(status, 401, "{answer}");
}

#[tokio::test]
async fn a_database_that_refuses_the_password_ends_the_server() {
    let db = TestDb::empty().await;
    let server = start(&db.url_of("postgres", "wrong"), &[]);
    let (status, errors) = server.ended();
    assert_eq!(status.code(), Some(1));
    assert!(
        errors.contains("password authentication failed"),
        "{errors}"
    );
}

#[test]
fn without_automatic_recovery_a_missing_database_ends_the_server() {
    let nowhere = format!("postgresql://a:b@127.0.0.1:{}/c", free_port());
    let server = start(&nowhere, &[("PGRST_DB_POOL_AUTOMATIC_RECOVERY", "false")]);
    let (status, errors) = server.ended();
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("the database cannot be used"), "{errors}");
}

#[tokio::test]
async fn statements_are_logged_with_the_severity_of_their_request() {
    let db = TestDb::with_sql(
        "create table first (id int);
         create function refuse() returns int language sql as 'select 1/0'",
    )
    .await;
    let server = start(
        &db.url(),
        &[("PGRST_LOG_QUERY", "true"), ("PGRST_LOG_LEVEL", "warn")],
    );
    let url = server.url();
    assert_eq!(get(&format!("{url}/first?id=eq.4711"), &[]).0, 200);
    assert_eq!(get(&format!("{url}/rpc/refuse"), &[]).0, 400);
    let entry = server.error_line("query=");
    assert!(
        entry.contains("set_config('search_path',$1,true)"),
        "{entry}"
    );
    let entry = server.error_line("query=");
    assert!(entry.contains("\\\"refuse\\\"()"), "{entry}");
    server.error_line("path=\"/rpc/refuse\" status=400");
}

#[tokio::test]
async fn what_is_counted_has_the_names_of_postgrest() {
    let db = TestDb::with_sql("create table first (id int)").await;
    let admin = free_port();
    let server = start(
        &db.url(),
        &[
            ("PGRST_ADMIN_SERVER_PORT", &admin),
            ("PGRST_JWT_SECRET", SECRET),
        ],
    );
    let url = server.url();
    assert_eq!(
        get(&format!("{url}/first"), &[("Authorization", "Bearer x")]).0,
        401
    );
    let (status, metrics) = get(&format!("http://127.0.0.1:{admin}/metrics"), &[]);
    assert_eq!(status, 200);
    assert!(
        metrics.contains("content-type: text/plain; charset=utf-8"),
        "{metrics}"
    );
    for line in [
        "pgrst_schema_cache_loads_total{status=\"SUCCESS\"} 1\n",
        "pgrst_schema_cache_loads_total{status=\"FAIL\"} 0\n",
        "# TYPE pgrst_schema_cache_query_time_seconds gauge\n",
        "pgrst_db_pool_max 10\n",
        "pgrst_db_pool_available 10\n",
        "pgrst_db_pool_waiting 0\n",
        "pgrst_db_pool_timeouts_total 0\n",
        "pgrst_jwt_cache_requests_total 1\n",
        "pgrst_jwt_cache_hits_total 0\n",
        "pgrst_jwt_cache_evictions_total 0\n",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert_eq!(
        get(&format!("http://127.0.0.1:{admin}/nowhere"), &[]).0,
        404
    );
    let (_, cache) = get(&format!("http://127.0.0.1:{admin}/schema_cache"), &[]);
    assert!(cache.contains("\"dbTables\":[{"), "{cache}");
}
