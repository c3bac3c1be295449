//! Jobs against a real PostgreSQL and a real Redis, and webhooks against a real server.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod claims;
mod deaths;
mod hand_over;
mod receiver;
mod webhooks;

use std::time::{Duration, Instant};

use passerelle_catalog::QualifiedName;
use passerelle_jobs::{
    Cause, Change, JobSpec, Work, Workers, drop_dead, install, letters, queues, retry,
};
use passerelle_pg::ControlEndpoint;
use passerelle_store::{RedisSettings, Store};
use passerelle_testkit::{TestDb, TestRedis};

const PATIENCE: Duration = Duration::from_mins(1);

const TABLES: &str = "
    create table orders (id int primary key, customer int not null, amount int not null);
    create table effects (job_id text, customer int, amount int, who text, at bigint generated always as identity);
    create function note(payload jsonb) returns void language plpgsql as $$
    begin
      if (payload -> 'record' ->> 'amount')::int = 13 then
        insert into effects values ('undone', 0, 0, '');
        raise exception 'unlucky';
      end if;
      insert into effects values (current_setting('passerelle.job_id'), (payload -> 'record' ->> 'customer')::int,
        (payload -> 'record' ->> 'amount')::int, current_user);
    end $$;
    create function tick(payload jsonb) returns void language sql begin atomic
      insert into effects values (payload ->> 'type', 0, 0, current_user);
    end;
    grant insert on effects to service_role;
";

fn rows(change: &[Change]) -> Cause {
    Cause::Rows {
        table: QualifiedName::new("public", "orders"),
        changes: change.to_vec(),
        condition: None,
        key: None,
        delay: Duration::ZERO,
    }
}

fn job(name: &str, cause: Cause) -> JobSpec {
    JobSpec {
        name: name.to_owned(),
        cause,
        work: Work::Function {
            name: QualifiedName::new("public", "note"),
            role: "service_role".to_owned(),
        },
        attempts: 3,
        backoff: Duration::from_millis(1),
        timeout: Duration::from_secs(20),
        concurrency: 4,
    }
}

/// A job that sends a webhook.
fn hook(url: &str) -> JobSpec {
    let mut hook = job("hook", rows(&[Change::Insert]));
    hook.work = Work::Webhook {
        url: url.to_owned(),
        secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap(),
    };
    hook
}

/// A store in a Redis; with time to spare, or with as much as production has.
fn store(url: &str, prefix: &str, timeout: Duration) -> Store {
    let settings = RedisSettings {
        url: url.to_owned(),
        authorities: None,
        key_prefix: format!("{prefix}:"),
        timeout,
    };
    Store::redis(&settings).unwrap()
}

struct Stage {
    db: TestDb,
    endpoint: ControlEndpoint,
    /// The Redis of all tests, or memory where there is none.
    store: Store,
}

impl Stage {
    async fn new(jobs: &[JobSpec]) -> Self {
        let db = TestDb::platform().await;
        db.run(TABLES).await;
        let owner = ControlEndpoint::parse(&db.url()).unwrap();
        install(&mut owner.connect().await.unwrap(), jobs)
            .await
            .unwrap();
        let endpoint = ControlEndpoint::parse(&db.authenticator_url()).unwrap();
        let store = match TestRedis::shared().await {
            Some(redis) => store(redis.url(), db.name(), Duration::from_secs(20)),
            None => Store::memory(),
        };
        Self {
            db,
            endpoint,
            store,
        }
    }

    fn workers(&self, jobs: &[JobSpec], workers: usize) -> Workers {
        Workers::start(&self.endpoint, &self.store, jobs.to_vec(), workers)
    }

