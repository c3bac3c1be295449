//! What PostgreSQL makes of claims: one at a time is good, and a late one changes nothing.

use std::collections::BTreeSet;

use passerelle_jobs::Change;
use passerelle_pg::{ControlClient, ToSql};

use crate::{Stage, job, rows};

const EXPIRE: &str = "update passerelle.job_claims set claimed_until = now() - interval '1 second'";

/// Claims jobs: numbers and claims.
async fn claim(client: &ControlClient, slots: i32, most: i32) -> Vec<(i64, String)> {
    let claim = "select id, claim::text from passerelle.claim_jobs(array['note'], array[$1::int], 60, $2, true)";
    let rows = client.query(claim, &[&slots, &most]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// What a function answers that is asked with a claim; nothing if it has no row.
async fn ask(client: &ControlClient, call: &str, (id, claim): &(i64, String)) -> Option<bool> {
    let parameters: [&(dyn ToSql + Sync); 2] = [id, claim];
    let row = client.query_opt(call, &parameters).await.unwrap();
    row.and_then(|row| row.get(0))
}

const HOLD: &str = "select true from passerelle.hold_job($1, $2::text::uuid)";
const BEGIN: &str = "select true from passerelle.begin_job($1, $2::text::uuid, 60)";
const KEEP: &str = "select passerelle.keep_job($1, $2::text::uuid, 60)";
const FINISH: &str = "select passerelle.finish_job($1, $2::text::uuid)";
const FAIL: &str = "select passerelle.fail_job($1, $2::text::uuid, 'too late', 1, 0)";
const RELEASE: &str = "select passerelle.release_job($1, $2::text::uuid)";

async fn with_orders(sql: &str) -> (Stage, ControlClient) {
    let stage = Stage::new(&[job("note", rows(&[Change::Insert]))]).await;
    stage.db.run(sql).await;
    let client = stage.endpoint.connect().await.unwrap();
    (stage, client)
}

#[tokio::test]
async fn a_worker_that_wakes_up_late_changes_nothing() {
    let (stage, client) = with_orders("insert into orders values (1, 1, 1)").await;
    let first = claim(&client, 4, 10).await.remove(0);
    assert_eq!(ask(&client, BEGIN, &first).await, Some(true));
    assert_eq!(claim(&client, 4, 10).await, []);
    stage.db.run(EXPIRE).await;
    // Nobody else has it yet, and it can be kept.
    assert_eq!(ask(&client, KEEP, &first).await, Some(true));
    stage.db.run(EXPIRE).await;
    let second = claim(&client, 4, 10).await.remove(0);
    assert_eq!(second.0, first.0);
    assert_eq!(ask(&client, KEEP, &first).await, Some(false));
    assert_eq!(ask(&client, FINISH, &first).await, Some(false));
    assert_eq!(ask(&client, FAIL, &first).await, None);
    assert_eq!(ask(&client, RELEASE, &first).await, Some(false));
    assert_eq!(ask(&client, HOLD, &first).await, None);
    assert_eq!(ask(&client, BEGIN, &first).await, None);
    let untouched = "select count(*) from passerelle.jobs where attempts = 0 and not is_dead";
    assert_eq!(stage.number(untouched).await, 1);
    assert_eq!(ask(&client, BEGIN, &second).await, Some(true));
    // The same entry, come by twice.
    assert_eq!(ask(&client, BEGIN, &second).await, None);
    assert_eq!(ask(&client, HOLD, &second).await, None);
    assert_eq!(ask(&client, FINISH, &second).await, Some(true));
    assert_eq!(ask(&client, FINISH, &second).await, Some(false));
    let left = "select (select count(*) from passerelle.jobs) + (select count(*) from passerelle.job_claims)";
    assert_eq!(stage.number(left).await, 0);
}

#[tokio::test]
async fn a_job_that_a_function_is_at_is_not_claimed_though_its_time_is_over() {
    let many = "insert into orders select n, n, n from generate_series(1, 3) n";
    let (stage, client) = with_orders(many).await;
    let held = claim(&client, 2, 1).await.remove(0);
    let mut worker = stage.endpoint.connect().await.unwrap();
    let transaction = worker.transaction().await.unwrap();
    let row = transaction.query_opt(HOLD, &[&held.0, &held.1]).await;
    assert!(row.unwrap().is_some());
    assert_eq!(ask(&client, HOLD, &held).await, None);
    stage.db.run(EXPIRE).await;
    // Its slot is in use, too.
    let other = claim(&client, 2, 10).await;
    assert_eq!(other.len(), 1);
    assert_ne!(other[0].0, held.0);
    let finished = transaction.query_one(FINISH, &[&held.0, &held.1]).await;
    assert!(finished.unwrap().get::<_, bool>(0));
    transaction.commit().await.unwrap();
    assert_eq!(claim(&client, 2, 10).await.len(), 1);
}

#[tokio::test]
async fn gateways_that_claim_at_once_keep_to_the_slots_together() {
    let many = "insert into orders select n, n, n from generate_series(1, 500) n";
    let (stage, _) = with_orders(many).await;
    let claimers = (0..6).map(|_| {
        let endpoint = stage.endpoint.clone();
        tokio::spawn(async move {
            let client = endpoint.connect().await.unwrap();
            let mut claimed = Vec::new();
            for _ in 0..30 {
                claimed.extend(claim(&client, 7, 3).await);
            }
            claimed
        })
    });
    let mut all = Vec::new();
    for claimer in claimers.collect::<Vec<_>>() {
        all.extend(claimer.await.unwrap());
    }
    let distinct: BTreeSet<i64> = all.iter().map(|(id, _)| *id).collect();
    assert_eq!((all.len(), distinct.len()), (7, 7));
}

#[tokio::test]
async fn a_key_has_one_job_under_way_and_names_take_what_is_left() {
    let mut keyed = job("note", rows(&[Change::Insert]));
    if let passerelle_jobs::Cause::Rows { key, .. } = &mut keyed.cause {
        *key = Some("customer".to_owned());
    }
    let stage = Stage::new(&[keyed]).await;
    let many = "insert into orders select n, n % 2, n from generate_series(1, 6) n;
        insert into passerelle.jobs (job, payload) select 'other', '{}' from generate_series(1, 9)";
    stage.db.run(many).await;
    let client = stage.endpoint.connect().await.unwrap();
    let claim =
        "select job from passerelle.claim_jobs(array['note', 'other'], array[5, 3], 60, $1, false)";
    let mut jobs: Vec<String> = Vec::new();
    for most in [4, 4] {
        let rows = client.query(claim, &[&most]).await.unwrap();
        jobs.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    assert_eq!(jobs, ["note", "note", "other", "other", "other"]);
}

/// While an upgrade goes on.
#[tokio::test]
async fn gateways_of_an_earlier_version_leave_what_is_claimed() {
    let many = "insert into orders select n, n, n from generate_series(1, 4) n";
    let (stage, client) = with_orders(many).await;
    let mut earlier = stage.endpoint.connect().await.unwrap();
    let take = "select id from passerelle.take_job(array['note'], array[$1::int])";
    let claimed = claim(&client, 4, 2).await;
    let transaction = earlier.transaction().await.unwrap();
    let taken: i64 = transaction.query_one(take, &[&4]).await.unwrap().get(0);
    assert!(claimed.iter().all(|(id, _)| *id != taken));
    // And what it has is left to it.
    let more = claim(&client, 4, 10).await;
    assert_eq!(more.len(), 1);
    assert_ne!(more[0].0, taken);
    let finish = "select passerelle.finish_job($1)";
    transaction.query(finish, &[&taken]).await.unwrap();
    transaction.commit().await.unwrap();
    let transaction = earlier.transaction().await.unwrap();
    let none = transaction.query_opt(take, &[&3]).await.unwrap();
    assert!(none.is_none(), "claims use the slots");
    stage.db.run(EXPIRE).await;
    let taken = transaction.query_opt(take, &[&3]).await.unwrap();
    assert!(taken.is_some(), "what was abandoned is taken");
}
