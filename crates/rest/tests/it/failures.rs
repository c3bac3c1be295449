//! Failures of the database and of the way to it, each brought about and not raised.
#![expect(clippy::unwrap_used, reason = "a test that cannot begin has failed")]

use std::time::Duration;

use actix_web::http::Method;
use passerelle_testkit::TestClient;
use passerelle_wire::{ConnectionSettings, Endpoint, Pool, PoolSettings};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::api::{Api, settings};

/// Long enough for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

const CONTENDED: &str = "
    create table api.accounts (id int primary key, amount int not null);
    insert into api.accounts values (1, 100), (2, 100);
    grant select, update on api.accounts to anon;
    create function api.move_back() returns void language plpgsql as $$
    begin
      update api.accounts set amount = amount - 1 where id = 2;
      update api.accounts set amount = amount + 1 where id = 1;
    end $$;
    create function api.change_what_was_seen() returns void language plpgsql
      set default_transaction_isolation = 'repeatable read' as $$
    begin
      perform amount from api.accounts;
      perform pg_advisory_xact_lock(1);
      update api.accounts set amount = 0 where id = 1;
    end $$;
    create function api.take_at_once() returns void language plpgsql as $$
    begin perform from api.accounts where id = 1 for update nowait; end $$;";

/// A relay between the pool and PostgreSQL whose connections can be cut.
struct Relay {
    url: String,
    cut: watch::Sender<bool>,
}

impl Relay {
    async fn to(url: &str) -> Self {
        let endpoint: tokio_postgres::Config = url.parse().unwrap();
        let port = endpoint.get_ports()[0];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (cut, is_cut) = watch::channel(false);
        actix_web::rt::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut is_cut = is_cut.clone();
                actix_web::rt::spawn(async move {
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = is_cut.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        let url = url.replace(&format!(":{port}/"), &format!(":{own}/"));
        assert!(url.contains(&format!(":{own}/")), "the port is in the URL");
        Self { url, cut }
    }
}

/// Waits until any session of the database waits for a lock.
async fn somebody_waits(watcher: &TestClient) {
    let waits = async {
        loop {
            let row = watcher
                .query_one(
                    "select count(*) from pg_stat_activity \
                     where datname = current_database() and wait_event_type = 'Lock'",
                    &[],
                )
                .await
                .unwrap();
            if row.get::<_, i64>(0) > 0 {
                return;
            }
        }
    };
    timeout(PATIENCE, waits).await.unwrap();
}

#[actix_web::test]
async fn a_connection_that_is_cut() {
    let sql = "create function api.wait() returns int language plpgsql as $$
        begin perform pg_advisory_xact_lock(1); return 1; end $$;";
    let api = Api::after(sql, settings()).await;
    let relay = Relay::to(&api.db.authenticator_url()).await;
    let pool = Pool::new(
        Endpoint::parse(&relay.url).unwrap(),
        PoolSettings::default(),
    );
    let api = api.over(pool);
    let holder = api.db.client().await;
    let lock = "select pg_advisory_lock(1)";
    holder.execute(lock, &[]).await.unwrap();
    let (reply, ()) = tokio::join!(api.request(Method::POST, "/rpc/wait", &[]), async {
        somebody_waits(&holder).await;
        relay.cut.send(true).unwrap();
    });
    reply.assert_error(503, "PGRST001");
    assert!(!reply.header("retry-after").is_empty());
    relay.cut.send(false).unwrap();
    assert_eq!(api.get("/projects").await.status, 200);
}

#[actix_web::test]
async fn a_reply_that_is_too_large() {
    let api = Api::new().await;
    let settings = PoolSettings {
        connection: ConnectionSettings {
            max_reply: 4096,
            ..ConnectionSettings::default()
        },
        ..PoolSettings::default()
    };
    let endpoint = Endpoint::parse(&api.db.authenticator_url()).unwrap();
    let api = api.over(Pool::new(endpoint, settings));
    let reply = api.get("/numbers").await;
    reply.assert_error(500, "PGRSTX00");
    assert_eq!(reply.json()["message"], "Internal server error");
    assert_eq!(api.get("/numbers?limit=1").await.status, 200);
}

#[actix_web::test]
async fn headers_that_are_too_large() {
    let api = Api::new().await;
    let long = "x".repeat(70_000);
    let reply = api.get_with("/projects", &[("X-Long", &long)]).await;
    reply.assert_error(431, "PSR431");
}

#[actix_web::test]
async fn a_deadlock() {
    let api = Api::after(CONTENDED, settings()).await;
    let other = api.db.client().await;
    // The request waits first, so it is the one that finds the deadlock.
    other
        .execute("set deadlock_timeout = '1min'", &[])
        .await
        .unwrap();
    other.execute("begin", &[]).await.unwrap();
    other
        .execute("update api.accounts set amount = 1 where id = 1", &[])
        .await
        .unwrap();
    let watcher = api.db.client().await;
    let (reply, ()) = tokio::join!(api.request(Method::POST, "/rpc/move_back", &[]), async {
        somebody_waits(&watcher).await;
        let update = "update api.accounts set amount = 1 where id = 2";
        other.execute(update, &[]).await.unwrap();
        other.execute("commit", &[]).await.unwrap();
    });
    reply.assert_error(500, "40P01");
    assert_eq!(reply.json()["message"], "deadlock detected");
    let amounts = api.get("/accounts?select=amount").await;
    assert_eq!(amounts.body, "[{\"amount\":1}, \n {\"amount\":1}]");
}

#[actix_web::test]
async fn a_serialization_failure() {
    let api = Api::after(CONTENDED, settings()).await;
    let other = api.db.client().await;
    other
        .execute("select pg_advisory_lock(1)", &[])
        .await
        .unwrap();
    let (reply, ()) = tokio::join!(
        api.request(Method::POST, "/rpc/change_what_was_seen", &[]),
        async {
            somebody_waits(&other).await;
            let update = "update api.accounts set amount = 7 where id = 1";
            other.execute(update, &[]).await.unwrap();
            let unlock = "select pg_advisory_unlock(1)";
            other.execute(unlock, &[]).await.unwrap();
        }
    );
    reply.assert_error(500, "40001");
    let amount = api.get("/accounts?select=amount&id=eq.1").await;
    assert_eq!(amount.body, "[{\"amount\":7}]");
}

#[actix_web::test]
async fn a_lock_that_is_not_to_be_had() {
    let api = Api::after(CONTENDED, settings()).await;
    let other = api.db.client().await;
    other.execute("begin", &[]).await.unwrap();
    other
        .execute("select from api.accounts where id = 1 for update", &[])
        .await
        .unwrap();
    let reply = api.request(Method::POST, "/rpc/take_at_once", &[]).await;
    reply.assert_error(500, "55P03");
    other.execute("commit", &[]).await.unwrap();
    let reply = api.request(Method::POST, "/rpc/take_at_once", &[]).await;
    assert_eq!(reply.status, 204, "{}", reply.body);
}
