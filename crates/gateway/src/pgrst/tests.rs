//! Keys through all their sources.

use std::collections::BTreeMap;

use super::settings::{LogLevel, OpenApiMode, PgrstSettings, Verbosity};
use super::values::{Sources, Value};
use crate::environment::Environment;

fn sources<const N: usize>(environment: [(&str, &str); N]) -> Sources {
    Sources {
        environment: Environment::from(environment),
        ..Sources::default()
    }
}

fn fault<const N: usize>(environment: [(&str, &str); N]) -> String {
    PgrstSettings::read(&sources(environment))
        .unwrap_err()
        .to_string()
}

#[test]
fn nothing_configured_means_the_documented_defaults() {
    let settings = PgrstSettings::read(&Sources::default()).unwrap();
    assert_eq!(settings.server_port, 3000);
    assert_eq!(settings.admin_server_port, None);
    assert_eq!(settings.db_schemas, ["public"]);
    assert_eq!(settings.db_extra_search_path, ["public"]);
    assert_eq!(settings.db_pool, 10);
    assert_eq!(settings.log_level, LogLevel::Error);
    assert_eq!(settings.db_uri.expose(), b"postgresql://");
    let dump = settings.dump();
    assert_eq!(dump.lines().count(), 45);
    assert!(dump.is_ascii() && dump.lines().is_sorted());
    assert!(dump.contains("jwt-role-claim-key = \"$$.role\"\n"));
}

#[test]
fn variables_come_before_the_file_and_aliases_after_their_key() {
    let mut from = sources([("PGRST_DB_POOL", "7"), ("PGRST_PRE_REQUEST", "from_alias")]);
    from.file = BTreeMap::from([
        ("db-pool".to_owned(), Value::Number("3".to_owned())),
        ("max-rows".to_owned(), Value::Number("1e3".to_owned())),
        ("db-schema".to_owned(), Value::Text("api, other".to_owned())),
        ("no-such-key".to_owned(), Value::Truth(true)),
    ]);
    let settings = PgrstSettings::read(&from).unwrap();
    assert_eq!(settings.db_pool, 7);
    assert_eq!(settings.db_max_rows, Some(1000));
    assert_eq!(settings.db_schemas, ["api", "other"]);
    assert_eq!(settings.db_pre_request.as_deref(), Some("from_alias"));

    from.database = BTreeMap::from([("db_pool".to_owned(), "9".to_owned())]);
    assert_eq!(PgrstSettings::read(&from).unwrap().db_pool, 9);
}

#[test]
fn truths_have_many_forms() {
    for (text, expected) in [
        ("TRUE", true),
        ("\"true\"", true),
        ("2", true),
        ("0", false),
    ] {
        let settings = PgrstSettings::read(&sources([("PGRST_LOG_QUERY", text)])).unwrap();
        assert_eq!(settings.log_query, expected, "{text}");
    }
    let nonsense = PgrstSettings::read(&sources([("PGRST_DB_CONFIG", "perhaps")])).unwrap();
    assert!(nonsense.db_config);
}

