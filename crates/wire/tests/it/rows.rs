use std::time::{Duration, Instant};

use passerelle_statement::Statement;
use passerelle_wire::{
    Begin, End, Flight, Isolation, Pool, PoolSettings, RowStream, StreamedFlight, Transaction,
    WireError,
};
use tokio::time::timeout;

use crate::support::{database, plain, pool, prelude, refused, scope};

/// Far longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);

const SETTING: &str = "select current_setting('my.rows', true)";
const COUNTED: &str = "select n, 'row ' || n as text, set_config('my.rows', n::text, true) \
                       from generate_series(1, 100000) n";

fn small(db: &passerelle_testkit::TestDb) -> Pool {
    let settings = PoolSettings {
        max_size: 1,
        ..PoolSettings::default()
    };
    pool(db, settings)
}

async fn stream(
    pool: &Pool,
    statement: &Statement,
    transaction: Transaction,
) -> Result<RowStream, WireError> {
    let (scope, prelude, setting) = (scope("wire_a"), prelude("wire_a", "{}"), [plain(SETTING)]);
    let flight = Flight::new(statement, &scope).prelude(&prelude);
    let streamed = StreamedFlight {
        flight: flight.transaction(transaction).describe(),
        before: &setting,
        after: &setting,
    };
    let connection = pool.acquire("wire_a").await.unwrap();
    connection.stream(&streamed).await
}

fn snapshot() -> Transaction {
    Transaction::Explicit {
        begin: Begin {
            isolation: Some(Isolation::RepeatableRead),
            read_only: true,
        },
        end: End::Commit,
    }
}

/// Answers as the role `wire_a` on the only connection of the pool.
async fn works(pool: &Pool) {
    let (scope, prelude) = (scope("wire_a"), prelude("wire_a", "{}"));
    let mut connection = timeout(SOON, pool.acquire("wire_a"))
        .await
        .unwrap()
        .unwrap();
    let question = plain("select count(*) from shop.notes");
    let flight = Flight::new(&question, &scope).prelude(&prelude);
    let result = connection.fly(&flight).await.unwrap();
    assert_eq!(result.text(0, 0), Some("50"));
}

#[tokio::test]
async fn rows_are_used_while_they_arrive() {
    let db = database().await;
    let pool = small(&db);
    for transaction in [Transaction::Implicit, snapshot()] {
        let statement = plain(COUNTED);
        let mut rows = stream(&pool, &statement, transaction).await.unwrap();
        let names: Vec<_> = rows.columns().iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["n", "text", "set_config"]);
        assert_eq!(rows.before()[0].text(0, 0).unwrap_or(""), "");
        let (mut count, mut pieces, mut largest) = (0, 0, 0);
        while let Some(piece) = rows.next().await.unwrap() {
            for row in piece.rows() {
                count += 1;
                assert_eq!(row.text(0), Some(count.to_string().as_str()));
                assert_eq!(row.text(1), Some(format!("row {count}").as_str()));
            }
            pieces += 1;
            largest = largest.max(piece.len());
        }
        assert_eq!(count, 100_000);
        assert!(pieces > 10 && largest < 10_000, "{pieces} of {largest}");
        assert_eq!(rows.after()[0].text(0, 0), Some("100000"));
        assert!(rows.next().await.unwrap().is_none());
        drop(rows);
        assert_eq!(pool.status().idle, 1);
        works(&pool).await;
    }
}

#[tokio::test]
async fn no_rows_are_an_answer_as_well() {
    let db = database().await;
    let pool = small(&db);
    let statement = plain("select id, body from shop.notes where false");
    let mut rows = stream(&pool, &statement, Transaction::Implicit)
        .await
        .unwrap();
    assert_eq!(rows.columns().len(), 2);
    assert!(rows.next().await.unwrap().is_none());
    assert_eq!((rows.before().len(), rows.after().len()), (1, 1));
}

#[tokio::test]
async fn policies_hold_for_rows_that_stream() {
    let db = database().await;
    let pool = small(&db);
    let statement = plain("select owner from shop.notes");
    let mut rows = stream(&pool, &statement, snapshot()).await.unwrap();
    let mut owners = Vec::new();
    while let Some(piece) = rows.next().await.unwrap() {
        owners.extend(piece.rows().map(|row| row.text(0).unwrap().to_owned()));
    }
    assert_eq!(owners, vec!["wire_a"; 50]);
}

#[tokio::test]
async fn a_failure_comes_after_the_rows_before_it() {
    let db = database().await;
    let pool = small(&db);
    for transaction in [Transaction::Implicit, snapshot()] {
        let statement = plain("select 1 / (50000 - n) from generate_series(1, 100000) n");
        let mut rows = stream(&pool, &statement, transaction).await.unwrap();
        let mut count = 0;
        let failure = loop {
            match rows.next().await {
                Ok(Some(piece)) => count += piece.len(),
                Ok(None) => panic!("the rows end as if nothing had happened"),
                Err(failure) => break failure,
            }
        };
        assert_eq!(refused::<()>(Err(failure)).code, "22012");
        assert!((10_000..50_000).contains(&count), "{count}");
        drop(rows);
        assert_eq!(pool.status().idle, 1);
        works(&pool).await;
    }
}

#[tokio::test]
async fn who_gives_up_leaves_nothing_behind() {
    let db = database().await;
    let pool = small(&db);
    // A function in FROM would be called to its end first.
    let endless = plain("select generate_series(1, 1000000000), repeat('x', 1000)");
    let mut rows = stream(&pool, &endless, Transaction::Implicit)
        .await
        .unwrap();
    assert!(rows.next().await.unwrap().is_some());
    drop(rows);
    assert_eq!(pool.status().size, 0);
    works(&pool).await;
    let client = db.client().await;
    let running = "select count(*) from pg_stat_activity \
                   where datname = current_database() and query like '%1000000000%' \
                   and pid <> pg_backend_pid() and state = 'active'";
    let ended = async {
        while client
            .query_one(running, &[])
            .await
            .unwrap()
            .get::<_, i64>(0)
            > 0
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, ended).await.expect("the query is cancelled");
}

#[tokio::test]
async fn the_whole_stream_has_a_time_limit() {
    let db = database().await;
    let pool = small(&db);
    let slow = plain(
        "select n, repeat('x', 1000), case when n = 1000 then pg_sleep(3600) end \
         from generate_series(1, 2000) n",
    );
    let mut rows = stream(&pool, &slow, Transaction::Implicit).await.unwrap();
    rows.limit_to(Some(Instant::now() + Duration::from_millis(300)));
    let failure = loop {
        match timeout(SOON, rows.next()).await.unwrap() {
            Ok(Some(_)) => {}
            other => break other,
        }
    };
    assert!(matches!(failure, Err(WireError::Timeout)), "{failure:?}");
    drop(rows);
    works(&pool).await;
}

#[tokio::test]
async fn a_statement_that_has_changed_its_shape_is_prepared_anew() {
    let db = database().await;
    let pool = small(&db);
    let statement = plain("select * from shop.notes");
    for columns in [3, 4] {
        let mut rows = stream(&pool, &statement, Transaction::Implicit)
            .await
            .unwrap();
        let mut count = 0;
        while let Some(piece) = rows.next().await.unwrap() {
            count += piece.len();
        }
        assert_eq!((rows.columns().len(), count), (columns, 50));
        db.run("alter table shop.notes add column if not exists more int")
            .await;
    }
}
