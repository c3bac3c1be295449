//! The tests that are written against supabase-js.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use passerelle_testkit::TestDb;
use serde_json::json;

use crate::callers::token;
use crate::gateway::{Gateway, SECRET};

/// Runs tests of Node.js against a gateway and its database, and whatever else they are told of.
pub(crate) async fn run(
    db: &TestDb,
    gateway: &Gateway,
    files: &[&str],
    variables: &[(&str, &str)],
) {
    let folder = folder();
    assert!(
        folder.join("node_modules").is_dir(),
        "the packages of {} are missing: run make test, or npm ci there",
        folder.display()
    );
    let output = tokio::process::Command::new("node")
        .args(["--test", "--test-reporter=spec"])
        .args(files)
        .current_dir(&folder)
        .env("PASSERELLE_URL", &gateway.url)
        .envs(variables.iter().copied())
        .env("PASSERELLE_JWT_SECRET", SECRET)
        .env(
            "PASSERELLE_ANON_KEY",
            token(SECRET, json!({ "role": "anon" })),
        )
        .env("PASSERELLE_DB_URL", db.url())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("node starts");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{report}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{report}");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("js")
}

#[actix_web::test]
async fn supabase_js_reads_hub_lib() {
    let db = TestDb::hub_lib().await;
    let gateway = Gateway::serve(&db, &[]).await;
    // Clients that know of no extension are asked of one that has none.
    let extensions = "query,batch,bulk-update,atomic-update,index-conflict";
    let extensions = [("PASSERELLE_DATABASE_EXTENSIONS", extensions)];
    let extended = Gateway::serve(&db, &extensions).await;
    let variables = [("PASSERELLE_EXTENDED_URL", extended.url.as_str())];
    run(&db, &gateway, &[], &variables).await;
}

#[actix_web::test]
async fn supabase_js_has_no_method_that_fails() {
    let db = TestDb::platform().await;
    let schema = folder().join("builder/schema.sql");
    db.run(&std::fs::read_to_string(schema).expect("the schema"))
        .await;
    if postgis_can_be_had(&db).await {
        db.run(PLACES).await;
    }
    let settings = [
        ("PASSERELLE_DATABASE_SCHEMAS", "public,ops"),
        ("PASSERELLE_DATABASE_PLAN_ENABLED", "true"),
        ("PASSERELLE_DATABASE_TRANSACTION_OVERRIDE", "true"),
    ];
    let gateway = Gateway::serve(&db, &settings).await;
    run(&db, &gateway, &["builder/all.mjs"], &[]).await;
}

/// What `geojson` is asked of, where the database can have `postgis`.
const PLACES: &str = "
    create schema if not exists extensions;
    create extension postgis schema extensions;
    grant usage on schema extensions to anon;
    create table public.places (id int primary key, name text, at extensions.geometry(point, 4326));
    insert into public.places values (1, 'Mont Blanc', extensions.st_setsrid(extensions.st_makepoint(6.86, 45.83), 4326));
    grant select on public.places to anon;";

async fn postgis_can_be_had(db: &TestDb) -> bool {
    let client = db.client().await;
    let query = "select exists (select from pg_available_extensions where name = 'postgis')";
    let row = client.query_one(query, &[]).await.expect("extensions");
    row.get(0)
}
