//! Jobs on their way through Redis, and without it.

use std::time::{Duration, Instant};

use passerelle_jobs::{Change, Workers};
use passerelle_store::Store;
use passerelle_testkit::PrivateRedis;

use crate::receiver::Receiver;
use crate::{PATIENCE, Stage, hook, job, rows, store};

/// As much time as Redis has in production.
const SOON: Duration = Duration::from_millis(250);
const NONE_LEFT: &str = "select count(*) from passerelle.jobs";

/// Whether an entry has ever been added to the stream.
fn has_carried(redis: &PrivateRedis) -> bool {
    let key = redis.ask(&["keys", "*stream*"]);
    let facts = redis.ask(&["xinfo", "stream", &key]);
    let mut lines = facts.lines().map(str::trim);
    lines.any(|line| line == "last-generated-id") && lines.next() != Some("0-0")
}

#[tokio::test]
async fn jobs_are_done_without_redis_and_through_it_when_it_comes() {
    let mut redis = PrivateRedis::start(&[]).await;
    let jobs = vec![job("note", rows(&[Change::Insert]))];
    let mut stage = Stage::new(&jobs).await;
    stage.store = store(&redis.url(), "late", SOON);
    redis.kill().await;
    let workers = stage.workers(&jobs, 2);
    let many = "insert into orders select n, n, 100 + n from generate_series(1, 100) n";
    stage.db.run(many).await;
    stage.until("select count(*) from effects", 100).await;
    stage.until(NONE_LEFT, 0).await;
    redis.restart().await;
    let end = Instant::now() + PATIENCE;
    let mut order = 1000;
    while !has_carried(&redis) {
        assert!(Instant::now() < end, "Redis carries nothing");
        stage
            .db
            .run(&format!("insert into orders values ({order}, 1, 1)"))
            .await;
        order += 1;
        stage.until(NONE_LEFT, 0).await;
    }
    // And without it again.
    redis.kill().await;
    let more = "insert into orders select n, n, 100 + n from generate_series(101, 200) n";
    stage.db.run(more).await;
    stage.until(NONE_LEFT, 0).await;
    let distinct = "select count(distinct job_id) - count(*) from effects";
    assert_eq!(stage.number(distinct).await, 0);
    assert_eq!(workers.counts().failed, 0);
}

#[tokio::test]
async fn jobs_are_done_in_a_process_without_redis() {
    let jobs = vec![job("note", rows(&[Change::Insert]))];
    let mut stage = Stage::new(&jobs).await;
    stage.store = Store::memory();
    let one = stage.workers(&jobs, 1);
    let other = stage.workers(&jobs, 2);
    let many = "insert into orders select n, n, 100 + n from generate_series(1, 300) n";
    stage.db.run(many).await;
    stage.until(NONE_LEFT, 0).await;
    assert_eq!(stage.number("select count(*) from effects").await, 300);
    let end = Instant::now() + PATIENCE;
    while one.counts().done + other.counts().done < 300 {
        assert!(Instant::now() < end, "not all are counted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The workers of one gateway, one job that it is at, and others that wait in the stream.
async fn one_at_work(redis: &PrivateRedis, receiver: &Receiver) -> (Stage, Workers) {
    receiver.hold();
    let jobs = vec![hook(&receiver.url)];
    let mut stage = Stage::new(&jobs).await;
    stage.store = store(&redis.url(), "waiting", SOON);
    let workers = stage.workers(&jobs, 1);
    stage.db.run("insert into orders values (0, 0, 0)").await;
    receiver.until(1).await;
    let many = "insert into orders select n, n, n from generate_series(1, 3) n";
    stage.db.run(many).await;
    stage
        .until("select count(*) from passerelle.job_claims", 4)
        .await;
    (stage, workers)
}

#[tokio::test]
async fn what_waited_in_a_redis_that_was_emptied_is_handed_out_again() {
    let redis = PrivateRedis::start(&[]).await;
    let receiver = Receiver::start().await;
    let (stage, _workers) = one_at_work(&redis, &receiver).await;
    assert_eq!(redis.ask(&["flushall"]), "OK");
    receiver.open();
    stage.until(NONE_LEFT, 0).await;
    // Nobody died.
    let times = receiver.times();
    assert_eq!((times.len(), times.values().sum::<usize>()), (4, 4));
}

#[tokio::test]
async fn an_entry_whose_claim_is_void_does_nothing() {
    let redis = PrivateRedis::start(&[]).await;
    let receiver = Receiver::start().await;
    let (stage, workers) = one_at_work(&redis, &receiver).await;
    // All that wait are claimed anew while their entries are in the stream.
    let claims = "select hashtext(string_agg(claim::text, ' ' order by job_id))::bigint from passerelle.job_claims
        where not is_begun";
    let before = stage.number(claims).await;
    let expire = "update passerelle.job_claims set claimed_until = now() where not is_begun";
    stage.db.run(expire).await;
    let end = Instant::now() + PATIENCE;
    let anew =
        "select count(*) from passerelle.job_claims where not is_begun and claimed_until > now()";
    while stage.number(claims).await == before || stage.number(anew).await < 3 {
        assert!(Instant::now() < end, "they are not claimed anew");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    receiver.open();
    stage.until(NONE_LEFT, 0).await;
    let times = receiver.times();
    assert_eq!((times.len(), times.values().sum::<usize>()), (4, 4));
    assert_eq!(workers.counts().failed, 0);
}

#[tokio::test]
async fn workers_of_two_gateways_share_what_either_has_claimed() {
    let redis = PrivateRedis::start(&[]).await;
    let receiver = Receiver::start().await;
    let (stage, busy) = one_at_work(&redis, &receiver).await;
    // What waits was handed over by a gateway whose worker is busy.
    let mut jobs = vec![hook(&receiver.url)];
    jobs[0].backoff = Duration::from_secs(1);
    let free = stage.workers(&jobs, 3);
    receiver.until(4).await;
    receiver.open();
    stage.until(NONE_LEFT, 0).await;
    let end = Instant::now() + PATIENCE;
    while (busy.counts().done, free.counts().done) != (1, 3) {
        assert!(Instant::now() < end, "{:?}", (busy.counts(), free.counts()));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(receiver.times().values().sum::<usize>(), 4);
}

#[tokio::test]
async fn a_worker_that_lost_its_job_to_another_does_not_end_it() {
    let redis = PrivateRedis::start(&[]).await;
    let receiver = Receiver::start().await;
    receiver.hold();
    let jobs = vec![hook(&receiver.url)];
    let mut stage = Stage::new(&jobs).await;
    stage.store = store(&redis.url(), "lost", SOON);
    let late = stage.workers(&jobs, 1);
    stage.db.run("insert into orders values (1, 1, 1)").await;
    receiver.until(1).await;
    // As after a lease in which it stood still.
    let lost = "update passerelle.job_claims set claim = gen_random_uuid(), claimed_until = now()";
    stage.db.run(lost).await;
    let next = stage.workers(&jobs, 1);
    receiver.until(2).await;
    receiver.open();
    stage.until(NONE_LEFT, 0).await;
    let end = Instant::now() + PATIENCE;
    while next.counts().done == 0 {
        assert!(Instant::now() < end, "it is not done");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((late.counts().done, next.counts().done), (0, 1));
    assert_eq!(receiver.times().len(), 1);
}
