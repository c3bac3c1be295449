//! Scripts are applied once, in order, and complain where they fail.

use std::path::PathBuf;

use passerelle_pg::{MigrateError, Migrated, Migration, migrate};
use passerelle_testkit::TestDb;

use crate::support::endpoint;

const FIRST: Migration<'_> = Migration {
    name: "0001_first.sql",
    sql: "create table first (id int);\ninsert into first values (1);",
};

#[tokio::test]
async fn the_platform_and_its_application_apply_and_stay_applied() {
    let db = TestDb::empty().await;
    let sql = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sql");
    let mut files: Vec<PathBuf> = std::fs::read_dir(sql.join("platform"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let scripts: Vec<(String, String)> = files
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    let platform: Vec<Migration<'_>> = scripts
        .iter()
        .map(|(name, sql)| Migration { name, sql })
        .collect();
    let application = sql.join("hub-lib");
    let mut client = endpoint(&db.url()).connect().await.unwrap();
    let first = migrate(&mut client, &platform, Some(&application))
        .await
        .unwrap();
    assert!(first.applied.starts_with(&["0001_roles.sql".to_owned()]));
    let second = migrate(&mut client, &platform, Some(&application))
        .await
        .unwrap();
    assert_eq!(
        second,
        Migrated {
            applied: Vec::new(),
            unchanged: first.applied.len()
        }
    );
}

/// A directory that goes away with the value.
struct Application(PathBuf);

impl Application {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(name)
            .join("app");
        std::fs::create_dir_all(&path).unwrap();
        for (file, sql) in files {
            std::fs::write(path.join(file), sql).unwrap();
        }
        Self(path)
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}

#[tokio::test]
async fn each_script_is_applied_once_and_again_when_it_changed() {
    let db = TestDb::empty().await;
    let application = Application::new(
        db.name(),
        &[
            ("init.sql", "create table if not exists items (id int);"),
            (
                "policies.sql",
                "alter table items enable row level security;",
            ),
        ],
    );
    let mut client = endpoint(&db.url()).connect().await.unwrap();
    let done = migrate(&mut client, &[FIRST], Some(&application.0))
        .await
        .unwrap();
    assert_eq!(
        done.applied,
        ["0001_first.sql", "app/init.sql", "app/policies.sql"]
    );

    let again = migrate(&mut client, &[FIRST], Some(&application.0))
        .await
        .unwrap();
    assert_eq!(
        again,
        Migrated {
            applied: Vec::new(),
            unchanged: 3
        }
    );

    std::fs::write(
        application.0.join("seed.sql"),
        "insert into items values (7);",
    )
    .unwrap();
    std::fs::write(
        application.0.join("policies.sql"),
        "alter table items disable row level security;",
    )
    .unwrap();
    let changed = migrate(&mut client, &[FIRST], Some(&application.0))
        .await
        .unwrap();
    assert_eq!(changed.applied, ["app/policies.sql", "app/seed.sql"]);
    let rows = client
        .query_one("select count(*) from first, items", &[])
        .await
        .unwrap();
    assert_eq!(rows.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn two_processes_do_not_apply_twice() {
    let db = TestDb::empty().await;
    let (mut one, mut two) = (
        endpoint(&db.url()).connect().await.unwrap(),
        endpoint(&db.url()).connect().await.unwrap(),
    );
    let (one, two) = tokio::join!(
        migrate(&mut one, &[FIRST], None),
        migrate(&mut two, &[FIRST], None)
    );
    assert_eq!(one.unwrap().applied.len() + two.unwrap().applied.len(), 1);
}

#[tokio::test]
async fn a_failing_statement_is_located_and_leaves_nothing() {
    let db = TestDb::empty().await;
    let mut client = endpoint(&db.url()).connect().await.unwrap();
    let broken = Migration {
        name: "0002_broken.sql",
        sql: "create table half (id int);\n  select nothing;",
    };
    let error = migrate(&mut client, &[FIRST, broken], None)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "0002_broken.sql:2:10: column \"nothing\" does not exist (42703)"
    );
    let row = client.query_one(
        "select to_regclass('half') is null, to_regclass('first') is null",
        &[],
    );
    let row = row.await.unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, false));
    // The lock is free again.
    migrate(&mut client, &[FIRST], None).await.unwrap();
}

#[tokio::test]
async fn an_applied_migration_must_not_change() {
    let db = TestDb::empty().await;
    let mut client = endpoint(&db.url()).connect().await.unwrap();
    migrate(&mut client, &[FIRST], None).await.unwrap();
    let changed = Migration {
        sql: "create table other (id int)",
        ..FIRST
    };
    let error = migrate(&mut client, &[changed], None).await.unwrap_err();
    assert!(matches!(error, MigrateError::Changed(name) if name == "0001_first.sql"));
}

#[tokio::test]
async fn a_missing_script_is_named() {
    let db = TestDb::empty().await;
    let application = Application::new(db.name(), &[("init.sql", "select 1")]);
    let mut client = endpoint(&db.url()).connect().await.unwrap();
    let error = migrate(&mut client, &[], Some(&application.0))
        .await
        .unwrap_err();
    assert!(matches!(error, MigrateError::Read { path, .. } if path.ends_with("policies.sql")));
}
