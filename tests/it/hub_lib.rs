//! Hub-Lib's work that follows what people do: approvals by votes, notifications, the nightly removal of old ones.

use std::time::{Duration, Instant};

use awc::Client;
use awc::http::header::AUTHORIZATION;
use futures_util::future::join_all;
use passerelle_testkit::{TestClient, TestDb};
use serde_json::{Value, json};

use crate::callers::token;
use crate::gateway::{Gateway, SECRET, command};

const VOTERS: usize = 50;
const PATIENCE: Duration = Duration::from_mins(1);

/// A suggestion of the first person, people who vote, and something old that was read.
const STAGE: &str = "
    insert into profiles (id, user_id, email, username)
    select id, id, 'voter-' || n || '@example.org', 'voter-' || n
    from generate_series(1, 50) n, lateral (select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid as id) as ids;
    insert into category_tag_suggestions (id, name, type, suggested_by)
    values ('11111111-0000-4000-8000-000000000000', 'Votable', 'tag', '00000000-0000-4000-8000-000000000001');
    delete from notifications;
    insert into notifications (user_id, type, title, message, is_read, created_at)
    select '00000000-0000-4000-8000-000000000002', 'new_comment', 'old', 'old', read, now() - days * interval '1 day'
    from (values (true, 91), (true, 89), (false, 91)) as old(read, days);
";

fn voter(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

async fn number(client: &TestClient, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect("a number").get(0)
}

async fn post(client: &Client, gateway: &Gateway, path: &str, user: &str, body: Value) -> u16 {
    let claims = json!({ "role": "authenticated", "sub": user });
    let request = client.post(format!("{}/rest/v1/{path}", gateway.url));
    let bearer = format!("Bearer {}", token(SECRET, claims));
    let sent = request
        .insert_header((AUTHORIZATION, bearer))
        .send_json(&body);
    sent.await.expect("an answer").status().as_u16()
}

#[actix_web::test]
async fn fifty_votes_at_once_approve_once_and_tell_the_author() {
    let db = TestDb::hub_lib().await;
    db.run(STAGE).await;
    let gateway = Gateway::serve(&db, &[]).await;
    let client = Client::builder().timeout(PATIENCE).finish();
    let votes = (1..=VOTERS).map(|voter_number| {
        let user = voter(voter_number);
        let vote = json!({
            "suggestion_id": "11111111-0000-4000-8000-000000000000", "user_id": user, "vote_type": "upvote",
        });
        let (client, gateway) = (&client, &gateway);
        async move { post(client, gateway, "suggestion_votes", &user, vote).await }
    });
    let statuses = join_all(votes).await;
    assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
    let admin = db.client().await;
    let approved = "select count(*) from category_tag_suggestions
        where name = 'Votable' and status = 'approved' and votes_count = 50 and reviewed_at is not null";
    assert_eq!(number(&admin, approved).await, 1);
    let told = "select count(*) from notifications where type = 'suggestion_approved'";
    assert_eq!(number(&admin, told).await, 1);
    let right = "select count(*) from notifications
        where type = 'suggestion_approved' and user_id = '00000000-0000-4000-8000-000000000001'";
    assert_eq!(number(&admin, right).await, 1);
}

#[actix_web::test]
async fn notifications_reach_the_right_person_only() {
    let db = TestDb::hub_lib().await;
    db.run(STAGE).await;
    db.run(
        "delete from notifications;
        insert into resources (id, user_id, title, description, category, visibility, resource_type)
        select '22222222-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000001', 'R', 'R', category, 'public', resource_type
        from resources limit 1;
        insert into groups (id, name, owner_id)
        values ('33333333-0000-4000-8000-000000000000', 'G', '00000000-0000-4000-8000-000000000001');
        delete from notifications;",
    )
    .await;
    let gateway = Gateway::serve(&db, &[]).await;
    let client = Client::builder().timeout(PATIENCE).finish();
    let (owner, second, third) = (voter(1), voter(2), voter(3));
    let (resource, group) = (
        "22222222-0000-4000-8000-000000000000",
        "33333333-0000-4000-8000-000000000000",
    );
    for (path, user, body) in [
        // Somebody else's comment, and the owner's own.
        (
            "resource_comments",
            &second,
            json!({ "resource_id": resource, "user_id": second, "content": "c" }),
        ),
        (
            "resource_comments",
            &owner,
            json!({ "resource_id": resource, "user_id": owner, "content": "c" }),
        ),
        // Members of a group, of whom one sees what is shared with it.
        (
            "group_members",
            &owner,
            json!({ "group_id": group, "user_id": third, "role": "member" }),
        ),
        (
            "resource_shares",
            &owner,
            json!({ "resource_id": resource, "shared_with_user_id": second, "permission": "read" }),
        ),
        (
            "resource_shares",
            &owner,
            json!({ "resource_id": resource, "shared_with_group_id": group, "permission": "read" }),
        ),
    ] {
        let status = post(&client, &gateway, path, user, body).await;
        assert_eq!(status, 201, "{path}");
    }
    let admin = db.client().await;
    let rows = admin
        .query(
            "select right(user_id::text, 1), type from notifications order by 2, 1",
            &[],
        )
        .await
        .expect("notifications");
    let told: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(user, what)| (&**user, &**what)).collect();
    let expected = [
        ("3", "group_invitation"),
        ("1", "new_comment"),
        ("2", "resource_shared"),
        ("3", "resource_shared"),
    ];
    assert_eq!(told, expected);
}

#[actix_web::test]
async fn old_notifications_go_when_the_night_comes() {
    let db = TestDb::hub_lib().await;
    db.run(STAGE).await;
    let app = concat!(env!("CARGO_MANIFEST_DIR"), "/../sql/hub-lib/app.toml");
    command(&db.url(), &["migrate", "--config", app]).await;
    let settings = [("PASSERELLE_CACHE_ENABLED", "false")];
    let _gateway = Gateway::configured(&db, app.as_ref(), &settings).await;
    let admin = db.client().await;
    let night = "select passerelle.schedule_job('old-notifications', now())";
    admin.execute(night, &[]).await.expect("a job");
    let end = Instant::now() + PATIENCE;
    while number(&admin, "select count(*) from passerelle.jobs").await > 0 {
        assert!(Instant::now() < end, "the job is never done");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let left = "select count(*) from notifications where title = 'old'";
    assert_eq!(number(&admin, left).await, 2);
    let said = command(&db.url(), &["jobs", "list"]).await;
    assert!(said.contains("no jobs are waiting"), "{said}");
    let said = command(&db.url(), &["jobs", "dead", "--json"]).await;
    assert_eq!(said, "[]\n");
}
