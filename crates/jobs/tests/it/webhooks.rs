//! Webhooks: signed, sent until they are taken, and nothing of the database waits for the answer.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::receiver::{Receiver, read};
use crate::{PATIENCE, Stage, hook};

/// Answers 500 once and 200 from then on; what was sent.
async fn reluctant(listener: TcpListener) -> Vec<HashMap<String, String>> {
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read(&mut stream).await.unwrap();
        let status = if heard.is_empty() { "500 No" } else { "200 OK" };
        let answer =
            format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
        stream.write_all(answer.as_bytes()).await.unwrap();
        heard.push(request);
    }
    heard
}

#[tokio::test]
async fn webhooks_are_signed_and_sent_until_they_are_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let jobs = vec![hook(&format!(
        "http://{}/hook",
        listener.local_addr().unwrap()
    ))];
    let stage = Stage::new(&jobs).await;
    let heard = tokio::spawn(reluctant(listener));
    let _workers = stage.workers(&jobs, 1);
    stage.db.run("insert into orders values (1, 2, 3)").await;
    let heard = tokio::time::timeout(PATIENCE, heard)
        .await
        .unwrap()
        .unwrap();
    stage.until("select count(*) from passerelle.jobs", 0).await;
    assert_eq!(heard[0]["webhook-id"], heard[1]["webhook-id"]);
    assert!(heard[0]["webhook-id"].starts_with("hook:"));
    assert!(heard[1]["webhook-signature"].starts_with("v1,"));
    assert!(heard[1]["webhook-timestamp"].parse::<i64>().is_ok());
    let body = &heard[1]["body"];
    assert!(
        body.contains("\"INSERT\"") && body.contains("\"amount\": 3"),
        "{body}"
    );
}

#[tokio::test]
async fn no_transaction_is_open_while_one_is_sent() {
    let receiver = Receiver::start().await;
    receiver.hold();
    let jobs = vec![hook(&receiver.url)];
    let stage = Stage::new(&jobs).await;
    let _workers = stage.workers(&jobs, 2);
    stage
        .db
        .run("insert into orders values (1, 1, 1), (2, 2, 2)")
        .await;
    receiver.until(2).await;
    let idle = "select count(*) from pg_stat_activity where datname = current_database() and usename = 'authenticator'
        and state like 'idle in transaction%'";
    for _ in 0..50 {
        assert_eq!(stage.number(idle).await, 0);
    }
    // The row is nobody's, so that it can be looked at and even dropped.
    let free = "select count(*) from (select from passerelle.jobs for update skip locked) j";
    assert_eq!(stage.number(free).await, 2);
    receiver.open();
    stage.until("select count(*) from passerelle.jobs", 0).await;
    assert_eq!(receiver.times().values().sum::<usize>(), 2);
}

/// The lease is renewed for as long as the answer is waited for.
#[tokio::test]
async fn one_that_takes_long_is_sent_once() {
    let receiver = Receiver::start().await;
    receiver.hold();
    let mut jobs = vec![hook(&receiver.url)];
    jobs[0].timeout = PATIENCE;
    let stage = Stage::new(&jobs).await;
    let workers = stage.workers(&jobs, 1);
    stage.db.run("insert into orders values (1, 1, 1)").await;
    receiver.until(1).await;
    let until = "select extract(epoch from claimed_until)::bigint from passerelle.job_claims";
    let first = stage.number(until).await;
    let end = Instant::now() + PATIENCE;
    while stage.number(until).await == first {
        assert!(Instant::now() < end, "the lease is not renewed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    receiver.open();
    stage.until("select count(*) from passerelle.jobs", 0).await;
    assert_eq!(receiver.times().values().sum::<usize>(), 1);
    let end = Instant::now() + PATIENCE;
    while workers.counts().done == 0 {
        assert!(Instant::now() < end, "the end is not counted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn no_more_are_sent_at_a_time_than_all_gateways_may() {
    let receiver = Receiver::start().await;
    receiver.hold();
    let mut jobs = vec![hook(&receiver.url)];
    jobs[0].concurrency = 3;
    let stage = Stage::new(&jobs).await;
    let many = "insert into orders select n, n, n from generate_series(1, 40) n";
    stage.db.run(many).await;
    let _one = stage.workers(&jobs, 4);
    let _other = stage.workers(&jobs, 4);
    receiver.until(3).await;
    receiver.open();
    stage.until("select count(*) from passerelle.jobs", 0).await;
    assert_eq!(receiver.most_at_once(), 3);
    assert_eq!(receiver.times().len(), 40);
}
