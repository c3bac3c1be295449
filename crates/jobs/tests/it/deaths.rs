//! Workers, their connections and Redis die at random: nothing is lost, and what is done twice is accounted for.

use std::time::{Duration, Instant};

use passerelle_jobs::{Change, JobSpec, Workers};
use passerelle_testkit::PrivateRedis;

use crate::receiver::Receiver;
use crate::{PATIENCE, Stage, hook, job, rows, store};

/// Workers of the set that dies.
const MORTALS: usize = 3;
/// Jobs are recorded in so many portions, so that some are new while others have been lost on the way.
const PORTIONS: i64 = 4;
/// Nobody who runs is silent for so long; whoever was may have lost what it was at.
const STALL: Duration = Duration::from_secs(5);

/// For longer runs.
fn number_of_jobs() -> Option<i64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests are configured as well"
    )]
    std::env::var("JOBS_COUNT").ok()?.parse().ok()
}

/// The same numbers each time (xorshift).
struct Dice {
    state: u64,
    /// The longest time between two deaths, in milliseconds.
    life: u64,
}

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % limit
    }
}

/// Who died.
#[derive(Debug, Default)]
struct Deaths {
    workers: usize,
    connections: i64,
    redis: usize,
}

/// Has jobs recorded, and everything die, until no job is left.
async fn through_deaths(
    stage: &Stage,
    redis: &mut PrivateRedis,
    jobs: &[JobSpec],
    count: i64,
) -> Deaths {
    let mut dice = Dice {
        state: 0x9e37_79b9_7f4a_7c15 ^ count.unsigned_abs(),
        life: if count > 5000 { 1500 } else { 100 },
    };
    let mut deaths = Deaths::default();
    let _steady = stage.workers(jobs, 2);
    let mut mortal = Some(stage.workers(jobs, MORTALS));
    let portion = (count + PORTIONS - 1) / PORTIONS;
    let mut recorded = 0;
    let end = Instant::now() + PATIENCE * u32::try_from(3 + count / 500).unwrap();
    loop {
        if recorded < count {
            let until = (recorded + portion).min(count);
            let more = format!(
                "insert into orders select n, n, 100 + n from generate_series({}, {until}) n",
                recorded + 1
            );
            stage.db.run(&more).await;
            recorded = until;
        } else if stage.number("select count(*) from passerelle.jobs").await == 0 {
            return deaths;
        }
        assert!(Instant::now() < end, "jobs are left: {deaths:?}");
        let planned = Duration::from_millis(20 + dice.below(dice.life));
        let since = Instant::now();
        tokio::time::sleep(planned).await;
        die(stage, redis, jobs, &mut mortal, &mut dice, &mut deaths).await;
        if since.elapsed() > planned + STALL {
            deaths.workers += MORTALS + 2;
        }
    }
}

/// One of them dies.
async fn die(
    stage: &Stage,
    redis: &mut PrivateRedis,
    jobs: &[JobSpec],
    mortal: &mut Option<Workers>,
    dice: &mut Dice,
    deaths: &mut Deaths,
) {
    match dice.below(8) {
        0..=2 => {
            drop(mortal.take());
            *mortal = Some(stage.workers(jobs, MORTALS));
            deaths.workers += MORTALS;
        }
        3 | 4 => {
            let which = ["state <> 'idle'", "true"][usize::from(dice.below(2) == 0)];
            let kill = format!(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = current_database() and usename = 'authenticator' and {which}"
            );
            deaths.connections += stage.number(&kill).await;
        }
        5 => {
            redis.ask(&["flushall"]);
            deaths.redis += 1;
        }
        6 => {
            redis.kill().await;
            tokio::time::sleep(Duration::from_millis(dice.below(dice.life * 6))).await;
            redis.restart().await;
            deaths.redis += 1;
        }
        _ => {
            redis.pause();
            tokio::time::sleep(Duration::from_millis(dice.below(dice.life * 5))).await;
            redis.resume();
        }
    }
}

async fn stage(jobs: &[JobSpec]) -> (Stage, PrivateRedis) {
    let redis = PrivateRedis::start(&[]).await;
    let mut stage = Stage::new(jobs).await;
    stage.store = store(&redis.url(), "deaths", Duration::from_millis(250));
    (stage, redis)
}

#[tokio::test]
async fn nothing_is_lost_and_nothing_done_twice_when_workers_and_redis_die() {
    let mut jobs = vec![job("note", rows(&[Change::Insert]))];
    // Those that died leave some unused until their claims run out.
    jobs[0].concurrency = 32;
    let (stage, mut redis) = stage(&jobs).await;
    let count = number_of_jobs().unwrap_or(2000);
    let since = Instant::now();
    let deaths = through_deaths(&stage, &mut redis, &jobs, count).await;
    println!("{count} functions in {:?}: {deaths:?}", since.elapsed());
    for effects in [
        "count(*)",
        "count(distinct job_id)",
        "count(distinct customer)",
    ] {
        let effects = format!("select {effects} from effects");
        assert_eq!(stage.number(&effects).await, count, "{effects}");
    }
    let claims = "select count(*) from passerelle.job_claims";
    assert_eq!(stage.number(claims).await, 0);
}

#[tokio::test]
async fn nothing_is_lost_and_webhooks_are_sent_again_only_for_the_dead() {
    let receiver = Receiver::start_slow(Duration::from_millis(10)).await;
    let mut jobs = vec![hook(&receiver.url)];
    jobs[0].concurrency = 32;
    let (stage, mut redis) = stage(&jobs).await;
    let count = number_of_jobs().map_or(1000, |count| count / 5);
    let since = Instant::now();
    let deaths = through_deaths(&stage, &mut redis, &jobs, count).await;
    let times = receiver.times();
    let again = times.values().sum::<usize>() - times.len();
    println!(
        "{count} webhooks in {:?}: {deaths:?}, {again} sent again",
        since.elapsed()
    );
    assert_eq!(i64::try_from(times.len()).unwrap(), count);
    assert!(
        again <= deaths.workers,
        "{again} were sent again: {deaths:?}"
    );
}