    async fn number(&self, sql: &str) -> i64 {
        let client = self.db.client().await;
        client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Waits until a query answers with a number.
    async fn until(&self, sql: &str, wanted: i64) {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self.number(sql).await;
            if found == wanted {
                return;
            }
            assert!(Instant::now() < end, "{sql}: {found} instead of {wanted}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn what_follows_a_change_is_done_once() {
    let mut jobs = vec![job("note", rows(&[Change::Insert, Change::Update]))];
    if let Cause::Rows { condition, .. } = &mut jobs[0].cause {
        *condition = Some("new.amount > 0".to_owned());
    }
    let stage = Stage::new(&jobs).await;
    let workers = stage.workers(&jobs, 3);
    let many = "insert into orders select n, n % 5, n from generate_series(0, 12) n";
    stage.db.run(many).await;
    stage
        .db
        .run("begin; insert into orders values (99, 1, 1); rollback")
        .await;
    stage.until("select count(*) from effects", 12).await;
    stage.until("select count(*) from passerelle.jobs", 0).await;
    assert_eq!(workers.counts().done, 12);
    let distinct = "select count(distinct job_id) from effects where who = 'service_role'";
    assert_eq!(stage.number(distinct).await, 12);
    stage
        .db
        .run("update orders set amount = 7 where id = 0")
        .await;
    stage.until("select count(*) from effects", 13).await;
    // A job that is not configured any more leaves no trigger behind.
    let owner = ControlEndpoint::parse(&stage.db.url()).unwrap();
    let mut client = owner.connect().await.unwrap();
    install(&mut client, &[]).await.unwrap();
    let triggers = "select count(*) from pg_trigger where tgname like 'passerelle_job%'";
    assert_eq!(stage.number(triggers).await, 0);
}

#[tokio::test]
async fn what_fails_is_tried_again_and_then_dead() {
    let jobs = vec![job("note", rows(&[Change::Insert]))];
    let stage = Stage::new(&jobs).await;
    let workers = stage.workers(&jobs, 2);
    stage
        .db
        .run("insert into orders values (1, 1, 13), (2, 2, 2)")
        .await;
    let dead = "select count(*) from passerelle.jobs where is_dead";
    stage.until(dead, 1).await;
    stage.until("select count(*) from effects", 1).await;
    let client = stage.db.client().await;
    let letter = &letters(&client).await.unwrap()[0];
    assert_eq!((letter.job.as_str(), letter.attempts), ("note", 3));
    assert!(letter.error.as_deref().unwrap().contains("unlucky"));
    assert_eq!(queues(&client).await.unwrap()[0].dead, 1);
    let counts = workers.counts();
    assert_eq!((counts.failed, counts.dead), (3, 1));
    let end = Instant::now() + PATIENCE;
    while workers.queues().iter().all(|queue| queue.dead == 0) {
        assert!(Instant::now() < end, "it is never counted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Once its cause is mended it can be tried again.
    stage
        .db
        .run("update passerelle.jobs set payload = jsonb_set(payload, '{record,amount}', '5')")
        .await;
    assert_eq!(retry(&client, Some(letter.id)).await.unwrap(), 1);
    stage.until("select count(*) from effects", 2).await;
    stage.db.run("insert into orders values (3, 3, 13)").await;
    stage.until(dead, 1).await;
    assert_eq!(drop_dead(&client, None).await.unwrap(), 1);
    assert_eq!(
        stage.number("select count(*) from passerelle.jobs").await,
        0
    );
}

/// As of a constraint that is checked when the transaction ends.
#[tokio::test]
async fn what_fails_at_the_very_end_has_failed_too() {
    let jobs = vec![job("note", rows(&[Change::Insert]))];
    let stage = Stage::new(&jobs).await;
    let late = "alter table effects add unique (amount) deferrable initially deferred;
        insert into effects values ('earlier', 1, 1, ''); insert into orders values (1, 1, 1), (2, 2, 2)";
    stage.db.run(late).await;
    let workers = stage.workers(&jobs, 2);
    let dead =
        "select count(*) from passerelle.jobs where is_dead and last_error like '%duplicate key%'";
    stage.until(dead, 1).await;
    stage.until("select count(*) from passerelle.jobs", 1).await;
    assert_eq!(stage.number("select count(*) from effects").await, 2);
    let end = Instant::now() + PATIENCE;
    while (workers.counts().done, workers.counts().failed) != (1, 3) {
        assert!(Instant::now() < end, "{:?}", workers.counts());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn jobs_of_a_key_are_done_in_order() {
    let mut jobs = vec![job("note", rows(&[Change::Insert]))];
    if let Cause::Rows { key, .. } = &mut jobs[0].cause {
        *key = Some("customer".to_owned());
    }
    let stage = Stage::new(&jobs).await;
    let many = "insert into orders select n, n % 3, 100 + n from generate_series(1, 120) n";
    stage.db.run(many).await;
    let _workers = stage.workers(&jobs, 4);
    stage.until("select count(*) from effects", 120).await;
    let late = "select count(*) from (
        select amount < lag(amount) over (partition by customer order by at) as is_late from effects) e where is_late";
    assert_eq!(stage.number(late).await, 0);
}

#[tokio::test]
async fn moments_of_a_schedule_come_once_for_all_gateways() {
    let schedule = Cause::Schedule(
        "* * * * * *"
            .parse()
            .unwrap_or_else(|_| "* * * * *".parse().unwrap()),
    );
    let mut tick = job("tick", schedule);
    tick.work = Work::Function {
        name: QualifiedName::new("public", "tick"),
        role: "service_role".to_owned(),
    };
    let jobs = vec![tick];
    let stage = Stage::new(&jobs).await;
    let client = stage.endpoint.connect().await.unwrap();
    let record = "select passerelle.schedule_job('tick', '2026-01-01 00:00:00+00')";
    let mut recorded = Vec::new();
    for _ in 0..3 {
        recorded.push(
            client
                .query_one(record, &[])
                .await
                .unwrap()
                .get::<_, bool>(0),
        );
    }
    assert_eq!(recorded, [true, false, false]);
    let _workers = stage.workers(&jobs, 1);
    let done = "select count(*) from effects where job_id = 'SCHEDULE'";
    let end = Instant::now() + PATIENCE;
    while stage.number(done).await == 0 {
        assert!(Instant::now() < end, "the moment never comes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
