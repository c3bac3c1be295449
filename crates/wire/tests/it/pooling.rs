use std::collections::HashMap;
use std::time::Duration;

use passerelle_wire::{Flight, Pool, PoolError, PoolSettings};

use crate::support::{database, plain, pool, prelude, scope};

fn sized(max_size: usize) -> PoolSettings {
    PoolSettings {
        max_size,
        ..PoolSettings::default()
    }
}

/// Runs one flight as this role and says which session served it.
async fn served(pool: &Pool, role: &str) -> i32 {
    let mut connection = pool.acquire(role).await.unwrap();
    let (statement, scope, prelude) = (plain("select 1"), scope(role), prelude(role, "{}"));
    connection
        .fly(&Flight::new(&statement, &scope).prelude(&prelude))
        .await
        .unwrap();
    connection.process_id()
}

#[tokio::test]
async fn a_role_returns_to_its_connection() {
    let db = database().await;
    let pool = pool(&db, sized(2));
    let (a, b) = (served(&pool, "wire_a").await, served(&pool, "wire_b").await);
    assert_ne!(a, b);
    for _ in 0..10 {
        assert_eq!(served(&pool, "wire_a").await, a);
        assert_eq!(served(&pool, "wire_b").await, b);
    }
    assert_eq!(served(&pool, "postgres").await, a);
    assert_eq!(pool.status().size, 2);
}

#[tokio::test]
async fn waiting_has_an_end() {
    let db = database().await;
    let settings = PoolSettings {
        acquisition_timeout: Some(Duration::from_millis(20)),
        max_waiting: 1,
        ..sized(1)
    };
    let pool = pool(&db, settings);
    let held = pool.acquire("wire_a").await.unwrap();
    let (first, second) = tokio::join!(pool.acquire("wire_a"), pool.acquire("wire_a"));
    assert!(matches!(first, Err(PoolError::Timeout)));
    assert!(matches!(second, Err(PoolError::Crowded)));
    assert_eq!(pool.status().waiting, 0);
    drop(held);
    served(&pool, "wire_a").await;
}

#[tokio::test]
async fn a_waiter_gets_what_is_returned() {
    let db = database().await;
    let pool = pool(&db, sized(1));
    let held = pool.acquire("wire_a").await.unwrap();
    let before = held.process_id();
    let (after, ()) = tokio::join!(served(&pool, "wire_a"), async { drop(held) });
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_waiter_gets_the_place_of_a_lost_connection() {
    let db = database().await;
    let pool = pool(&db, sized(1));
    let mut held = pool.acquire("wire_a").await.unwrap();
    let before = held.process_id();
    let lose = async {
        held.discard();
        drop(held);
    };
    let (after, ()) = tokio::join!(served(&pool, "wire_a"), lose);
    assert_ne!(after, before);
    assert_eq!(pool.status().size, 1);
}

#[tokio::test]
async fn abandoned_flights_and_waiters_cost_no_place() {
    let db = database().await;
    let pool = pool(&db, sized(2));
    let (sleep, scope) = (plain("select pg_sleep(60)"), scope("wire_a"));
    for _ in 0..5 {
        let flight = async {
            let mut connection = pool.acquire("wire_a").await.unwrap();
            drop(connection.fly(&Flight::new(&sleep, &scope)).await);
        };
        let waiting =
            async { tokio::join!(flight, pool.acquire("wire_b"), pool.acquire("wire_b")) };
        assert!(
            tokio::time::timeout(Duration::from_millis(30), waiting)
                .await
                .is_err()
        );
    }
    assert_eq!(pool.status().waiting, 0);
    let (a, b) = (
        pool.acquire("wire_a").await.unwrap(),
        pool.acquire("wire_b").await.unwrap(),
    );
    assert_eq!(pool.status().size, 2);
    drop((a, b));
}

#[tokio::test]
async fn the_server_stops_working_on_an_abandoned_flight() {
    let db = database().await;
    let pool = pool(&db, sized(2));
    let mut watcher = pool.acquire("postgres").await.unwrap();
    let scope = scope("postgres");
    let mut connection = pool.acquire("wire_a").await.unwrap();
    let sleeper = connection.process_id();
    let sleep = plain("select pg_sleep(600)");
    let flight = Flight::new(&sleep, &scope);
    assert!(
        tokio::time::timeout(Duration::from_millis(30), connection.fly(&flight))
            .await
            .is_err()
    );
    drop(connection);
    let gone = plain(&format!(
        "select not exists (select from pg_stat_activity where pid = {sleeper})"
    ));
    let gone_soon = async {
        while watcher
            .fly(&Flight::new(&gone, &scope))
            .await
            .unwrap()
            .text(0, 0)
            != Some("t")
        {}
    };
    tokio::time::timeout(Duration::from_secs(20), gone_soon)
        .await
        .expect("the session ends");
}

#[tokio::test]
async fn renewed_pools_use_new_connections() {
    let db = database().await;
    let pool = pool(&db, sized(1));
    let before = served(&pool, "wire_a").await;
    pool.renew();
    assert_eq!(pool.status().size, 0);
    assert_ne!(served(&pool, "wire_a").await, before);
}

#[tokio::test]
async fn a_closed_pool_turns_waiters_away() {
    let db = database().await;
    let pool = pool(&db, sized(1));
    let held = pool.acquire("wire_a").await.unwrap();
    let (waiter, ()) = tokio::join!(pool.acquire("wire_a"), async { pool.close() });
    assert!(matches!(waiter, Err(PoolError::Closed)));
    drop(held);
    assert_eq!(pool.status().size, 0);
    assert!(matches!(
        pool.acquire("wire_a").await,
        Err(PoolError::Closed)
    ));
}

#[tokio::test]
async fn connections_have_a_lifetime() {
    let db = database().await;
    let pool = pool(
        &db,
        PoolSettings {
            max_lifetime: Some(Duration::ZERO),
            ..sized(1)
        },
    );
    let before = served(&pool, "wire_a").await;
    assert_eq!(pool.status().size, 0);
    assert_ne!(served(&pool, "wire_a").await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interleaved_callers_see_themselves_only() {
    let db = database().await;
    let pool = pool(&db, sized(4));
    let tasks: Vec<_> = (0..1000)
        .map(|n| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let role = if n % 3 == 0 { "wire_a" } else { "wire_b" };
                let claims = format!("{{\"sub\":\"{n}\"}}");
                let (scope, prelude) = (scope(role), prelude(role, &claims));
                let statement = plain(
                    "select current_user, current_setting('request.jwt.claims'), \
                     (select string_agg(distinct owner, ',') from notes), pg_backend_pid()",
                );
                let mut connection = pool.acquire(role).await.unwrap();
                let flight = Flight::new(&statement, &scope).prelude(&prelude);
                let result = connection.fly(&flight).await.unwrap();
                assert_eq!(result.text(0, 0), Some(role));
                assert_eq!(result.text(0, 1), Some(claims.as_str()));
                assert_eq!(result.text(0, 2), Some(role));
                (result.text(0, 3).unwrap().to_owned(), role)
            })
        })
        .collect();
    let mut sessions: HashMap<String, u32> = HashMap::new();
    for task in tasks {
        *sessions.entry(task.await.unwrap().0).or_default() += 1;
    }
    assert!(sessions.len() <= 4);
    assert_eq!(sessions.values().sum::<u32>(), 1000);
    let status = pool.status();
    assert_eq!(
        (status.size, status.idle, status.waiting),
        (sessions.len(), sessions.len(), 0)
    );
}
