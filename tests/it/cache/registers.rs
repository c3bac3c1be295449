//! Many write and read at the same time: who has the answer to a write never reads what was before.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use passerelle_testkit::{PrivateRedis, TestClient, TestSentinel};
use serde_json::json;

use super::stage::{Asked, Stage, User};
use super::world::{Dice, number};

const REGISTERS: usize = 8;
const READERS: u64 = 6;
const ALL: &str = "/rest/v1/registers?select=id,value&order=id";

/// The values of which a writer has had an answer.
#[derive(Default)]
struct Acknowledged([Cell<i64>; REGISTERS]);

impl Acknowledged {
    fn now(&self) -> [i64; REGISTERS] {
        std::array::from_fn(|register| self.0[register].get())
    }
}

/// Writes one register until the end, by turns in all ways there are.
async fn writer(
    gateways: &[Rc<Asked>],
    register: usize,
    acknowledged: &Acknowledged,
    end: Instant,
) -> i64 {
    let mut dice = Dice::new(register as u64);
    let mut value = 0;
    let id = register + 1;
    while Instant::now() < end {
        value += 1;
        let gateway = dice.of(gateways);
        let (method, path, body) = match dice.roll(3) {
            0 => {
                let path = format!("/rest/v1/registers?id=eq.{id}");
                ("PATCH", path, json!({ "value": value }))
            }
            1 => {
                // A trigger writes it at the end of the transaction.
                let body = json!({ "register": id, "value": value });
                ("POST", "/rest/v1/journal".to_owned(), body)
            }
            _ => {
                let path = format!("/registers?id=eq.{id}");
                let body = json!([
                    { "method": "GET", "path": path },
                    { "method": "PATCH", "path": path, "body": { "value": value } },
                ]);
                ("POST", "/rest/v1/batch".to_owned(), body)
            }
        };
        let name = method.parse().expect("a method");
        let sent = gateway
            .exchange(name, &path, User::Service, &[], Some(&body))
            .await;
        // Where the gateway is gone or the database was, nothing is known.
        if let Ok(reply) = sent {
            let is_done = (200..300).contains(&reply.status);
            assert!(is_done || reply.status >= 500, "{path}: {reply:?}");
            if is_done {
                acknowledged.0[register].set(value);
            }
        }
        if dice.roll(2) == 0 {
            tokio::time::sleep(Duration::from_millis(dice.roll(120))).await;
        }
    }
    value
}

/// Reads until the end; how often, and how often it was handed what was kept.
async fn reader(
    gateways: &[Rc<Asked>],
    number: u64,
    acknowledged: &Acknowledged,
    end: Instant,
) -> (u32, u32) {
    let mut dice = Dice::new(1000 + number);
    let (mut reads, mut hits) = (0, 0);
    while Instant::now() < end {
        let least = acknowledged.now();
        let user = if number.is_multiple_of(2) {
            User::Anyone
        } else {
            User::Named(1)
        };
        let gateway = dice.of(gateways);
        let asked = gateway.exchange("GET".parse().expect("a method"), ALL, user, &[], None);
        let Ok(reply) = asked.await else { continue };
        if reply.status != 200 {
            assert!(reply.status >= 500, "{reply:?}");
            continue;
        }
        reads += 1;
        hits += u32::from(reply.cache() == "hit");
        let rows = reply.json();
        for (register, least) in least.iter().enumerate() {
            let value = rows[register]["value"].as_i64().expect("a value");
            assert!(
                value >= *least,
                "register {register} was {least} for sure, and {value} was read: {reply:?}"
            );
        }
        if dice.roll(3) == 0 {
            tokio::time::sleep(Duration::from_millis(dice.roll(8))).await;
        }
    }
    (reads, hits)
}

