//! `passerelle import`: the real command, and people who sign in afterwards.

use std::path::Path;

use passerelle_testkit::TestDb;
use serde_json::{Value, json};

use crate::accounts::chromium;
use crate::gateway::{Gateway, command, failure};
use crate::realtime::marked;
use crate::supabase_js::run;

const PASSWORD: &str = "StrongPass123!";
const EXPORT: &str = "export.json";

fn fixture(name: &str) -> String {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/import/tests/fixtures"
    );
    Path::new(folder).join(name).display().to_string()
}

/// Signs in; the status, and what is said.
async fn sign_in(gateway: &Gateway, email: &str, password: &str) -> (u16, Value) {
    let sent = awc::Client::default()
        .post(format!("{}/auth/v1/token?grant_type=password", gateway.url))
        .send_json(&json!({ "email": email, "password": password }))
        .await;
    let mut response = sent.expect("an answer");
    let status = response.status().as_u16();
    (status, response.json().await.expect("JSON"))
}

#[actix_web::test]
async fn people_sign_in_with_the_passwords_they_had() {
    let db = TestDb::hub_lib().await;
    let directory = tempfile::tempdir().expect("a directory");
    let report = |name: &str| directory.path().join(name).display().to_string();
    let (first, second) = (report("dry.json"), report("run.json"));
    let files = [
        fixture(EXPORT),
        fixture("tables.json"),
        fixture("dump.json"),
    ];
    let mut arguments = vec!["import", "localstorage"];
    arguments.extend(files.iter().map(String::as_str));
    let with = |more: &[&'static str], report: &str| {
        let mut all: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        all.extend(more.iter().map(|text| (*text).to_owned()));
        all.extend(["--report".to_owned(), report.to_owned()]);
        all
    };
    let dry = with(&["--dry-run"], &first);
    let dry: Vec<&str> = dry.iter().map(String::as_str).collect();
    let told = command(&db.url(), &dry).await;
    let gateway = Gateway::serve(&db, &[]).await;
    let (status, _) = sign_in(&gateway, "ada@example.org", PASSWORD).await;
    assert_eq!(status, 400, "a dry run imports nobody");
    let real = with(&[], &second);
    let real: Vec<&str> = real.iter().map(String::as_str).collect();
    assert_eq!(command(&db.url(), &real).await, told);
    let read = |path: &str| std::fs::read_to_string(path).expect("a report");
    assert_eq!(read(&first), read(&second));

    let (status, session) = sign_in(&gateway, " ADA@example.org", PASSWORD).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(
        session["user"]["user_metadata"]["full_name"],
        "Ada <b>Lovelace</b>"
    );
    // The hash is one of ours by now.
    let client = db.client().await;
    let hash = "select encrypted_password from auth.users where email = 'ada@example.org'";
    let hash: String = client.query_one(hash, &[]).await.expect("a hash").get(0);
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    let (status, _) = sign_in(&gateway, "ada@example.org", PASSWORD).await;
    assert_eq!(status, 200);
    // Nobody has the password of nobody, and who had none has none.
    for (email, password) in [
        ("ada@example.org", "OldPass123!"),
        ("bob@example.org", "reset"),
        ("bob@example.org", ""),
        ("carol@example.org", "reset"),
        ("carol@example.org", "plain text"),
        ("eve@example.org", "reset"),
        ("admin@example.com", "reset"),
    ] {
        let (status, said) = sign_in(&gateway, email, password).await;
        assert_eq!(status, 400, "{email} {password}: {said}");
        assert_eq!(said["error_code"], "invalid_credentials", "{email}: {said}");
    }
}

#[actix_web::test]
async fn a_file_that_is_none_ends_the_command() {
    let db = TestDb::hub_lib().await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("half.json");
    std::fs::write(&path, "{\"tables\": {\"profiles\": [").expect("a file");
    let path = path.display().to_string();
    let said = failure(
        &db.url(),
        &["import", "localstorage", &fixture(EXPORT), &path],
    )
    .await;
    let expected = format!(
        "passerelle: nothing is imported: {path}: the file ends in the middle, in line 1: it was not saved to its end\n"
    );
    assert_eq!(said, expected);
}

#[actix_web::test]
async fn nobody_hears_of_old_data() {
    let db = TestDb::hub_lib().await;
    db.run("create table public.marks (mark text)").await;
    let published = "select count(*) from pg_publication_tables where tablename = 'notifications'";
    let client = db.client().await;
    let tables: i64 = client
        .query_one(published, &[])
        .await
        .expect("a count")
        .get(0);
    assert_eq!(tables, 1, "notifications are published");
    command(&db.url(), &["import", "localstorage", &fixture(EXPORT)]).await;
    let old = json!({
        "notifications": [
            { "id": "1709700000000-notice001", "user_id": "1709634000001-p00000001", "type": "new_comment", "title": "old", "message": "m" },
            { "id": "1709700000000-notice002", "user_id": "1709634000001-p00000001", "type": "new_comment", "title": "old", "message": "m" },
        ],
    });
    let ada = "select user_id::text from profiles where email = 'ada@example.org'";
    let ada: String = client.query_one(ada, &[]).await.expect("Ada").get(0);
    let old = old.to_string().replace("1709634000001-p00000001", &ada);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("old.json");
    std::fs::write(&path, old).expect("a file");
    let path = path.display().to_string();

    let feed = db.url();
    let settings = [
        ("PASSERELLE_DATABASE_FEED_URL", feed.as_str()),
        ("PASSERELLE_RATE_LIMITS_ENABLED", "false"),
    ];
    let gateway = Gateway::serve(&db, &settings).await;
    let variables = [("PASSERELLE_PASSWORD", PASSWORD)];
    let script = run(&db, &gateway, &["import/quiet.mjs"], &variables);
    let imported = async {
        marked(&db, "listening").await;
        command(&db.url(), &["import", "localstorage", &path]).await;
        let count = "select count(*) from notifications where title = 'old'";
        let count: i64 = client.query_one(count, &[]).await.expect("a count").get(0);
        assert_eq!(count, 2);
        db.run(&format!(
            "insert into notifications (user_id, type, title, message) values ('{ada}', 'new_comment', 'news', 'm')"
        ))
        .await;
    };
    tokio::join!(script, imported);
}

#[actix_web::test]
async fn a_browser_saves_what_is_imported() {
    let Some(chromium) = chromium() else {
        println!("SKIPPED: there is no Chromium");
        return;
    };
    let db = TestDb::hub_lib().await;
    let gateway = Gateway::serve(&db, &[]).await;
    let directory = tempfile::tempdir().expect("a directory");
    let saved = directory.path().join("saved.json").display().to_string();
    let dump = fixture("dump.json");
    let variables = [
        ("PASSERELLE_CHROMIUM", chromium.as_str()),
        ("PASSERELLE_DUMP", &dump),
        ("PASSERELLE_EXPORT", &saved),
    ];
    run(&db, &gateway, &["import/export.mjs"], &variables).await;
    command(&db.url(), &["import", "localstorage", &saved]).await;
    let (status, said) = sign_in(&gateway, "heidi@example.org", "Heidi-Pass-1").await;
    assert_eq!(status, 200, "{said}");
    let client = db.client().await;
    let file = "select file_url from resources where title = 'Embedded'";
    let file: String = client.query_one(file, &[]).await.expect("a file").get(0);
    assert_eq!(file, "data:text/plain;base64,aGVsbG8=");
}
