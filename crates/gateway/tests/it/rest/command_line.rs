//! The options of PostgREST's command line.

use passerelle_testkit::TestDb;

use super::{HERE, start};
use crate::program::{free_port, get, run};

#[test]
fn options_that_need_nothing() {
    let ask = |option| run(HERE.as_ref(), &["rest", option], &[]);
    for option in ["--version", "-v"] {
        let (code, out, _) = ask(option);
        assert_eq!(code, Some(0));
        assert!(
            out.ends_with(concat!(env!("CARGO_PKG_VERSION"), "\n")),
            "{out}"
        );
    }
    for option in ["--help", "-h"] {
        let (code, out, _) = ask(option);
        assert_eq!(code, Some(0));
        for part in [
            "[FILENAME]",
            "--dump-config",
            "--dump-schema",
            "--ready",
            "--example",
        ] {
            assert!(out.contains(part), "{out}");
        }
    }
    let (code, out, _) = ask("--nonsense");
    assert_eq!((code, out.as_str()), (Some(2), ""));
}

#[test]
fn the_example_is_a_configuration_with_the_defaults() {
    let dir = tempfile::tempdir().unwrap();
    let (_, example, _) = run(HERE.as_ref(), &["rest", "-e"], &[]);
    assert_eq!(run(HERE.as_ref(), &["rest", "--example"], &[]).1, example);
    std::fs::write(dir.path().join("example.conf"), &example).unwrap();
    let off = [("PGRST_DB_CONFIG", "false")];
    let (code, dump, _) = run(dir.path(), &["rest", "--dump-config", "example.conf"], &off);
    assert_eq!(code, Some(0));
    assert_eq!(dump, run(dir.path(), &["rest", "--dump-config"], &off).1);
    // What was dumped can be read again.
    std::fs::write(dir.path().join("dump.conf"), &dump).unwrap();
    assert_eq!(
        run(dir.path(), &["rest", "dump.conf", "--dump-config"], &[]).1,
        dump
    );
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bad.yaml"), "really:\n  - bad\n").unwrap();
    for (file, said) in [
        ("none.conf", "could not read none.conf"),
        ("bad.yaml", "bad.yaml:1: expected"),
    ] {
        let (code, out, errors) = run(dir.path(), &["rest", file], &[]);
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(errors.contains(said), "{errors}");
    }
}

#[tokio::test]
async fn readiness_is_asked_of_the_admin_port() {
    let db = TestDb::with_sql("create table first (id int)").await;
    let admin = free_port();
    let here = HERE.as_ref();
    let variables = [
        ("PGRST_SERVER_HOST", "127.0.0.1"),
        ("PGRST_ADMIN_SERVER_PORT", admin.as_str()),
    ];
    let url = format!("http://127.0.0.1:{admin}/ready");
    let (code, _, errors) = run(here, &["rest", "--ready"], &variables);
    assert_eq!(code, Some(1));
    assert!(
        errors.contains(&format!("ERROR: connection refused to {url}\n")),
        "{errors}"
    );

    let server = start(&db.url(), &variables);
    assert_eq!(get(&format!("{}/first", server.url()), &[]).0, 200);
    let (code, out, _) = run(here, &["rest", "--ready"], &variables);
    assert_eq!((code, out), (Some(0), format!("OK: {url}\n")));
    drop(server);

    let nowhere = format!("postgresql://a:b@127.0.0.1:{}/c", free_port());
    let server = start(&nowhere, &variables);
    server.error_line("ready at");
    let (code, _, errors) = run(here, &["rest", "--ready"], &variables);
    assert_eq!(code, Some(1));
    assert!(errors.contains(&format!("ERROR: {url}\n")), "{errors}");

    let (code, _, errors) = run(here, &["rest", "--ready"], &[]);
    assert_eq!(code, Some(1));
    assert!(
        errors.contains("ERROR: Admin server is not running."),
        "{errors}"
    );
}

#[tokio::test]
async fn the_schema_can_be_dumped() {
    let db = TestDb::with_sql(
        "create schema shown; create table shown.parents (id int primary key);
         create table shown.children (id int references shown.parents);
         create function shown.twice(n int) returns int language sql as 'select n * 2'",
    )
    .await;
    let url = db.url();
    let variables = [
        ("PGRST_DB_URI", url.as_str()),
        ("PGRST_DB_SCHEMAS", "shown"),
    ];
    let (code, dump, errors) = run(HERE.as_ref(), &["rest", "--dump-schema"], &variables);
    assert_eq!(code, Some(0), "{errors}");
    let dump: serde_json::Value = serde_json::from_str(&dump).unwrap();
    assert_eq!(dump["dbTables"].as_array().map(Vec::len), Some(2));
    assert_eq!(dump["dbRoutines"].as_array().map(Vec::len), Some(1));
    let nowhere = format!("postgresql://a:b@127.0.0.1:{}/c", free_port());
    let (code, out, _) = run(
        HERE.as_ref(),
        &["rest", "--dump-schema"],
        &[("PGRST_DB_URI", &nowhere)],
    );
    assert_eq!((code, out.as_str()), (Some(1), ""));
}
