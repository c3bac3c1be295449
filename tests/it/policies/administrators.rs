//! The application is never left without an administrator.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use passerelle_testkit::{TestClient, TestDb};
use serde_json::json;

const ONE: &str = "00000000-0000-4000-8000-000000000001";
const TWO: &str = "00000000-0000-4000-8000-000000000002";
const PATIENCE: Duration = Duration::from_mins(1);

/// Two administrators, and nobody else.
const STAGE: &str = "
    delete from profiles;
    insert into profiles (id, user_id, email, username)
    values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', 'one@example.org', 'one'),
           ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000002', 'two@example.org', 'two');
    insert into user_roles (user_id, role) select user_id, 'admin' from profiles;
";

/// Ways to end the rights of this one.
const ENDS: [fn(&str) -> String; 3] = [
    |user| format!("update user_roles set role = 'user' where user_id = '{user}'"),
    |user| format!("delete from user_roles where user_id = '{user}'"),
    |user| format!("delete from profiles where user_id = '{user}'"),
];

/// A transaction of somebody who signed in.
async fn begin(db: &TestDb, user: &str, isolation: &str) -> TestClient {
    let client = db.client().await;
    let claims = json!({ "role": "authenticated", "sub": user }).to_string();
    client
        .execute(&format!("begin isolation level {isolation}"), &[])
        .await
        .expect("a transaction");
    client
        .execute("set local role authenticated", &[])
        .await
        .expect("the role");
    client
        .execute(
            "select set_config('request.jwt.claims', $1, true)",
            &[&claims],
        )
        .await
        .expect("the claims");
    client
}

async fn administrators(client: &TestClient) -> i64 {
    let counted = "select count(*) from user_roles where role = 'admin'";
    client
        .query_one(counted, &[])
        .await
        .expect("a number")
        .get(0)
}

fn code(outcome: Result<u64, tokio_postgres::Error>) -> String {
    let error = outcome.expect_err("it is refused");
    error
        .code()
        .map(|code| code.code().to_owned())
        .unwrap_or_default()
}

/// Waits until this many wait for a lock in this database.
async fn waiting(client: &TestClient, number: i64) {
    let counted = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let end = Instant::now() + PATIENCE;
    while client
        .query_one(counted, &[])
        .await
        .expect("a number")
        .get::<_, i64>(0)
        < number
    {
        assert!(Instant::now() < end, "nobody waits");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn two_who_end_each_others_rights_take_turns() {
    let db = TestDb::hub_lib().await;
    let watcher = db.client().await;
    for first in ENDS {
        for second in ENDS {
            db.run(STAGE).await;
            let one = begin(&db, ONE, "read committed").await;
            let two = begin(&db, TWO, "read committed").await;
            let (first, second) = (first(TWO), second(ONE));
            assert_eq!(
                one.execute(&first, &[]).await.expect("the first succeeds"),
                1
            );
            let late = tokio::spawn(async move { two.execute(&second, &[]).await });
            waiting(&watcher, 1).await;
            one.execute("commit", &[])
                .await
                .expect("the end of the first");
            assert_eq!(code(late.await.expect("it ends")), "42501", "{first}");
            assert_eq!(administrators(&watcher).await, 1);
        }
    }
}

/// Holds up whoever has locked a row of `user_roles` and has not asked for others.
const GATE: &str = "
    create function pass_the_gate() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock_shared(42);
        return new;
      end
    $$;
    create trigger a_gate before update on user_roles for each row execute function pass_the_gate();
";

#[tokio::test]
async fn two_who_begin_together_do_not_wait_for_each_other() {
    let db = TestDb::hub_lib().await;
    let watcher = db.client().await;
    db.run(STAGE).await;
    db.run(GATE).await;
    watcher
        .execute("select pg_advisory_lock(42)", &[])
        .await
        .expect("the gate is shut");
    let begun = [(ONE, TWO), (TWO, ONE)].map(|(who, other)| {
        let db = &db;
        async move {
            let client = begin(db, who, "read committed").await;
            let demote = format!("update user_roles set role = 'user' where user_id = '{other}'");
            let outcome = client.execute(&demote, &[]).await;
            let end = client.execute("commit", &[]).await;
            outcome
                .and(end)
                .map_err(|error| error.code().map(|code| code.code().to_owned()))
        }
    });
    let open = async {
        waiting(&watcher, 2).await;
        watcher
            .execute("select pg_advisory_unlock(42)", &[])
            .await
            .expect("the gate is open");
    };
    let (outcomes, ()) = tokio::join!(join_all(begun), open);
    let refused = Err(Some("42501".to_owned()));
    assert!(outcomes.iter().any(Result::is_ok), "{outcomes:?}");
    assert!(outcomes.contains(&refused), "{outcomes:?}");
    assert_eq!(administrators(&watcher).await, 1);
}

#[tokio::test]
async fn an_older_snapshot_does_not_help() {
    let db = TestDb::hub_lib().await;
    let watcher = db.client().await;
    for first in ENDS {
        for second in ENDS {
            db.run(STAGE).await;
            let two = begin(&db, TWO, "repeatable read").await;
            assert_eq!(administrators(&two).await, 2);
            let one = begin(&db, ONE, "read committed").await;
            let (first, second) = (first(TWO), second(ONE));
            one.execute(&first, &[]).await.expect("the first succeeds");
            one.execute("commit", &[])
                .await
                .expect("the end of the first");
            // serialization_failure: to be tried again, and then in vain.
            assert_eq!(
                code(two.execute(&second, &[]).await),
                "40001",
                "{first}; {second}"
            );
            assert_eq!(administrators(&watcher).await, 1);
        }
    }
}

#[tokio::test]
async fn one_statement_does_not_end_all() {
    let db = TestDb::hub_lib().await;
    let watcher = db.client().await;
    db.run(STAGE).await;
    for all in [
        "update user_roles set role = 'user'",
        "delete from user_roles",
        "delete from profiles",
    ] {
        let one = begin(&db, ONE, "read committed").await;
        assert_eq!(code(one.execute(all, &[]).await), "42501", "{all}");
        assert_eq!(administrators(&watcher).await, 2);
    }
}

#[tokio::test]
async fn one_of_two_may_go() {
    let db = TestDb::hub_lib().await;
    let watcher = db.client().await;
    for end in ENDS {
        db.run(STAGE).await;
        let one = begin(&db, ONE, "read committed").await;
        assert_eq!(one.execute(&end(ONE), &[]).await.expect("it is allowed"), 1);
        one.execute("commit", &[]).await.expect("the end");
        assert_eq!(administrators(&watcher).await, 1);
        let two = begin(&db, TWO, "read committed").await;
        assert_eq!(code(two.execute(&end(TWO), &[]).await), "42501");
        assert_eq!(administrators(&watcher).await, 1);
    }
}
