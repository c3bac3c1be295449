//! `passerelle rest` in PostgREST's place.

use passerelle_testkit::TestDb;

use crate::program::{Program, get, run, until};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

#[tokio::test]
async fn it_is_configured_by_file_and_variables_and_reloads_on_signals() {
    let db = TestDb::with_sql(
        "create schema one; create table one.first (id int); insert into one.first values (1);
         create schema two; create table two.second (id int);",
    )
    .await;
    let dir = tempfile::tempdir().unwrap();
    let (config, uri) = (dir.path().join("rest.conf"), dir.path().join("uri"));
    std::fs::write(&uri, format!("{}\n", db.url())).unwrap();
    let write = |schemas: &str| {
        let text = format!(
            "db-uri = \"@{}\"\ndb-schemas = \"{schemas}\"\ndb-anon-role = \"postgres\"\n\
             server-host = \"127.0.0.1\"\nserver-port = 1\n",
            uri.display()
        );
        std::fs::write(&config, text).unwrap();
    };
    write("one");
    let file = config.to_str().unwrap();
    let variables = [
        ("PGRST_SERVER_PORT", "0"),
        ("PGRST_DB_CHANNEL_ENABLED", "false"),
    ];
    let server = Program::start(HERE.as_ref(), &["rest", file], &variables);
    let line = server.error_line("ready at");
    let url = &line[line.find("http://").unwrap()..];
    let (status, answer) = get(&format!("{url}/first"), &[]);
    assert!(
        status == 200 && answer.ends_with("[{\"id\":1}]"),
        "{answer}"
    );

    assert_eq!(get(&format!("{url}/later"), &[]).0, 404);
    db.run("create table one.later (id int)").await;
    server.signal("USR1");
    until(&format!("{url}/later"), 200);

    let (_, dump, _) = run(HERE.as_ref(), &["rest", file, "--dump-config"], &variables);
    assert!(dump.contains("db-schemas = \"one\"\n"), "{dump}");
    assert!(dump.contains("server-port = 0\n"), "{dump}");
    assert!(server.stop("TERM").0.success());
}

#[test]
fn a_faulty_configuration_is_said_in_one_line() {
    let (code, _, errors) = run(HERE.as_ref(), &["rest"], &[("PGRST_LOG_LEVEL", "loud")]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("Invalid logging level"), "{errors}");
    let (code, _, errors) = run(HERE.as_ref(), &["rest"], &[("PGRST_JWT_SECRET", "short")]);
    assert_eq!(code, Some(1));
    assert!(
        errors.contains("must be at least 32 characters"),
        "{errors}"
    );
}
