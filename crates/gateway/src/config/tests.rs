//! The reference file, precedence, and what is refused.

use std::path::Path;

use passerelle_syntax::Extension;

use super::{ConfigError, Settings};
use crate::environment::Environment;

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/passerelle.toml");

fn load<const N: usize>(text: &str, variables: [(&str, &str); N]) -> Result<Settings, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("passerelle.toml");
    std::fs::write(&path, text).unwrap();
    Settings::load(Some(&path), &Environment::from(variables))
}

#[test]
fn the_reference_holds_every_key_with_its_default() {
    let text = std::fs::read_to_string(REFERENCE).unwrap();
    let reference: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(
        reference,
        toml::Table::try_from(Settings::default()).unwrap()
    );
    let settings = Settings::load(Some(Path::new(REFERENCE)), &Environment::default()).unwrap();
    assert_eq!(settings, Settings::default());
}

#[test]
fn the_reference_explains_every_key() {
    let text = std::fs::read_to_string(REFERENCE).unwrap();
    let mut explained = false;
    for line in text.lines() {
        let is_key = !line.starts_with(['#', '[']) && !line.is_empty();
        assert!(!is_key || explained, "nothing is said about {line}");
        explained = line.starts_with("# ");
    }
}

#[test]
fn variables_come_before_the_file_and_the_file_before_defaults() {
    let file = "[server]\nport = 1234\nworkers = 3\n[database]\nurl = \"of-file\"\n";
    let settings = load(
        file,
        [
            ("PASSERELLE_SERVER_PORT", "4321"),
            (
                "PASSERELLE_SERVER_CORS_ALLOWED_ORIGINS",
                "https://a, https://b",
            ),
            ("PASSERELLE_DATABASE_PREPARED_STATEMENTS", "false"),
            ("PASSERELLE_DATABASE_EXTENSIONS", "query, bulk-update"),
            ("PASSERELLE_RATE_LIMITS_READ_BURST", "7"),
            ("DATABASE_URL", "of-platform"),
            ("JWT_SECRET", "of-platform"),
            ("PASSERELLE_AUTH_JWT_SECRET", "of-ours"),
        ],
    );
    let settings = settings.unwrap();
    assert_eq!((settings.server.port, settings.server.workers), (4321, 3));
    assert_eq!(
        settings.server.cors_allowed_origins,
        ["https://a", "https://b"]
    );
    assert!(!settings.database.prepared_statements);
    assert_eq!(
        settings.database.extensions,
        [Extension::Query, Extension::BulkUpdate]
    );
    assert_eq!(settings.rate_limits.read_burst, 7);
    assert_eq!(settings.database.url, "of-platform");
    assert_eq!(settings.auth.jwt_secret, "of-ours");
    assert_eq!(settings.server.host, "0.0.0.0");
}

#[test]
fn what_is_unknown_is_named() {
    for (file, named) in [
        ("[server]\nprot = 1\n", "prot"),
        ("[sever]\nport = 1\n", "sever"),
        ("[server]\nport = \"x\"\n", "port"),
        ("port = 1\n", "port"),
        (
            "[database]\nextensions = [\"query\", \"magic\"]\n",
            "extensions",
        ),
    ] {
        let fault = load(file, []).unwrap_err().to_string();
        assert!(fault.contains(named), "{fault}");
    }
    for variable in ["PASSERELLE_SERVER_PROT", "PASSERELLE_PORT", "PASSERELLE_"] {
        let fault = load("", [(variable, "1")]).unwrap_err().to_string();
        assert!(fault.contains(variable), "{fault}");
    }
}

#[test]
fn what_is_impossible_is_named() {
    for (variable, text) in [
        ("PASSERELLE_SERVER_PORT", "many"),
        ("PASSERELLE_SERVER_PORT", "70000"),
        ("PASSERELLE_DATABASE_PREPARED_STATEMENTS", "perhaps"),
        ("PASSERELLE_DATABASE_EXTENSIONS", "query, magic"),
    ] {
        let fault = load("", [(variable, text)]).unwrap_err().to_string();
        assert!(fault.contains(variable), "{fault}");
    }
    for (file, key) in [
        ("[server]\nhost = \"example.com\"", "server.host"),
        ("[server]\nworkers = 5000", "server.workers"),
        (
            "[server]\nhost = \"127.0.0.1\"\nport = 8001",
            "server.admin_port",
        ),
        (
            "[server]\ntrusted_proxies = [\"10.0.0.0/99\"]",
            "server.trusted_proxies",
        ),
        (
            "[server]\ncors_allowed_origins = [\"example.com\"]",
            "server.cors_allowed_origins",
        ),
        ("[database]\npool_size = 0", "database.pool_size"),
        ("[database]\nschemas = []", "database.schemas"),
        ("[database]\nschemas = [\"pg_catalog\"]", "database.schemas"),
        ("[limits]\nlogic_depth = 0", "limits.logic_depth"),
        (
            "[redis]\ntimeout_milliseconds = 0",
            "redis.timeout_milliseconds",
        ),
        (
            "[rate_limits]\nread_requests = 0",
            "rate_limits.read_requests",
        ),
        (
            "[rate_limits]\nwrite_requests = 1\nwrite_period_seconds = 86400",
            "rate_limits.write_burst",
        ),
    ] {
        let fault = load(file, []).unwrap_err().to_string();
        assert!(fault.starts_with(key), "{fault}");
    }
}

#[test]
fn secrets_that_anybody_knows_are_refused() {
    let known = "super-secret-jwt-token-with-at-least-32-characters-long";
    for (secret, said) in [
        ("", "auth.jwt_secret"),
        ("short", "fewer than"),
        (known, "publicly known"),
    ] {
        let settings = load("", [("JWT_SECRET", secret)]).unwrap();
        let fault = settings.check_secrets().unwrap_err().to_string();
        assert!(fault.contains(said), "{fault}");
    }
    let settings = load("", [("JWT_SECRET", &"x1y2".repeat(12))]).unwrap();
    settings.check_secrets().unwrap();
    assert!(!format!("{settings:?}").contains("x1y2"));
}
