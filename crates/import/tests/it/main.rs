//! Exports of browsers against a real PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod bad_files;
mod database;
mod exports;
mod people;

use std::path::PathBuf;

use passerelle_import::{Exports, ImportError, Options, Report};
use passerelle_pg::ControlEndpoint;
use passerelle_testkit::{TestClient, TestDb};
use serde_json::Value;

/// The three shapes, with every kind of damage.
const ALL: [&str; 3] = [
    "tests/fixtures/export.json",
    "tests/fixtures/tables.json",
    "tests/fixtures/dump.json",
];

/// Everything that an import may write to.
const WRITTEN: [&str; 22] = [
    "auth.users",
    "auth.identities",
    "profiles",
    "user_roles",
    "groups",
    "group_members",
    "category_hierarchy",
    "category_filters",
    "category_tag_suggestions",
    "suggestion_votes",
    "resources",
    "resource_versions",
    "resource_templates",
    "collections",
    "collection_resources",
    "saved_resources",
    "resource_ratings",
    "resource_comments",
    "resource_shares",
    "notifications",
    "admin_configs",
    "analytics_events",
];

async fn import_as(url: &str, files: &[PathBuf], options: &Options) -> Result<Report, ImportError> {
    let mut client = ControlEndpoint::parse(url)
        .unwrap()
        .connect()
        .await
        .unwrap();
    let exports = Exports::read(files, &mut ())?;
    exports.import(&mut client, options, &mut ()).await
}

async fn import_with(db: &TestDb, files: &[&str], options: &Options) -> Report {
    let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    let imported = import_as(&db.url(), &files, options).await;
    imported.unwrap_or_else(|error| panic!("{error}"))
}

async fn import(db: &TestDb, files: &[&str]) -> Report {
    import_with(db, files, &Options::default()).await
}

/// A file of the test's own; gone with the directory.
fn file(directory: &tempfile::TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

async fn import_json(db: &TestDb, export: &Value) -> Report {
    let directory = tempfile::tempdir().unwrap();
    let path = file(&directory, "export.json", export.to_string().as_bytes());
    let imported = import_as(&db.url(), &[path], &Options::default()).await;
    imported.unwrap_or_else(|error| panic!("{error}"))
}

fn json(report: &Report) -> Value {
    serde_json::to_value(report).unwrap()
}

/// What every table holds, to the last byte.
async fn checksums(client: &TestClient) -> Vec<(String, i64, String)> {
    let mut sums = Vec::new();
    for table in WRITTEN {
        let question = format!(
            "select count(*), md5(coalesce(string_agg(t::text, e'\\n' order by id), '')) from {table} t"
        );
        let row = client.query_one(&question, &[]).await.unwrap();
        sums.push((table.to_owned(), row.get(0), row.get(1)));
    }
    sums
}

/// The answers to a question of one column.
async fn texts(client: &TestClient, question: &str) -> Vec<String> {
    let question = format!("select coalesce(t.a::text, '-') from ({question}) t(a)");
    let rows = client.query(&question, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn text(client: &TestClient, question: &str) -> String {
    texts(client, question).await.join(" | ")
}
