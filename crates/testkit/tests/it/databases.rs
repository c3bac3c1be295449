//! What tests may rely on.

use passerelle_testkit::{TestClient, TestDb, TestRedis};

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (one, other) = tokio::join!(TestDb::empty(), TestDb::empty());
    one.run("create table only_here ()").await;
    let tables = "select 1 from pg_tables where tablename = 'only_here'";
    assert_eq!(
        one.client().await.query(tables, &[]).await.unwrap().len(),
        1
    );
    assert_eq!(
        other.client().await.query(tables, &[]).await.unwrap().len(),
        0
    );
}

#[tokio::test]
async fn a_database_goes_with_its_value() {
    let watcher = TestDb::empty().await;
    let db = TestDb::with_sql("create table t (); insert into t default values").await;
    let name = db.name().to_owned();
    let _open = db.client().await;
    drop(db);
    let client = watcher.client().await;
    let left = client
        .query("select 1 from pg_database where datname = $1", &[&name])
        .await
        .unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn the_application_template_lets_authenticator_in() {
    let db = TestDb::hub_lib().await;
    let client = TestClient::connect(&db.authenticator_url()).await;
    let row = client
        .query_one("select current_user::text, session_user::text", &[])
        .await
        .unwrap();
    assert_eq!(
        (row.get::<_, &str>(0), row.get::<_, &str>(1)),
        ("authenticator", "authenticator")
    );
}

#[tokio::test]
async fn the_platform_is_copied_many_times_at_once() {
    let copies = tokio::join!(TestDb::platform(), TestDb::platform(), TestDb::platform());
    for db in [&copies.0, &copies.1, &copies.2] {
        let client = db.client().await;
        let role = client
            .query("select 1 from pg_roles where rolname = 'anon'", &[])
            .await
            .unwrap();
        assert_eq!(role.len(), 1);
    }
}

#[tokio::test]
async fn redis_is_shared_where_there_is_one() {
    if let Some(redis) = TestRedis::shared().await {
        assert!(redis.url().starts_with("redis://:"));
    }
}
