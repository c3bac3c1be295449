use std::time::Duration;

use passerelle_statement::Statement;
use passerelle_wire::{ConnectionSettings, Flight, Origin, WireError};

use crate::support::{connect, connect_with, database, plain, prelude, refused, scope, with};

#[tokio::test]
async fn values_and_nulls_arrive_as_text() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let statement = Statement {
        text: "select n, $1::text, null, '', $2::text is null from generate_series(1, 3) n"
            .to_owned(),
        params: vec![Some("é\u{1F600}".into()), None],
    };
    let result = connection
        .fly(&Flight::new(&statement, &scope("postgres")))
        .await
        .unwrap();
    assert_eq!((result.len(), result.width()), (3, 5));
    assert_eq!(result.text(2, 0), Some("3"));
    assert_eq!(result.bytes(0, 1).unwrap(), "é\u{1F600}");
    assert_eq!(result.value(0, 2), None);
    assert_eq!(result.value(0, 3), Some(&b""[..]));
    assert_eq!(result.text(0, 4), Some("t"));
    assert_eq!(result.value(3, 0), None);
    assert_eq!(result.value(0, 5), None);
    assert_eq!(result.command_tag(), "SELECT 3");
    let first: Vec<_> = result.rows().filter_map(|row| row.text(0)).collect();
    assert_eq!(first, ["1", "2", "3"]);
}

#[tokio::test]
async fn columns_come_when_asked_for() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let (statement, scope) = (
        plain("select 1 as one, 'x'::varchar(7) as two"),
        scope("postgres"),
    );
    let flight = Flight::new(&statement, &scope);
    assert!(connection.fly(&flight).await.unwrap().columns().is_empty());
    let result = connection.fly(&flight.describe()).await.unwrap();
    let columns: Vec<_> = result
        .columns()
        .iter()
        .map(|c| (c.name.as_str(), c.type_oid, c.type_modifier))
        .collect();
    assert_eq!(columns, [("one", 23, -1), ("two", 1043, 11)]);
    let nothing = plain("create temporary table t ()");
    let result = connection
        .fly(&Flight::new(&nothing, &scope).describe())
        .await
        .unwrap();
    assert!(result.columns().is_empty() && result.is_empty());
}

#[tokio::test]
async fn affected_rows_are_counted() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let scope = scope("postgres");
    for (text, tag, affected) in [
        ("insert into parents values (1), (2)", "INSERT 0 2", Some(2)),
        ("update parents set id = id + 10", "UPDATE 2", Some(2)),
        ("delete from parents", "DELETE 2", Some(2)),
        ("set application_name = 'x'", "SET", None),
        ("", "", None),
    ] {
        let statement = plain(text);
        let result = connection
            .fly(&Flight::new(&statement, &scope))
            .await
            .unwrap();
        assert_eq!((result.command_tag(), result.affected()), (tag, affected));
    }
}

#[tokio::test]
async fn the_prelude_holds_for_one_flight() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let statement = plain("select current_user, current_setting('request.jwt.claims', true)");
    let scope = scope("wire_a");
    let prelude = prelude("wire_a", "{}");
    let flight = Flight::new(&statement, &scope);
    let result = connection.fly(&flight.prelude(&prelude)).await.unwrap();
    assert_eq!(
        (result.text(0, 0), result.text(0, 1)),
        (Some("wire_a"), Some("{}"))
    );
    let result = connection.fly(&flight).await.unwrap();
    assert_eq!(
        (result.text(0, 0), result.text(0, 1)),
        (Some("postgres"), Some(""))
    );
}

#[tokio::test]
async fn errors_name_the_part_that_failed_and_undo_the_rest() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let scope = scope("postgres");
    let insert = plain("insert into parents values (1)");
    let bad = with(
        "select set_config('role', $1, true)",
        &["nobody_of_this_name"],
    );
    let good = plain("select 1");
    let error = refused(
        connection
            .fly(&Flight::new(&good, &scope).prelude(&[insert.clone(), bad]))
            .await,
    );
    assert_eq!(
        (error.origin, error.code.as_str()),
        (Origin::Prelude(1), "22023")
    );
    let twice = plain("insert into parents values (2), (2)");
    let error = refused(
        connection
            .fly(&Flight::new(&twice, &scope).prelude(std::slice::from_ref(&insert)))
            .await,
    );
    assert_eq!(
        (error.origin, error.code.as_str()),
        (Origin::Statement, "23505")
    );
    assert_eq!(error.severity, "ERROR");
    assert_eq!(error.schema.as_deref(), Some("public"));
    assert_eq!(error.table.as_deref(), Some("parents"));
    assert_eq!(error.constraint.as_deref(), Some("parents_pkey"));
    assert_eq!(
        error.detail.as_deref(),
        Some("Key (id)=(2) already exists.")
    );
    let orphan = plain("insert into children values (1, 99)");
    let error = refused(connection.fly(&Flight::new(&orphan, &scope)).await);
    assert_eq!((error.origin, error.code.as_str()), (Origin::End, "23503"));
    let count = plain("select (select count(*) from parents), (select count(*) from children)");
    let result = connection.fly(&Flight::new(&count, &scope)).await.unwrap();
    assert_eq!(
        (result.text(0, 0), result.text(0, 1)),
        (Some("0"), Some("0"))
    );
}

