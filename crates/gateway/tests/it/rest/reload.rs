//! What changes while the server runs: on SIGUSR1 the schema, on SIGUSR2 and
//! `NOTIFY pgrst, 'reload config'` the configuration.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use passerelle_testkit::TestDb;

use super::HERE;
use crate::program::{Program, get, run, until, until_true};

/// A configuration file whose keys are written anew.
struct File {
    path: PathBuf,
    fixed: Vec<(&'static str, String)>,
}

impl File {
    fn new(dir: &Path, db: &TestDb) -> Self {
        let fixed = [
            ("db-uri", db.url()),
            ("db-anon-role", "postgres".to_owned()),
            ("server-host", "127.0.0.1".to_owned()),
            ("server-port", "0".to_owned()),
        ];
        Self {
            path: dir.join("rest.conf"),
            fixed: fixed.into(),
        }
    }

    fn write(&self, keys: &[(&str, &str)]) {
        let mut text = String::new();
        let fixed = self.fixed.iter().map(|(key, value)| (*key, value.as_str()));
        for (key, value) in fixed.chain(keys.iter().copied()) {
            writeln!(text, "{key} = \"{value}\"").unwrap();
        }
        std::fs::write(&self.path, text).unwrap();
    }

    fn start(&self) -> Program {
        Program::start(HERE.as_ref(), &["rest", self.path.to_str().unwrap()], &[])
    }
}

#[tokio::test]
async fn the_schema_is_read_again_on_a_signal() {
    let db = TestDb::with_sql("create table first (id int); insert into first values (1)").await;
    let dir = tempfile::tempdir().unwrap();
    let file = File::new(dir.path(), &db);
    file.write(&[("db-channel-enabled", "false")]);
    let server = file.start();
    let url = server.url();
    let (status, answer) = get(&format!("{url}/first"), &[]);
    assert!(
        status == 200 && answer.ends_with("[{\"id\":1}]"),
        "{answer}"
    );
    assert_eq!(get(&format!("{url}/later"), &[]).0, 404);
    db.run("create table later (id int)").await;
    server.signal("USR1");
    until(&format!("{url}/later"), 200);
    let dumped = run(
        HERE.as_ref(),
        &["rest", file.path.to_str().unwrap(), "--dump-config"],
        &[("PGRST_SERVER_PORT", "7")],
    );
    assert!(
        dumped.1.contains("db-channel-enabled = false\n"),
        "{}",
        dumped.1
    );
    assert!(dumped.1.contains("server-port = 7\n"), "{}", dumped.1);
    assert!(server.stop("TERM").0.success());
}

#[tokio::test]
async fn the_file_is_read_again_on_a_signal() {
    let db = TestDb::with_sql(
        "create schema other; create table other.second (id int); create table first (id int);
         create function setting() returns text language sql as $$ select current_setting('app.settings.name') $$",
    )
    .await;
    let dir = tempfile::tempdir().unwrap();
    let file = File::new(dir.path(), &db);
    file.write(&[("app.settings.name", "John"), ("log-level", "crit")]);
    let server = file.start();
    let url = server.url();
    let asked = |path: &str| get(&format!("{url}/{path}"), &[("X-Trace", "7")]);
    assert!(asked("rpc/setting").1.ends_with("\"John\""));
    assert!(asked("nothing").1.contains("\"hint\""));
    assert!(!asked("first").1.contains("x-trace"));

    file.write(&[
        ("app.settings.name", "Jane"),
        ("log-level", "info"),
        ("client-error-verbosity", "minimal"),
        ("server-trace-header", "X-Trace"),
        ("db-prepared-statements", "false"),
        ("db-schemas", "public, other"),
        ("openapi-mode", "disabled"),
    ]);
    server.signal("USR2");
    server.error_line("configuration reloaded");
    until_true(async || get(&format!("{url}/second"), &[("Accept-Profile", "other")]).0 == 200)
        .await;
    assert!(asked("rpc/setting").1.ends_with("\"Jane\""));
    let (_, refusal) = asked("nothing");
    assert!(!refusal.contains("\"hint\""), "{refusal}");
    assert!(asked("first").1.contains("x-trace: 7"));
    assert_eq!(asked("").0, 404);
    server.error_line("path=\"/first\" status=200");

    // What is not valid changes nothing.
    file.write(&[("log-level", "loud")]);
    server.signal("USR2");
    server.error_line("Invalid logging level");
    assert!(asked("rpc/setting").1.ends_with("\"Jane\""));
}

#[tokio::test]
async fn the_database_asks_for_it_on_a_channel_that_can_change() {
    let db = TestDb::with_sql("create table first (id int)").await;
    let dir = tempfile::tempdir().unwrap();
    let file = File::new(dir.path(), &db);
    file.write(&[("db-channel", "one"), ("server-trace-header", "X-One")]);
    let server = file.start();
    let url = format!("{}/first", server.url());
    let repeats = async |name: &str| get(&url, &[]).1.contains(name);
    assert!(repeats("x-one").await);

    file.write(&[("db-channel", "two"), ("server-trace-header", "X-Two")]);
    db.run("notify one, 'reload config'").await;
    until_true(async || repeats("x-two").await).await;

    file.write(&[
        ("db-channel-enabled", "false"),
        ("server-trace-header", "X-Three"),
    ]);
    // Who listens to the new channel only now has missed what was said before.
    until_true(async || {
        db.run("notify two, 'nothing in particular'; notify two, 'reload config'")
            .await;
        repeats("x-three").await
    })
    .await;
    assert!(server.stop("INT").0.success());
}

#[tokio::test]
async fn settings_of_the_role_come_before_all_others() {
    let db = TestDb::with_sql(
        "create table first (id int); insert into first values (1), (2);
         create schema settings;
         create function settings.pre() returns void language sql as
         $$ select set_config('pgrst.server_trace_header', 'X-Configured', true) $$",
    )
    .await;
    let dir = tempfile::tempdir().unwrap();
    let file = File::new(dir.path(), &db);
    file.write(&[("db-pre-config", "settings.pre")]);
    let server = file.start();
    let url = format!("{}/first", server.url());
    assert!(get(&url, &[]).1.contains("x-configured"));
    let (name, client) = (db.name(), db.client().await);
    let alter = format!("alter role postgres in database {name} set pgrst.db_max_rows = '1'");
    client.execute(&alter, &[]).await.unwrap();
    client
        .execute("notify pgrst, 'reload config'", &[])
        .await
        .unwrap();
    until_true(async || get(&url, &[]).1.ends_with("[{\"id\":1}]")).await;
}
