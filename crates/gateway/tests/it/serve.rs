//! `passerelle serve`, `migrate`, `keys` and `healthcheck`.

use passerelle_testkit::TestDb;
use serde_json::Value;

use crate::program::{Program, ask, get, run, until};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/passerelle.toml");

fn url_in(line: &str) -> String {
    let start = line.find("http://").unwrap();
    line[start..].split(['"', ' ']).next().unwrap().to_owned()
}

fn port() -> String {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    free.local_addr().unwrap().port().to_string()
}

#[tokio::test]
async fn an_empty_database_is_migrated_served_and_watched() {
    let db = TestDb::empty().await;
    let here = HERE.as_ref();
    let migrate = || run(here, &["migrate"], &[("DATABASE_URL", &db.url())]);
    let (code, out, errors) = migrate();
    assert_eq!(code, Some(0), "{errors}");
    assert!(out.starts_with("applied 0001_roles.sql\n"), "{out}");
    assert!(migrate().1.starts_with("0 applied"));
    let table =
        "create table notes (id int); insert into notes values (7); grant select on notes to anon";
    db.run(table).await;

    let (_, keys, _) = run(here, &["keys", "--json"], &[]);
    let keys: Value = serde_json::from_str(&keys).unwrap();
    let admin = port();
    let (url, secret) = (db.url(), keys["jwt_secret"].as_str().unwrap());
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("JWT_SECRET", secret),
        ("PASSERELLE_SERVER_HOST", "127.0.0.1"),
        ("PASSERELLE_SERVER_PORT", "0"),
        ("PASSERELLE_SERVER_ADMIN_PORT", &admin),
    ];
    let server = Program::start(here, &["serve", "--config", REFERENCE], &variables);
    let url = url_in(&server.error_line("ready"));
    let (status, answer) = get(
        &format!("{url}/rest/v1/notes"),
        &[("apikey", keys["anon_key"].as_str().unwrap())],
    );
    assert_eq!(status, 200, "{answer}");
    assert!(answer.ends_with("[{\"id\":7}]"), "{answer}");
    let entry = server.error_line("/rest/v1/notes");
    assert!(
        entry.contains("role=\"anon\"") && !entry.contains("eyJ"),
        "{entry}"
    );
    assert_eq!(get(&format!("{url}/nowhere"), &[]).0, 404);

    let admin_url = format!("http://127.0.0.1:{admin}");
    assert_eq!(get(&format!("{admin_url}/live"), &[]).0, 200);
    let (_, metrics) = get(&format!("{admin_url}/metrics"), &[]);
    let counted = "passerelle_requests_total{surface=\"rest\",shape=\"read\",status=\"200\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(metrics.contains("passerelle_pool_max 10"), "{metrics}");
    let healthy = run(here, &["healthcheck", "--config", REFERENCE], &variables);
    assert_eq!(healthy.0, Some(0), "{}", healthy.2);
    assert!(server.stop("TERM").0.success());
    let gone = run(
        here,
        &["healthcheck", "--url", &format!("{admin_url}/ready")],
        &[],
    );
    assert_eq!(gone.0, Some(1));
}

#[tokio::test]
async fn it_waits_for_a_database_and_says_it_is_not_ready() {
    let (admin, nowhere) = (port(), format!("postgresql://a:b@127.0.0.1:{}/c", port()));
    let secret = "0123456789abcdef".repeat(3);
    let variables = [
        ("DATABASE_URL", nowhere.as_str()),
        ("JWT_SECRET", &secret),
        ("PASSERELLE_SERVER_HOST", "127.0.0.1"),
        ("PASSERELLE_SERVER_PORT", "0"),
        ("PASSERELLE_SERVER_ADMIN_PORT", &admin),
        ("PASSERELLE_LOG_FORMAT", "json"),
    ];
    let server = Program::start(HERE.as_ref(), &["serve"], &variables);
    let ready: Value = serde_json::from_str(&server.error_line("\"ready\"")).unwrap();
    let url = ready["url"].as_str().unwrap();
    assert_eq!(get(&format!("{url}/rest/v1/notes"), &[]).0, 503);
    until(&format!("http://127.0.0.1:{admin}/ready"), 503);
    until(&format!("http://127.0.0.1:{admin}/live"), 200);
}

#[test]
fn it_does_not_start_with_what_anybody_knows() {
    let known = "super-secret-jwt-token-with-at-least-32-characters-long";
    let variables = [
        ("DATABASE_URL", "postgresql://a:b@127.0.0.1:1/c"),
        ("JWT_SECRET", known),
    ];
    let (code, out, errors) = run(HERE.as_ref(), &["serve"], &variables);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        errors.contains("publicly known") && errors.lines().count() == 1,
        "{errors}"
    );
    assert!(!errors.contains(known));
}

#[tokio::test]
async fn extensions_are_switched_while_it_runs() {
    let db = TestDb::platform().await;
    db.run("create table notes (id int); grant select on notes to anon")
        .await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("passerelle.toml");
    std::fs::write(&file, "[database]\nextensions = []\n").unwrap();
    let (url, secret) = (db.authenticator_url(), "0123456789abcdef".repeat(3));
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("JWT_SECRET", &secret),
        ("PASSERELLE_SERVER_HOST", "127.0.0.1"),
        ("PASSERELLE_SERVER_PORT", "0"),
        ("PASSERELLE_SERVER_ADMIN_PORT", "0"),
    ];
    let arguments = ["serve", "--config", file.to_str().unwrap()];
    let server = Program::start(HERE.as_ref(), &arguments, &variables);
    let notes = format!("{}/rest/v1/notes", url_in(&server.error_line("ready")));
    let query = || {
        ask(
            "QUERY",
            &notes,
            &[("Content-Type", "application/x-www-form-urlencoded")],
        )
    };
    let preflight = || {
        let asked = ("Access-Control-Request-Method", "QUERY");
        ask(
            "OPTIONS",
            &notes,
            &[("Origin", "http://app.example"), asked],
        )
        .1
    };
    assert_eq!(query().0, 405);
    assert!(!preflight().contains("QUERY"));
    std::fs::write(&file, "[database]\nextensions = [\"query\"]\n").unwrap();
    server.signal("USR2");
    server.error_line("configuration reloaded");
    let (status, answer) = query();
    assert_eq!(status, 200, "{answer}");
    assert!(preflight().contains("QUERY"));
}
