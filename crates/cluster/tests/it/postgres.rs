//! PostgreSQL: first start, reuse, leftovers, and what is said when it cannot run.

use std::net::TcpListener;
use std::path::Path;

use passerelle_cluster::{ClusterError, Durability, Postgres, PostgresSettings};

use crate::{directory, kill, runs};

fn settings(dir: &Path) -> PostgresSettings {
    PostgresSettings {
        durability: Durability::Volatile,
        ..PostgresSettings::new(dir)
    }
}

#[tokio::test]
async fn a_second_start_reuses_data_port_and_password() {
    let dir = directory();
    let first = Postgres::start(&settings(dir.path())).await.unwrap();
    let (url, pid) = (first.endpoint().url("postgres"), first.endpoint().pid);
    std::fs::write(
        first.directory().path().join("postgres/data/marker"),
        "kept",
    )
    .unwrap();
    first.stop().await.unwrap();
    assert!(!runs(pid));

    let second = Postgres::start(&settings(dir.path())).await.unwrap();
    assert_eq!(second.endpoint().url("postgres"), url);
    assert!(
        second
            .directory()
            .path()
            .join("postgres/data/marker")
            .exists()
    );
    drop(second);
    assert!(!dir.path().join("postgres/data/postmaster.pid").exists());
}

#[tokio::test]
async fn what_a_crashed_starter_left_is_stopped() {
    let dir = directory();
    let left = Postgres::start(&settings(dir.path()))
        .await
        .unwrap()
        .detach();
    assert_eq!(
        Postgres::running(dir.path()).await.unwrap().unwrap().pid,
        left.pid
    );
    let server = Postgres::start(&settings(dir.path())).await.unwrap();
    assert!(!runs(left.pid));
    assert!(runs(server.endpoint().pid));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_is_started_again() {
    let dir = directory();
    let killed = Postgres::start(&settings(dir.path()))
        .await
        .unwrap()
        .detach();
    kill(killed.pid);
    let server = Postgres::start(&settings(dir.path())).await.unwrap();
    assert!(runs(server.endpoint().pid));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_file_naming_another_program_harms_nobody() {
    let dir = directory();
    Postgres::start(&settings(dir.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let own = std::process::id();
    let file = dir.path().join("postgres/data/postmaster.pid");
    std::fs::write(&file, format!("{own}\n/elsewhere\n0\n5432\n\n\n\nready\n")).unwrap();
    let server = Postgres::start(&settings(dir.path())).await.unwrap();
    assert!(runs(server.endpoint().pid));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn two_starters_cannot_share_a_directory() {
    let dir = directory();
    let server = Postgres::start(&settings(dir.path())).await.unwrap();
    let refused = Postgres::start(&settings(dir.path())).await.unwrap_err();
    let own = i32::try_from(std::process::id()).unwrap();
    assert!(matches!(refused, ClusterError::InUse { owner: Some(pid), .. } if pid == own));
    assert!(runs(server.endpoint().pid));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let dir = directory();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let wanted = PostgresSettings {
        port: Some(port),
        ..settings(dir.path())
    };
    let refused = Postgres::start(&wanted).await.unwrap_err();
    assert!(matches!(refused, ClusterError::PortInUse(named) if named == port));
}

#[tokio::test]
async fn data_of_another_version_is_left_alone() {
    let dir = directory();
    let data = dir.path().join("postgres/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("PG_VERSION"), "9\n").unwrap();
    let refused = Postgres::start(&settings(dir.path())).await.unwrap_err();
    assert!(matches!(refused, ClusterError::OtherVersion { found, .. } if found.0 == 9));
    assert_eq!(
        std::fs::read_to_string(data.join("PG_VERSION")).unwrap(),
        "9\n"
    );
}

#[tokio::test]
async fn a_directory_without_binaries_is_named() {
    let dir = directory();
    let wanted = PostgresSettings {
        bin: Some(dir.path().to_owned()),
        ..settings(dir.path())
    };
    let refused = Postgres::start(&wanted).await.unwrap_err();
    assert!(matches!(refused, ClusterError::MissingPostgres(Some(_))));
    assert!(refused.to_string().contains("install the package"));
}

#[tokio::test]
async fn a_server_that_gives_up_says_why() {
    let dir = directory();
    let parameters = vec![("no_such_parameter".to_owned(), "1".to_owned())];
    let wanted = PostgresSettings {
        parameters,
        ..settings(dir.path())
    };
    let refused = Postgres::start(&wanted).await.unwrap_err();
    assert!(
        refused.to_string().contains("no_such_parameter"),
        "{refused}"
    );
}
