use std::time::Duration;

use passerelle_statement::Statement;
use passerelle_wire::{
    Begin, Connection, ConnectionSettings, End, Flight, Isolation, Origin, Transaction, WireError,
};

use crate::support::{connect, connect_with, database, plain, prelude, refused, scope};

fn explicit(end: End) -> Transaction {
    Transaction::Explicit {
        begin: Begin::default(),
        end,
    }
}

async fn count(connection: &mut Connection) -> String {
    let count = plain("select count(*) from public.parents");
    let result = connection
        .fly(&Flight::new(&count, &scope("postgres")))
        .await
        .unwrap();
    result.text(0, 0).unwrap().to_owned()
}

fn insert(id: u32) -> Statement {
    plain(&format!(
        "insert into parents values ({id}) returning current_user"
    ))
}

#[tokio::test]
async fn a_rolled_back_flight_answers_and_leaves_no_trace() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let (insert, scope, prelude) = (insert(1), scope("wire_a"), prelude("wire_a", "{}"));
    let flight = Flight::new(&insert, &scope).prelude(&prelude);
    for _ in 0..2 {
        let rolled_back = flight.transaction(explicit(End::Rollback));
        let result = connection.fly(&rolled_back).await.unwrap();
        assert_eq!(
            (result.text(0, 0), result.affected()),
            (Some("wire_a"), Some(1))
        );
        assert_eq!(count(&mut connection).await, "0");
    }
    connection
        .fly(&flight.transaction(explicit(End::Commit)))
        .await
        .unwrap();
    assert_eq!(count(&mut connection).await, "1");
}

#[tokio::test]
async fn isolation_and_access_hold() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let shown = plain(
        "select current_setting('transaction_isolation'), current_setting('transaction_read_only')",
    );
    let scope = scope("postgres");
    for (isolation, name) in [
        (None, "read committed"),
        (Some(Isolation::ReadCommitted), "read committed"),
        (Some(Isolation::RepeatableRead), "repeatable read"),
        (Some(Isolation::Serializable), "serializable"),
    ] {
        for (read_only, access) in [(false, "off"), (true, "on")] {
            let begin = Begin {
                isolation,
                read_only,
            };
            let transaction = Transaction::Explicit {
                begin,
                end: End::Commit,
            };
            let flight = Flight::new(&shown, &scope).transaction(transaction);
            let result = connection.fly(&flight).await.unwrap();
            assert_eq!(
                (result.text(0, 0), result.text(0, 1)),
                (Some(name), Some(access))
            );
        }
    }
}

#[tokio::test]
async fn an_error_in_an_explicit_flight_leaves_the_session_idle() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let scope = scope("postgres");
    let divide = plain("select 1 / 0");
    let flight = Flight::new(&divide, &scope).transaction(explicit(End::Commit));
    let error = refused(connection.fly(&flight).await);
    assert_eq!(
        (error.origin, error.code.as_str()),
        (Origin::Statement, "22012")
    );
    assert!(connection.is_usable());
    let orphan = plain("insert into children values (1, 99)");
    let flight = Flight::new(&orphan, &scope).transaction(explicit(End::Commit));
    let error = refused(connection.fly(&flight).await);
    assert_eq!((error.origin, error.code.as_str()), (Origin::End, "23503"));
    assert_eq!(count(&mut connection).await, "0");
}

#[tokio::test]
async fn stale_statements_are_prepared_again_in_explicit_transactions() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let (insert, scope) = (insert(1), scope("postgres"));
    let flight = Flight::new(&insert, &scope).transaction(explicit(End::Rollback));
    let forget = plain("deallocate all");
    for _ in 0..2 {
        connection.fly(&flight).await.unwrap();
        connection.fly(&Flight::new(&forget, &scope)).await.unwrap();
    }
    let (_, transaction) = connection.open(&flight).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(count(&mut connection).await, "1");
}

#[tokio::test]
async fn an_open_transaction_ends_as_told() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let scope = scope("postgres");
    let (one, two) = (insert(1), insert(2));
    let (result, transaction) = connection.open(&Flight::new(&one, &scope)).await.unwrap();
    assert_eq!(result.affected(), Some(1));
    transaction.rollback().await.unwrap();
    assert_eq!(count(&mut connection).await, "0");
    let (_, mut transaction) = connection.open(&Flight::new(&one, &scope)).await.unwrap();
    transaction.run(&scope, &two).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(count(&mut connection).await, "2");
    assert!(connection.is_usable());
}

#[tokio::test]
async fn an_open_transaction_fails_cleanly() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let scope = scope("postgres");
    let (one, orphan) = (insert(1), plain("insert into children values (1, 99)"));
    let divide = plain("select 1 / 0");
    assert_eq!(
        refused(connection.open(&Flight::new(&divide, &scope)).await).code,
        "22012"
    );
    let (_, transaction) = connection
        .open(&Flight::new(&orphan, &scope))
        .await
        .unwrap();
    assert_eq!(refused(transaction.commit().await).code, "23503");
    let (_, mut transaction) = connection.open(&Flight::new(&one, &scope)).await.unwrap();
    assert_eq!(
        refused(transaction.run(&scope, &divide).await).code,
        "22012"
    );
    assert!(matches!(transaction.commit().await, Err(WireError::Closed)));
    assert_eq!(count(&mut connection).await, "0");
}