async fn run(gateways: &[Rc<Asked>], seconds: u64, fault: impl Future<Output = ()>) {
    let seconds = number("REGISTERS_SECONDS").unwrap_or(seconds);
    let end = Instant::now() + Duration::from_secs(seconds);
    let acknowledged = Acknowledged::default();
    let writing = (0..REGISTERS).map(|one| writer(gateways, one, &acknowledged, end));
    let reading = (0..READERS).map(|one| reader(gateways, one, &acknowledged, end));
    let work = async { tokio::join!(join_all(writing), join_all(reading)) };
    let (written, read) = tokio::select! {
        done = work => done,
        () = fault => unreachable!("faults go on"),
    };
    let writes: i64 = written.iter().sum();
    let (reads, hits) = read
        .iter()
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!("{writes} writes, {reads} reads, {hits} of them of kept replies");
    assert!(writes > 10 && reads > 20, "{writes} writes, {reads} reads");
}

async fn two(stage: &Stage) -> Vec<Rc<Asked>> {
    let settings = [("PASSERELLE_DATABASE_EXTENSIONS", "batch")];
    let (one, other) = (
        stage.gateway(&settings).await,
        stage.gateway(&settings).await,
    );
    vec![Rc::new(one), Rc::new(other)]
}

#[actix_web::test]
async fn nobody_reads_what_was_before_an_answer() {
    let stage = Stage::new().await;
    let gateways = two(&stage).await;
    run(&gateways, 4, std::future::pending()).await;
}

/// Cuts the feeds of all gateways.
async fn cut(client: &TestClient) {
    let cut = "select pg_terminate_backend(active_pid) from pg_replication_slots
        where database = current_database() and active_pid is not null";
    client.execute(cut, &[]).await.expect("feeds are cut");
}

#[actix_web::test]
async fn nor_while_feeds_are_cut() {
    let stage = Stage::new().await;
    let gateways = two(&stage).await;
    let client = stage.db.client().await;
    let fault = async {
        loop {
            tokio::time::sleep(Duration::from_millis(700)).await;
            cut(&client).await;
        }
    };
    run(&gateways, 6, fault).await;
}

/// A process that is stopped keeps its connections and answers nobody; one that goes on does not
/// know how long it was away.
#[actix_web::test]
async fn nor_while_a_gateway_is_stopped_and_goes_on() {
    let stage = Stage::new().await;
    let gateways = two(&stage).await;
    let stopped = Rc::clone(&gateways[1]);
    let fault = async {
        loop {
            tokio::time::sleep(Duration::from_millis(400)).await;
            stopped.gateway.signal("STOP");
            tokio::time::sleep(Duration::from_millis(1500)).await;
            stopped.gateway.signal("CONT");
        }
    };
    run(&gateways, 6, fault).await;
}

#[actix_web::test]
async fn nor_while_a_gateway_is_killed() {
    let stage = Stage::new().await;
    let gateways = two(&stage).await;
    let third = stage.gateway(&[]).await;
    let fault = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        third.gateway.signal("KILL");
        std::future::pending::<()>().await;
    };
    run(&gateways, 5, fault).await;
}

#[actix_web::test]
async fn nor_while_redis_is_emptied_paused_and_killed() {
    let mut redis = PrivateRedis::start(&[]).await;
    let stage = Stage::with_redis(&redis.url()).await;
    let gateways = two(&stage).await;
    let fault = async {
        loop {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                redis.ask(&["FLUSHALL"]);
            }
            redis.pause();
            tokio::time::sleep(Duration::from_millis(500)).await;
            redis.resume();
            redis.kill().await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            redis.restart().await;
        }
    };
    run(&gateways, 7, fault).await;
}

#[actix_web::test]
async fn nor_while_redis_fails_over() {
    let mut servers = TestSentinel::start().await;
    let stage = Stage::with_redis(&servers.url()).await;
    let gateways = two(&stage).await;
    let fault = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        servers.master.kill().await;
        std::future::pending::<()>().await;
    };
    run(&gateways, 6, fault).await;
}
