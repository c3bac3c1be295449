//! At random, through two gateways and beside them: no reply differs from what the database would
//! answer now.

use std::time::{Duration, Instant};

use super::stage::{Asked, Reply, Stage, User};
use super::world::{Dice, QUESTIONS, USERS, number, write, write_beside};
use crate::gateway::Gateway;

/// Steps of a short run; `PROOF_STEPS` makes it longer.
const STEPS: u64 = 200;
/// What is written beside the gateways shows within 50 milliseconds on a machine that has nothing
/// else to do; after this it is never going to.
const BESIDE: Duration = Duration::from_secs(10);
/// What is asked after every step, so that it was kept after the one before: who sees what of it
/// depends on other tables.
const ALWAYS: [(&str, User); 4] = [
    (NOTES, User::Named(1)),
    (NOTES, User::Named(2)),
    (NOTES, User::Anyone),
    (SUMMARY, User::Named(1)),
];
const NOTES: &str = "/rest/v1/notes?select=id,team,body,hidden&order=id";
const SUMMARY: &str = "/rest/v1/summary?select=id,name,notes&order=id";
/// Shows the last row that was written beside the gateways.
const LAST: &str = "/rest/v1/sentinel?select=id&order=id.desc&limit=1";

/// What the same request answers without any cache.
async fn truth(oracle: &Asked, question: &str, user: User) -> Reply {
    let reply = oracle.get(question, user, &[]).await;
    assert!(reply.cache().is_empty(), "it has no cache");
    reply
}

fn same(one: &Reply, other: &Reply) -> bool {
    let told = |reply: &Reply| reply.header("content-range").map(str::to_owned);
    one.status == other.status && one.body == other.body && told(one) == told(other)
}

#[actix_web::test]
async fn no_reply_differs_from_the_database() {
    let steps = number("PROOF_STEPS").unwrap_or(STEPS);
    let seed = number("PROOF_SEED").unwrap_or(7);
    let stage = Stage::new().await;
    let gateways = [stage.gateway(&[]).await, stage.gateway(&[]).await];
    let off = [("PASSERELLE_RATE_LIMITS_ENABLED", "false")];
    let oracle = Asked::new(Gateway::serve(&stage.db, &off).await);
    let client = stage.db.client().await;
    // The servers of tests do not hurry to flush, and what is not flushed is not delivered.
    let flushed = client.execute("set synchronous_commit = on", &[]).await;
    flushed.expect("a setting");
    let mut dice = Dice::new(seed);
    let (mut hits, mut asked, mut shown) = (0, 0, Vec::new());

    for step in 0..steps {
        let what = if dice.roll(3) == 0 {
            // What is handed out has been kept since before, so that another answer means that
            // the gateway has heard.
            for gateway in &gateways {
                while gateway.get(LAST, User::Anyone, &[]).await.cache() != "hit" {}
            }
            let what = write_beside(&client, &mut dice).await;
            let mark = i32::try_from(step + 2).expect("a number of a row");
            let marking = "insert into sentinel values ($1)";
            client.execute(marking, &[&mark]).await.expect("a row");
            let expected = format!("[{{\"id\":{mark}}}]");
            let done = Instant::now();
            // Changes show in the order in which they were made.
            for gateway in &gateways {
                while gateway.get(LAST, User::Anyone, &[]).await.body != expected {
                    assert!(done.elapsed() < BESIDE, "{what} never shows");
                }
                shown.push(done.elapsed());
            }
            what
        } else {
            let gateway = dice.of(&gateways);
            write(gateway, &mut dice).await
        };
        let random = (0..3).map(|_| (*dice.of(&QUESTIONS), *dice.of(&USERS)));
        let random: Vec<(&str, User)> = random.collect();
        for (question, user) in random.into_iter().chain(ALWAYS) {
            let expected = truth(&oracle, question, user).await;
            for (index, gateway) in gateways.iter().enumerate() {
                let reply = gateway.get(question, user, &[]).await;
                asked += 1;
                hits += u32::from(reply.cache() == "hit");
                assert!(
                    same(&reply, &expected),
                    "seed {seed}, step {step}, after {what}: gateway {index} answers {question} of {user:?} \
                     with\n{reply:?}\nand not with\n{expected:?}"
                );
            }
        }
    }
    shown.sort();
    println!(
        "{asked} replies, {hits} of them kept ones; what was written beside showed after {:?}, {:?} at most",
        shown[shown.len() / 2],
        shown[shown.len() - 1]
    );
    assert!(
        hits > asked / 10,
        "the cache was part of it: {hits} of {asked}"
    );
}
