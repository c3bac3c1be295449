//! The rights of Hub-Lib, tried one by one through the binary: everything that `e2e::rules` names, as everybody, in each state.

mod administrators;
mod definitions;
mod plans;
mod removal;
mod unfiltered;
mod upgrade;
mod world;

use std::collections::BTreeSet;
use std::time::Duration;

use awc::Client;
use awc::http::Method;
use awc::http::header::{AUTHORIZATION, CONTENT_TYPE};
use e2e::{Actor, Operation, Outcome, Query, Rule, rules};
use futures_util::StreamExt;
use futures_util::stream;
use passerelle_testkit::{TestClient, TestDb};
use serde_json::{Value, json};

use self::world::{CASES, Case, image, probe, sql};
use crate::callers::token;
use crate::gateway::{Gateway, SECRET};

const PATIENCE: Duration = Duration::from_mins(1);
const AT_ONCE: usize = 16;

/// What came of an attempt.
struct Answer {
    status: u16,
    text: String,
    body: Value,
}

#[actix_web::test]
async fn everybody_may_do_what_the_rules_say_and_nothing_else() {
    let cases = cases();
    let db = TestDb::hub_lib().await;
    let admin = db.client().await;
    make(&db, &admin, &cases).await;
    let gateway = Gateway::serve(&db, &[("PASSERELLE_RATE_LIMITS_ENABLED", "false")]).await;
    let client = Client::builder().timeout(PATIENCE).finish();
    let attempts = stream::iter(&cases).map(|case| attempt(&client, &gateway, case));
    let answers: Vec<Answer> = attempts.buffered(AT_ONCE).collect().await;
    let (done, changed) = aftermath(&admin, &cases).await;
    let wrong: Vec<String> = cases
        .iter()
        .zip(&answers)
        .filter_map(|(case, answer)| {
            let done = done.contains(&case.number) || seen(case, answer);
            complaint(case, answer, done, changed.contains(&case.number))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// Every rule as everybody in each of its states.
fn cases() -> Vec<Case> {
    let attempts = rules().into_iter().flat_map(|rule| {
        let states = rule.states.iter();
        states.flat_map(move |state| Actor::ALL.map(|actor| (rule, actor, *state)))
    });
    let cases = attempts
        .zip(1..)
        .map(|((rule, actor, state), number)| Case {
            number,
            rule,
            actor,
            state,
        });
    cases.collect()
}

/// Fills the database with the rows of all cases, and notes what they look like.
async fn make(db: &TestDb, admin: &TestClient, cases: &[Case]) {
    let rows: Vec<Value> = cases
        .iter()
        .map(|case| {
            json!({
                "n": case.number,
                "relation": case.rule.relation,
                "operation": format!("{:?}", case.rule.operation),
                "state": case.state.name(),
                "me": case.me(),
            })
        })
        .collect();
    db.run(CASES).await;
    let known = "insert into matrix.cases select * from json_populate_recordset(null::matrix.cases, $1::text::json)";
    let rows = Value::from(rows).to_string();
    admin.execute(known, &[&rows]).await.expect("cases");
    db.run(&sql(include_str!("policies/world.sql"))).await;
    for (first, last, rule) in runs(cases) {
        if let Some(image) = image(rule) {
            let note = format!(
                "update matrix.cases c set before = {image} where n between {first} and {last}"
            );
            admin.execute(&note, &[]).await.expect("the row before");
        }
    }
}

/// The cases that are done, and those whose row is not what it was.
async fn aftermath(admin: &TestClient, cases: &[Case]) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let (mut done, mut changed) = (BTreeSet::new(), BTreeSet::new());
    for (first, last, rule) in runs(cases) {
        let among = format!("from matrix.cases c where n between {first} and {last}");
        if let Some(probe) = probe(rule) {
            done.extend(numbers(admin, &format!("select n {among} and {probe}")).await);
        }
        if let Some(image) = image(rule) {
            let differs = format!("select n {among} and before is distinct from {image}");
            changed.extend(numbers(admin, &differs).await);
        }
    }
    (done, changed)
}

async fn numbers(admin: &TestClient, sql: &str) -> Vec<usize> {
    let rows = admin.query(sql, &[]).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let numbers = rows.iter().map(|row| row.get::<_, i32>(0));
    numbers
        .map(|n| usize::try_from(n).expect("a number"))
        .collect()
}

/// First and last number of the cases of each rule.
fn runs(cases: &[Case]) -> impl Iterator<Item = (usize, usize, &Rule)> {
    let runs = cases.chunk_by(|one, next| {
        let same = |this: &Case| (this.rule.relation, this.rule.operation, this.rule.what);
        same(one) == same(next)
    });
    runs.filter_map(|run| Some((run.first()?.number, run.last()?.number, &run.first()?.rule)))
}

async fn attempt(client: &Client, gateway: &Gateway, case: &Case) -> Answer {
    let rule = &case.rule;
    let function = rule.operation == Operation::Call;
    let mut url = format!(
        "{}{}/{}{}",
        gateway.url,
        gateway.prefix,
        if function { "rpc/" } else { "" },
        rule.relation
    );
    let method = match rule.operation {
        Operation::Read => Method::GET,
        Operation::Add | Operation::Merge | Operation::Call => Method::POST,
        Operation::Change => Method::PATCH,
        Operation::Remove => Method::DELETE,
    };
    if let Some(query) = query(case) {
        url.push('?');
        url.push_str(&query.replace(' ', "%20"));
    }
    let mut request = client.request(method, url);
    if case.actor != Actor::Anon {
        let email = case.fill(if rule.first_sign_in {
            "newcomer-{n}@hidden.example"
        } else {
            "me-{n}@hidden.example"
        });
        let mut claims = json!({ "role": "authenticated", "email": email });
        if case.actor.person().is_some() {
            claims["sub"] = case.me().into();
        }
        request =
            request.insert_header((AUTHORIZATION, format!("Bearer {}", token(SECRET, claims))));
    }
    let body = match rule.operation {
        Operation::Read | Operation::Remove => String::new(),
        Operation::Add => case.fill(&format!(r#"{{"id": "{{new}}", {}}}"#, rule.fields)),
        Operation::Merge | Operation::Change | Operation::Call => {
            case.fill(&format!("{{{}}}", rule.fields))
        }
    };
    if rule.operation == Operation::Merge {
        request = request.insert_header(("Prefer", "resolution=merge-duplicates"));
    }
    let request = request.insert_header((CONTENT_TYPE, "application/json"));
    let mut response = request.send_body(body).await.expect("an answer");
    let text = response.body().await.expect("a body");
    let text = String::from_utf8_lossy(&text).into_owned();
    Answer {
        status: response.status().as_u16(),
        body: serde_json::from_str(&text).unwrap_or_default(),
        text,
    }
}

fn query(case: &Case) -> Option<String> {
    match (case.rule.operation, case.rule.query) {
        (Operation::Add | Operation::Call, _) => None,
        (Operation::Merge, Query::Rows(rows)) => {
            let columns: Vec<_> = rows.iter().map(|(column, _)| *column).collect();
            Some(format!("on_conflict={}", columns.join(",")))
        }
        (Operation::Change, _) if case.rule.unfiltered => None,
        (_, Query::Text(query)) => Some(case.fill(query)),
        (_, Query::Rows(rows)) => {
            let filters = rows
                .iter()
                .map(|(column, thing)| case.fill(&format!("{column}=eq.{{{thing}}}")));
            Some(filters.collect::<Vec<_>>().join("&"))
        }
    }
}

/// Whether an answer shows what was asked for.
fn seen(case: &Case, answer: &Answer) -> bool {
    let asks = case.rule.operation == Operation::Read || probe(&case.rule).is_none();
    asks && answer.status == 200
        && match &answer.body {
            Value::Array(rows) => rows.len() == 1,
            Value::Null => false,
            Value::Bool(said) => *said,
            _ => true,
        }
}

/// What is wrong with what came of a case.
fn complaint(case: &Case, answer: &Answer, done: bool, changed: bool) -> Option<String> {
    let expected = case.rule.outcome(case.actor, case.state);
    let success: &[u16] = match case.rule.operation {
        Operation::Read => &[200],
        Operation::Add => &[201],
        Operation::Merge => &[200, 201],
        Operation::Change | Operation::Remove => &[204],
        Operation::Call => &[200, 204],
    };
    let refusal = if case.actor == Actor::Anon { 401 } else { 403 };
    let right = match expected {
        Outcome::Done => success.contains(&answer.status) && done,
        Outcome::Nothing => success.contains(&answer.status) && !done && !changed,
        Outcome::Refused => {
            answer.status == refusal && answer.body["code"] == "42501" && !done && !changed
        }
    };
    let addresses = case.rule.relation == "profile_addresses";
    let leaks = !addresses && answer.text.contains("@hidden.example");
    (!right || leaks).then(|| {
        format!(
            "{:?} {} ({}) as {:?} in {:?}: expected {expected:?}, got {} {}, done {done}, changed {changed}, leaks {leaks}",
            case.rule.operation, case.rule.relation, case.rule.what, case.actor, case.state, answer.status, answer.text
        )
    })
}
