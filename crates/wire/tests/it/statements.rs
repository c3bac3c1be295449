use std::num::NonZeroUsize;

use passerelle_wire::{ConnectionSettings, Flight};

use crate::support::{connect, connect_with, database, plain, prelude, refused, scope};

#[tokio::test]
async fn statements_are_prepared_once_per_scope() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let statement = plain("select count(*) from notes");
    for _ in 0..3 {
        for role in ["wire_a", "wire_b"] {
            let (scope, prelude) = (scope(role), prelude(role, "{}"));
            let flight = Flight::new(&statement, &scope).prelude(&prelude);
            assert_eq!(
                connection.fly(&flight).await.unwrap().text(0, 0),
                Some("50")
            );
        }
    }
    // The prelude and the statement, once for each role.
    assert_eq!(connection.prepared_count(), 4);
    let listed = plain("select count(*) from pg_prepared_statements");
    let result = connection
        .fly(&Flight::new(&listed, &scope("postgres")))
        .await
        .unwrap();
    assert_eq!(result.text(0, 0), Some("5"));
}

#[tokio::test]
async fn a_statement_of_one_role_is_not_lent_to_another() {
    let db = database().await;
    db.run("revoke usage on schema shop from wire_b").await;
    let mut connection = connect(&db).await;
    let statement = plain("select count(*) from shop.notes");
    let attempt = async |connection: &mut passerelle_wire::Connection, role: &str| {
        let (scope, prelude) = (scope(role), prelude(role, "{}"));
        connection
            .fly(&Flight::new(&statement, &scope).prelude(&prelude))
            .await
    };
    assert_eq!(
        attempt(&mut connection, "wire_a").await.unwrap().text(0, 0),
        Some("50")
    );
    assert_eq!(
        refused(attempt(&mut connection, "wire_b").await).code,
        "42501"
    );
    assert_eq!(
        attempt(&mut connection, "wire_a").await.unwrap().text(0, 0),
        Some("50")
    );
}

#[tokio::test]
async fn the_cache_is_bounded_and_the_server_forgets_with_it() {
    let db = database().await;
    let prepared_statements = NonZeroUsize::new(3);
    let settings = ConnectionSettings {
        prepared_statements,
        ..ConnectionSettings::default()
    };
    let mut connection = connect_with(&db, &settings).await;
    let scope = scope("postgres");
    let prelude: Vec<_> = (0..5).map(|n| plain(&format!("select {n}"))).collect();
    for n in 0..20 {
        let statement = plain(&format!("select {n} + 100"));
        let flight = Flight::new(&statement, &scope).prelude(&prelude);
        let expected = (n + 100).to_string();
        assert_eq!(
            connection.fly(&flight).await.unwrap().text(0, 0),
            Some(expected.as_str())
        );
    }
    assert_eq!(connection.prepared_count(), 3);
    let listed = plain("select count(*) from pg_prepared_statements");
    let result = connection.fly(&Flight::new(&listed, &scope)).await.unwrap();
    // Those of the cache, and the one that counts.
    assert_eq!(result.text(0, 0), Some("4"));
}

#[tokio::test]
async fn a_failed_flight_keeps_what_was_prepared_before_the_error() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let scope = scope("postgres");
    let prelude = [
        plain("select 1"),
        plain("select missing"),
        plain("select 2"),
    ];
    let divide = plain("select 1 / 0");
    for _ in 0..2 {
        let flight = Flight::new(&divide, &scope).prelude(&prelude);
        assert_eq!(refused(connection.fly(&flight).await).code, "42703");
        assert_eq!(connection.prepared_count(), 1);
    }
    for _ in 0..2 {
        let flight = Flight::new(&divide, &scope);
        assert_eq!(refused(connection.fly(&flight).await).code, "22012");
    }
    let twice = [plain("select 2"), plain("select 2")];
    let one = plain("select 2");
    connection
        .fly(&Flight::new(&one, &scope).prelude(&twice))
        .await
        .unwrap();
}

#[tokio::test]
async fn deallocated_statements_are_prepared_again() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let scope = scope("postgres");
    let one = plain("select 1");
    let forget = plain("deallocate all");
    for _ in 0..3 {
        let result = connection.fly(&Flight::new(&one, &scope)).await.unwrap();
        assert_eq!(result.text(0, 0), Some("1"));
        connection.fly(&Flight::new(&forget, &scope)).await.unwrap();
    }
}

#[tokio::test]
async fn a_changed_result_type_is_prepared_again() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let scope = scope("postgres");
    let all = plain("select * from children");
    assert_eq!(
        connection
            .fly(&Flight::new(&all, &scope))
            .await
            .unwrap()
            .command_tag(),
        "SELECT 0"
    );
    db.run("alter table children add column name text; insert into children values (1, null, 'n')")
        .await;
    let result = connection.fly(&Flight::new(&all, &scope)).await.unwrap();
    assert_eq!(result.text(0, 2), Some("n"));
}

#[tokio::test]
async fn nothing_is_prepared_where_that_is_not_wanted() {
    let db = database().await;
    let settings = ConnectionSettings {
        prepared_statements: None,
        ..ConnectionSettings::default()
    };
    let mut connection = connect_with(&db, &settings).await;
    let statement =
        plain("select count(*) from pg_prepared_statements where current_user = 'wire_a'");
    let (scope, prelude) = (scope("wire_a"), prelude("wire_a", "{}"));
    for _ in 0..3 {
        let flight = Flight::new(&statement, &scope).prelude(&prelude);
        assert_eq!(connection.fly(&flight).await.unwrap().text(0, 0), Some("0"));
    }
    assert_eq!(connection.prepared_count(), 0);
}
