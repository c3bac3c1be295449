//! Template databases: made once per content of their scripts, kept from run to run.

use passerelle_cluster::PostgresEndpoint;

use crate::database::{TestClient, run_script};
use crate::scripts::Scripts;

/// One builder at a time, in all processes: scripts make roles, which belong to the whole server.
const BUILDING: i64 = 0x7465_7374;

/// The name of the template for these scripts, which is made first if it does not exist.
pub(crate) async fn ensure(server: &PostgresEndpoint, kind: &str, scripts: &Scripts) -> String {
    let name = format!("template_{kind}_{:016x}", scripts.fingerprint());
    let admin = TestClient::connect(&server.url("postgres")).await;
    admin.run("select pg_advisory_lock($1)", &[&BUILDING]).await;
    let existing = admin
        .query("select 1 from pg_database where datname = $1", &[&name])
        .await;
    if existing.expect("pg_database can be read").is_empty() {
        drop_others(&admin, kind).await;
        build(server, &admin, kind, &name, scripts).await;
    }
    admin
        .run("select pg_advisory_unlock($1)", &[&BUILDING])
        .await;
    name
}

async fn build(
    server: &PostgresEndpoint,
    admin: &TestClient,
    kind: &str,
    name: &str,
    scripts: &Scripts,
) {
    let draft = format!("building_{kind}");
    admin
        .run(
            &format!("drop database if exists {draft} with (force)"),
            &[],
        )
        .await;
    admin
        .run(&format!("create database {draft} template template0"), &[])
        .await;
    let client = TestClient::connect(&server.url(&draft)).await;
    for script in scripts.iter() {
        run_script(&client, &script.text)
            .await
            .unwrap_or_else(|error| panic!("{}: {}", script.path.display(), explained(&error)));
    }
    client.close().await;
    let role = admin
        .query(
            "select 1 from pg_roles where rolname = 'authenticator'",
            &[],
        )
        .await;
    if !role.expect("pg_roles can be read").is_empty() {
        let password = &server.password;
        admin
            .run(
                &format!("alter role authenticator with login password '{password}'"),
                &[],
            )
            .await;
    }
    admin
        .run(&format!("alter database {draft} rename to {name}"), &[])
        .await;
    admin
        .run(
            &format!("alter database {name} allow_connections false"),
            &[],
        )
        .await;
}

/// Templates of the same kind with other content will not be asked for again.
async fn drop_others(admin: &TestClient, kind: &str) {
    let pattern = format!("template\\_{kind}\\_%");
    let old = admin
        .query(
            "select datname::text from pg_database where datname like $1",
            &[&pattern],
        )
        .await;
    for row in old.expect("pg_database can be read") {
        let name: String = row.get(0);
        // Another process may be copying it right now; the next build tries again.
        let _ = admin
            .execute(&format!("drop database if exists {name}"), &[])
            .await;
    }
}

/// The server's own words; the driver's message says only that there was an error.
pub(crate) fn explained(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || error.to_string(),
        |error| {
            let place = error
                .where_()
                .map(|place| format!(" ({place})"))
                .unwrap_or_default();
            format!("{} {}{place}", error.code().code(), error.message())
        },
    )
}
