//! A DELETE without a filter reads nothing, so that only its own policy bounds it.

use e2e::{Actor, Operation, Outcome, State};
use passerelle_testkit::{TestClient, TestDb};
use serde_json::json;

use super::world::{Case, probe};
use super::{cases, make};

/// Where an administrator of the application would remove all of them, which a trigger refuses.
const KEPT: &[&str] = &["profiles", "user_roles"];

#[tokio::test]
async fn a_delete_of_everything_removes_what_one_may_remove() {
    let mut cases = cases();
    cases.retain(|case| {
        case.rule.operation == Operation::Remove
            && case.state == State::Public
            && !KEPT.contains(&case.rule.relation)
    });
    assert!(cases.len() > 150, "{} cases", cases.len());
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    make(&db, &client, &cases).await;
    let mut wrong = Vec::new();
    for case in &cases {
        let expected = case.rule.outcome(case.actor, case.state);
        let got = remove_all(&client, case).await;
        if got != expected {
            let relation = case.rule.relation;
            wrong.push(format!(
                "{relation} ({}) as {:?}: {got:?}, not {expected:?}",
                case.rule.what, case.actor
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a DELETE of all rows comes to for the row of the case; nothing of it stays.
async fn remove_all(client: &TestClient, case: &Case) -> Outcome {
    let (role, claims) = match case.actor {
        Actor::Anon => ("anon", json!({ "role": "anon" })),
        Actor::Unnamed => ("authenticated", json!({ "role": "authenticated" })),
        _ => (
            "authenticated",
            json!({ "role": "authenticated", "sub": case.me() }),
        ),
    };
    for step in ["begin", &format!("set local role {role}")] {
        client.execute(step, &[]).await.expect("a caller");
    }
    let set = "select set_config('request.jwt.claims', $1, true)";
    client
        .execute(set, &[&claims.to_string()])
        .await
        .expect("claims");
    let removed = client
        .execute(&format!("delete from {}", case.rule.relation), &[])
        .await;
    let outcome = match removed {
        Err(error) => {
            let code = error.code().map(|code| code.code().to_owned());
            assert_eq!(code.as_deref(), Some("42501"), "{case:?}");
            Outcome::Refused
        }
        Ok(_) if gone(client, case).await => Outcome::Done,
        Ok(_) => Outcome::Nothing,
    };
    client.execute("rollback", &[]).await.expect("the end");
    outcome
}

/// Whether the row of the case is gone, as the superuser sees it.
async fn gone(client: &TestClient, case: &Case) -> bool {
    client
        .execute("reset role", &[])
        .await
        .expect("the superuser");
    let probe = probe(&case.rule).expect("a removal can be seen");
    let gone = format!(
        "select exists (select from matrix.cases c where n = {} and {probe})",
        case.number
    );
    client
        .query_one(&gone, &[])
        .await
        .expect("an answer")
        .get(0)
}