#[test]
fn a_role_claim_key_in_the_older_notation_is_dumped_with_its_quotes() {
    for (key, dumped) in [
        (r#".roles[?(@ ==^ "a")]"#, r#"".\"roles\"[?(@ ==^ \"a\")]""#),
        (r#"."a b"[0].c"#, r#"".\"a b\"[0].\"c\"""#),
        ("$.a['b']", r#""$$.a['b']""#),
    ] {
        let settings = PgrstSettings::read(&sources([("PGRST_JWT_ROLE_CLAIM_KEY", key)])).unwrap();
        let line = format!("jwt-role-claim-key = {dumped}\n");
        assert!(settings.dump().contains(&line), "{}", settings.dump());
    }
}

#[test]
fn an_empty_extra_search_path_is_empty() {
    let settings = PgrstSettings::read(&sources([("PGRST_DB_EXTRA_SEARCH_PATH", "")])).unwrap();
    assert!(settings.db_extra_search_path.is_empty());
}

#[test]
fn words_and_ranges_are_checked() {
    let settings = PgrstSettings::read(&sources([
        ("PGRST_OPENAPI_MODE", "disabled"),
        ("PGRST_CLIENT_ERROR_VERBOSITY", "minimal"),
        ("PGRST_DB_TX_END", "rollback-allow-override"),
        ("PGRST_SERVER_UNIX_SOCKET_MODE", "777"),
        (
            "PGRST_OPENAPI_SERVER_PROXY_URI",
            "https://example.com:8443/basePath",
        ),
    ]));
    let settings = settings.unwrap();
    assert_eq!(settings.openapi_mode, OpenApiMode::Disabled);
    assert_eq!(settings.client_error_verbosity, Verbosity::Minimal);
    assert!(settings.db_tx_end.rollback && settings.db_tx_end.allow_override);
    assert_eq!(settings.server_unix_socket_mode, 0o777);

    assert!(fault([("PGRST_LOG_LEVEL", "loud")]).contains("Invalid logging level"));
    assert!(fault([("PGRST_OPENAPI_MODE", "x")]).contains("Invalid openapi-mode"));
    assert!(fault([("PGRST_DB_TX_END", "x")]).contains("Invalid transaction termination"));
    assert!(fault([("PGRST_DB_SCHEMAS", "a,pg_catalog")]).contains("'pg_catalog'"));
    assert!(fault([("PGRST_SERVER_UNIX_SOCKET_MODE", "8")]).contains("not an octal"));
    assert!(fault([("PGRST_SERVER_UNIX_SOCKET_MODE", "577")]).contains("between 600 and 777"));
    assert!(fault([("PGRST_ADMIN_SERVER_PORT", "3000")]).contains("cannot be the same"));
    for audience in ["http://%zz", "a b:c", ":x", "1a:b"] {
        assert!(fault([("PGRST_JWT_AUD", audience)]).contains("valid URI"));
    }
    for audience in ["anything at all", "https://example.com/a%20b", "urn:a:b"] {
        let settings = PgrstSettings::read(&sources([("PGRST_JWT_AUD", audience)])).unwrap();
        assert_eq!(settings.jwt_aud.as_deref(), Some(audience));
    }
    assert!(fault([("PGRST_SERVER_PORT", "70000")]).contains("not a port"));
    for uri in [
        "ftp://a",
        "http://",
        "http://u@h",
        "http://h?q",
        "http://h:0",
        "h",
    ] {
        assert!(fault([("PGRST_OPENAPI_SERVER_PROXY_URI", uri)]).contains("Malformed proxy uri"));
    }
}

#[test]
fn secrets_come_from_files_and_are_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, "0123456789012345678901234567890123456789\n").unwrap();
    let named = format!("@{}", path.display());
    let from = sources([("PGRST_JWT_SECRET", &named), ("PGRST_DB_URI", &named)]);
    let settings = PgrstSettings::read(&from).unwrap();
    assert_eq!(settings.jwt_secret.as_ref().unwrap().len(), 40);
    assert_eq!(settings.db_uri.len(), 40);
    assert!(!format!("{settings:?}").contains("01234567"));
    assert!(fault([("PGRST_JWT_SECRET", "@/nowhere/at/all")]).contains("/nowhere/at/all"));
}

#[test]
fn app_settings_keep_the_case_of_their_names() {
    let mut from = sources([("PGRST_APP_SETTINGS_test", "of environment")]);
    from.file = BTreeMap::from([
        (
            "app.settings.test".to_owned(),
            Value::Text("of file".to_owned()),
        ),
        ("app.settings.truth".to_owned(), Value::Truth(false)),
    ]);
    let settings = PgrstSettings::read(&from).unwrap();
    let expected = [
        ("app.settings.test", "of environment"),
        ("app.settings.truth", "Bool False"),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(settings.app_settings, expected);
}
