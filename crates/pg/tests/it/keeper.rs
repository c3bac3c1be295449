//! The catalogue follows the database.

use std::sync::Arc;
use std::time::Duration;

use passerelle_catalog::Catalog;
use passerelle_cluster::free_port;
use passerelle_pg::{
    CatalogKeeper, Event, IntrospectionSettings, KeeperSettings, KeeperStatus, Listener, digest,
};
use passerelle_testkit::TestDb;
use tokio::time::timeout;

use crate::support::{Private, endpoint};

/// No test waits longer than this for anything.
const LIMIT: Duration = Duration::from_secs(20);

fn settings() -> KeeperSettings {
    KeeperSettings {
        digest_interval: Duration::from_millis(50),
        ..KeeperSettings::default()
    }
}

/// The first catalogue that is as wanted. Neighbours create roles, so there may be others before.
async fn until(keeper: &CatalogKeeper, wanted: impl Fn(&Catalog) -> bool) -> Arc<Catalog> {
    let found = async {
        let mut version = 1;
        loop {
            let catalog = keeper.wait_for(version).await.unwrap();
            if wanted(&catalog) {
                return catalog;
            }
            version = catalog.version() + 1;
        }
    };
    timeout(LIMIT, found).await.unwrap()
}

/// Waits for a status as wanted.
async fn status(keeper: &CatalogKeeper, wanted: impl Fn(&KeeperStatus) -> bool) {
    let reached = async {
        while !wanted(&keeper.status()) {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, reached).await.unwrap();
}

#[tokio::test]
async fn reloads_when_told_and_keeps_the_version_rising() {
    let db = TestDb::empty().await;
    let keeper = CatalogKeeper::start(endpoint(&db.url()), settings());
    let first = until(&keeper, |_| true).await;
    assert!(first.find_table("public", "late").is_none());
    assert!(keeper.status().is_ready());

    db.run("create table late (id int); notify pgrst").await;
    let second = until(&keeper, |catalog| {
        catalog.find_table("public", "late").is_some()
    })
    .await;
    assert!(second.version() > first.version());

    db.run("create table later (id int)").await;
    keeper.reload();
    until(&keeper, |catalog| {
        catalog.find_table("public", "later").is_some()
    })
    .await;
}

#[tokio::test]
async fn notices_settings_of_roles() {
    let db = TestDb::empty().await;
    let role = format!("{}_role", db.name());
    db.run(&format!("create role {role}")).await;
    let keeper = CatalogKeeper::start(endpoint(&db.url()), settings());
    timeout(LIMIT, keeper.wait_for(1)).await.unwrap();
    db.run(&format!("alter role {role} set statement_timeout = '9s'"))
        .await;
    let catalog = until(&keeper, |catalog| !catalog.role_settings(&role).is_empty()).await;
    db.run(&format!("drop role {role}")).await;
    assert_eq!(
        catalog.role_settings(&role),
        [("statement_timeout".into(), "9s".into())]
    );
}

#[tokio::test]
async fn survives_the_loss_of_its_connection() {
    let db = TestDb::empty().await;
    let settings = KeeperSettings {
        max_backoff: Duration::from_millis(10),
        ..settings()
    };
    let keeper = CatalogKeeper::start(endpoint(&db.url()), settings);
    until(&keeper, |_| true).await;
    db.run(
        "create table while_away (id int);
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'passerelle'",
    )
    .await;
    until(&keeper, |catalog| {
        catalog.find_table("public", "while_away").is_some()
    })
    .await;
    assert!(keeper.status().failures > 0);
}

#[tokio::test]
async fn a_restart_of_the_server_costs_no_catalogue() {
    let mut server = Private::start("restart").await;
    server.stop().await;
    let settings = KeeperSettings {
        max_backoff: Duration::from_millis(50),
        ..settings()
    };
    let keeper = CatalogKeeper::start(endpoint(server.url()), settings);
    status(&keeper, |status| status.failures > 0).await;
    assert!(keeper.catalog().is_none());

    server.resume().await;
    let first = timeout(LIMIT, keeper.wait_for(1)).await.unwrap().unwrap();
    status(&keeper, KeeperStatus::is_ready).await;

    server.stop().await;
    status(&keeper, |status| !status.connected).await;
    assert!(!keeper.status().is_ready());
    assert_eq!(keeper.catalog().unwrap().version(), first.version());

    server.resume().await;
    let next = keeper.wait_for(first.version() + 1);
    timeout(LIMIT, next).await.unwrap().unwrap();
    status(&keeper, KeeperStatus::is_ready).await;
    drop(keeper);
    server.remove().await;
}

#[tokio::test]
async fn changes_of_roles_are_told_also_those_of_an_absence() {
    let mut server = Private::start("roles").await;
    let client = endpoint(server.url()).connect().await.unwrap();
    for statement in ["create role one", "create role other", "grant one to other"] {
        client.execute(statement, &[]).await.unwrap();
    }
    let settings = KeeperSettings {
        max_backoff: Duration::from_millis(50),
        ..settings()
    };
    let keeper = CatalogKeeper::start(endpoint(server.url()), settings);
    let mut changes = keeper.role_changes();
    timeout(LIMIT, keeper.wait_for(1)).await.unwrap();
    assert!(!changes.has_changed().unwrap());

    client.execute("revoke one from other", &[]).await.unwrap();
    timeout(LIMIT, changes.changed()).await.unwrap().unwrap();
    drop(client);

    // Elsewhere for a while, where the keeper does not look.
    server.stop().await;
    let place = server.settings.port.replace(free_port().unwrap());
    status(&keeper, |status| !status.connected).await;
    let seen = *changes.borrow_and_update();
    server.resume().await;
    let client = endpoint(server.url()).connect().await.unwrap();
    client.execute("grant one to other", &[]).await.unwrap();
    drop(client);
    server.stop().await;
    server.settings.port = place;
    server.resume().await;
    let told = changes.wait_for(|count| *count > seen);
    timeout(LIMIT, told).await.unwrap().unwrap();
    drop(keeper);
    server.remove().await;
}

#[tokio::test]
async fn waits_for_a_schema_that_comes_late() {
    let db = TestDb::empty().await;
    let mut settings = KeeperSettings {
        max_backoff: Duration::from_millis(10),
        ..settings()
    };
    settings.introspection.schemas = vec!["late".to_owned()];
    let keeper = CatalogKeeper::start(endpoint(&db.url()), settings);
    status(&keeper, |status| status.failures > 0).await;
    assert!(keeper.catalog().is_none() && !keeper.status().is_ready());
    assert!(
        keeper
            .status()
            .last_error
            .as_deref()
            .unwrap()
            .contains("late")
    );
    db.run("create schema late").await;
    assert!(timeout(LIMIT, keeper.wait_for(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn other_schemas_can_be_asked_for() {
    let db = TestDb::with_sql("create schema other; create table other.thing (id int)").await;
    let keeper = CatalogKeeper::start(endpoint(&db.url()), settings());
    until(&keeper, |_| true).await;
    keeper.reconfigure(IntrospectionSettings {
        schemas: vec!["other".to_owned()],
        ..IntrospectionSettings::default()
    });
    until(&keeper, |catalog| {
        catalog.find_table("other", "thing").is_some()
    })
    .await;
}

#[tokio::test]
async fn the_listener_tells_what_is_wanted() {
    let db = TestDb::empty().await;
    let mut listener = Listener::connect(&endpoint(&db.url()), Some("my \"channel\""))
        .await
        .unwrap();
    db.run(r#"notify "my ""channel""", 'something else'"#).await;
    db.run(r#"notify "my ""channel""", 'reload config'"#).await;
    assert_eq!(
        timeout(LIMIT, listener.next()).await.unwrap(),
        Event::ReloadConfig
    );
    db.run(r#"notify "my ""channel""", 'reload schema'"#).await;
    assert_eq!(
        timeout(LIMIT, listener.next()).await.unwrap(),
        Event::ReloadSchema
    );
    db.run("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()").await;
    assert_eq!(timeout(LIMIT, listener.next()).await.unwrap(), Event::Lost);
}

#[tokio::test]
async fn the_digest_follows_memberships() {
    let db = TestDb::empty().await;
    let (role, other) = (format!("{}_a", db.name()), format!("{}_b", db.name()));
    db.run(&format!("create role {role}; create role {other}"))
        .await;
    let client = endpoint(&db.url()).connect().await.unwrap();
    let before = digest(&client).await.unwrap();
    db.run(&format!("grant {role} to {other}")).await;
    assert_ne!(digest(&client).await.unwrap(), before);
    db.run(&format!("drop role {role}; drop role {other}"))
        .await;
}