#[tokio::test]
async fn an_abandoned_transaction_takes_its_connection_along() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let (one, scope) = (insert(1), scope("postgres"));
    drop(connection.open(&Flight::new(&one, &scope)).await.unwrap());
    assert!(!connection.is_usable());
    drop(connection);
    assert_eq!(count(&mut connect(&db).await).await, "0");
}

#[tokio::test]
async fn a_statement_that_ends_the_transaction_is_noticed() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let (begin, scope) = (plain("begin"), scope("postgres"));
    let result = connection.fly(&Flight::new(&begin, &scope)).await;
    assert!(matches!(result, Err(WireError::Protocol(_))));
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn flights_of_one_transaction_begin_it_and_share_it() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let (first, second, scope) = (insert(1), insert(2), scope("wire_a"));
    let prelude = prelude("wire_a", "{}");
    let flight = |statement| Flight::new(statement, &scope).prelude(&prelude);
    let begin = Begin {
        isolation: Some(Isolation::Serializable),
        read_only: false,
    };
    let mut transaction = connection.begin(begin);
    transaction.fly(&flight(&first)).await.unwrap();
    let level = plain("select current_setting('transaction_isolation')");
    let level = transaction.run(&scope, &level).await.unwrap();
    assert_eq!(level.text(0, 0), Some("serializable"));
    let failure = refused(transaction.fly(&flight(&first)).await);
    assert_eq!(
        (&*failure.code, failure.origin),
        ("23505", Origin::Statement)
    );
    assert!(matches!(
        transaction.fly(&flight(&second)).await,
        Err(WireError::Closed)
    ));
    drop(transaction);
    assert!(connection.is_usable());
    assert_eq!(count(&mut connection).await, "0");

    let mut transaction = connection.begin(Begin::default());
    transaction.fly(&flight(&first)).await.unwrap();
    transaction.fly(&flight(&second)).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(count(&mut connection).await, "2");

    connection.begin(begin).commit().await.unwrap();
    drop(connection.begin(begin));
    assert!(connection.is_usable());
}

#[tokio::test]
async fn an_epilogue_belongs_to_its_flight() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let (insert, scope) = (insert(1), scope("postgres"));
    let mut transaction = connection.begin(Begin::default());
    let before = [plain("savepoint s")];
    let after = [plain("rollback to s"), plain("release s")];
    let undone = Flight::new(&insert, &scope)
        .prelude(&before)
        .epilogue(&after);
    let result = transaction.fly(&undone).await.unwrap();
    assert_eq!(result.text(0, 0), Some("postgres"));
    transaction.commit().await.unwrap();
    assert_eq!(count(&mut connection).await, "0");
}

#[tokio::test]
async fn the_last_row_of_the_closing_is_kept_apart() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let scope = scope("postgres");
    let before = [plain("select set_config('a.b', 'of the flight', true)")];
    let main = plain("select g, repeat('x', 4000) from generate_series(1, 3) g");
    let after = [plain("select 'dropped'")];
    let closing = [
        plain("set constraints all immediate"),
        plain("select null, current_setting('a.b')"),
    ];
    for transaction in [
        Transaction::Implicit,
        Transaction::Explicit {
            begin: Begin::default(),
            end: End::Commit,
        },
    ] {
        let flight = Flight::new(&main, &scope)
            .prelude(&before)
            .epilogue(&after)
            .closing(&closing)
            .transaction(transaction);
        let result = connection.fly(&flight).await.unwrap();
        assert_eq!((result.len(), result.text(2, 0)), (3, Some("3")));
        assert_eq!(result.closing(0), None);
        assert_eq!(result.closing(1), Some("of the flight"));
        assert_eq!(result.closing(2), None);
    }
    let none = connection.fly(&Flight::new(&main, &scope)).await.unwrap();
    assert_eq!(none.closing(1), None);
}

#[tokio::test]
async fn the_time_limit_is_that_of_the_whole_transaction() {
    let db = database().await;
    let settings = ConnectionSettings {
        flight_timeout: Some(Duration::from_millis(500)),
        ..ConnectionSettings::default()
    };
    let mut connection = connect_with(&db, &settings).await;
    let (sleep, scope) = (plain("select pg_sleep(0.2)"), scope("postgres"));
    let mut transaction = connection.begin(Begin::default());
    let mut flights = 0;
    let failure = loop {
        match transaction.run(&scope, &sleep).await {
            Ok(_) => flights += 1,
            Err(failure) => break failure,
        }
    };
    assert!(
        matches!(failure, WireError::Timeout) && flights < 3,
        "{flights}"
    );
    drop(transaction);
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn a_transaction_whose_statement_has_changed_its_shape_may_be_tried_again() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let (notes, scope) = (plain("select * from shop.notes"), scope("postgres"));
    connection.fly(&Flight::new(&notes, &scope)).await.unwrap();
    db.run("alter table shop.notes add column more int").await;
    let mut transaction = connection.begin(Begin::default());
    let failure = transaction.run(&scope, &notes).await.unwrap_err();
    drop(transaction);
    assert!(connection.may_retry(&failure));
    let mut transaction = connection.begin(Begin::default());
    assert_eq!(transaction.run(&scope, &notes).await.unwrap().width(), 4);
    transaction.commit().await.unwrap();
    let other = WireError::Closed;
    assert!(!connection.may_retry(&other));
}
