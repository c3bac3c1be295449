//! `docker/init-env.sh`: the keys it makes are good, and what is there stays.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use passerelle_testkit::TestDb;

use crate::program::{Program, get, url_in};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docker/init-env.sh");

fn init(file: &Path) -> Output {
    let output = Command::new("sh").arg(SCRIPT).arg(file).output();
    output.unwrap()
}

fn values(file: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test]
async fn the_keys_open_a_gateway_with_the_secret_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".env.production");
    assert!(init(&file).status.success());
    let values = values(&file);
    let db = TestDb::platform().await;
    let url = db.authenticator_url();
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("JWT_SECRET", values["JWT_SECRET"].as_str()),
        ("PASSERELLE_SERVER_HOST", "127.0.0.1"),
        ("PASSERELLE_SERVER_PORT", "0"),
        ("PASSERELLE_SERVER_ADMIN_PORT", "0"),
        ("PASSERELLE_REALTIME_ENABLED", "false"),
    ];
    let server = Program::start(HERE.as_ref(), &["serve"], &variables);
    let url = url_in(&server.error_line("ready"));
    for (key, role) in [("ANON_KEY", "anon"), ("SERVICE_ROLE_KEY", "service_role")] {
        let (status, answer) = get(&format!("{url}/rest/v1/"), &[("apikey", &values[key])]);
        assert_eq!(status, 200, "{key}: {answer}");
        let entry = server.error_line("/rest/v1/");
        assert!(entry.contains(&format!("role=\"{role}\"")), "{entry}");
    }
}

#[test]
fn what_has_a_value_keeps_it_and_nothing_is_alike() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("env");
    let before = "POSTGRES_PASSWORD=of-an-earlier-deployment\nJWT_SECRET=\nOTHER='a b'";
    std::fs::write(&file, before).unwrap();
    assert!(init(&file).status.success());
    let first = values(&file);
    assert_eq!(first["POSTGRES_PASSWORD"], "of-an-earlier-deployment");
    assert_eq!(first["OTHER"], "'a b'");
    assert!(first["JWT_SECRET"].len() >= 32);
    let secrets = [
        "POSTGRES_PASSWORD",
        "AUTHENTICATOR_PASSWORD",
        "FEED_PASSWORD",
        "REPLICATION_PASSWORD",
        "REDIS_PASSWORD",
        "JWT_SECRET",
        "GRAFANA_ADMIN_PASSWORD",
    ];
    let different: std::collections::BTreeSet<&str> =
        secrets.iter().map(|name| first[*name].as_str()).collect();
    assert_eq!(different.len(), secrets.len());
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let text = std::fs::read(&file).unwrap();
    assert!(init(&file).status.success());
    assert_eq!(std::fs::read(&file).unwrap(), text);
}

#[test]
fn what_cannot_work_is_refused_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("env");
    for (before, said) in [
        ("JWT_SECRET=short\n", "fewer than 32 characters"),
        (
            "JWT_SECRET=0123456789abcdef0123456789abcdef\nANON_KEY=a.b.c\n",
            "ANON_KEY was not signed with JWT_SECRET",
        ),
    ] {
        std::fs::write(&file, before).unwrap();
        let output = init(&file);
        assert_eq!(output.status.code(), Some(1), "{before}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(said), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