#[tokio::test]
async fn raised_fields_arrive() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let raise = plain(
        "do $$ begin raise exception using errcode = 'PT402', message = 'm', detail = 'd', \
         hint = 'h', column = 'c', datatype = 't'; end $$",
    );
    let error = refused(
        connection
            .fly(&Flight::new(&raise, &scope("postgres")))
            .await,
    );
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("PT402", "m")
    );
    assert_eq!(
        (error.detail.as_deref(), error.hint.as_deref()),
        (Some("d"), Some("h"))
    );
    assert_eq!(
        (error.column.as_deref(), error.data_type.as_deref()),
        (Some("c"), Some("t"))
    );
    assert!(error.context.unwrap().contains("inline_code_block"));
    let unknown = plain("select missing");
    let error = refused(
        connection
            .fly(&Flight::new(&unknown, &scope("postgres")))
            .await,
    );
    assert_eq!((error.code.as_str(), error.position), ("42703", Some(8)));
}

#[tokio::test]
async fn large_replies_and_notices_pass_and_small_ones_follow() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let scope = scope("postgres");
    let large = plain("select repeat('x', 3000000), n from generate_series(1, 5) n");
    let many = plain("select n, n from generate_series(1, 200000) n");
    let one = plain("select 1");
    for _ in 0..2 {
        let result = connection.fly(&Flight::new(&large, &scope)).await.unwrap();
        assert!(
            result
                .rows()
                .all(|row| row.value(0).unwrap().len() == 3_000_000)
        );
        assert_eq!(result.text(4, 1), Some("5"));
        let result = connection.fly(&Flight::new(&many, &scope)).await.unwrap();
        assert_eq!(result.text(199_999, 1), Some("200000"));
        let result = connection.fly(&Flight::new(&one, &scope)).await.unwrap();
        assert_eq!(result.text(0, 0), Some("1"));
    }
}

#[tokio::test]
async fn a_noisy_prelude_does_not_stop_a_long_statement() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let noise = plain(
        "do $$ begin for i in 1..20000 loop raise notice '%', repeat('x', 1000); end loop; end $$",
    );
    let long = "y".repeat(20_000_000);
    let statement = with("select length($1)", &[&long]);
    let scope = scope("postgres");
    let flight = Flight::new(&statement, &scope);
    let result = connection.fly(&flight.prelude(&[noise])).await.unwrap();
    assert_eq!(result.text(0, 0), Some("20000000"));
}

#[tokio::test]
async fn a_reply_beyond_the_limit_ends_the_connection() {
    let db = database().await;
    let settings = ConnectionSettings {
        max_reply: 100_000,
        ..ConnectionSettings::default()
    };
    for text in [
        "select repeat('x', 200000)",
        "select n from generate_series(1, 50000) n",
    ] {
        let mut connection = connect_with(&db, &settings).await;
        let statement = plain(text);
        let result = connection
            .fly(&Flight::new(&statement, &scope("postgres")))
            .await;
        assert!(matches!(
            result,
            Err(WireError::ReplyTooLarge { limit: 100_000 })
        ));
        assert!(!connection.is_usable());
    }
}

#[tokio::test]
async fn a_flight_beyond_its_time_ends_the_connection() {
    let db = database().await;
    let flight_timeout = Some(Duration::from_millis(50));
    let settings = ConnectionSettings {
        flight_timeout,
        ..ConnectionSettings::default()
    };
    let mut connection = connect_with(&db, &settings).await;
    let sleep = plain("select pg_sleep(60)");
    let scope = scope("postgres");
    let result = connection.fly(&Flight::new(&sleep, &scope)).await;
    assert!(matches!(result, Err(WireError::Timeout)));
    assert!(!connection.is_usable());
    let one = plain("select 1");
    let result = connection.fly(&Flight::new(&one, &scope)).await;
    assert!(matches!(result, Err(WireError::Closed)));
}

#[tokio::test]
async fn a_dropped_flight_ends_the_connection() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let sleep = plain("select pg_sleep(60)");
    let scope = scope("postgres");
    let flight = Flight::new(&sleep, &scope);
    let dropped = tokio::time::timeout(Duration::from_millis(50), connection.fly(&flight)).await;
    assert!(dropped.is_err());
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn copy_has_no_place_in_a_flight() {
    let db = database().await;
    for text in ["copy parents from stdin", "copy parents to stdout"] {
        let mut connection = connect(&db).await;
        let copy = plain(text);
        let result = connection
            .fly(&Flight::new(&copy, &scope("postgres")))
            .await;
        assert!(matches!(result, Err(WireError::Protocol(_))));
        assert!(!connection.is_usable());
    }
}
