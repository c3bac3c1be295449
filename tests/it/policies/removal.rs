//! Who is removed takes along what is theirs, through all policies and triggers.

use awc::Client;
use awc::http::header::AUTHORIZATION;
use passerelle_testkit::{TestClient, TestDb};
use serde_json::json;

use crate::callers::token;
use crate::gateway::{Gateway, SECRET};

/// The ordinary person of the seed who has left most behind.
const BUSY: &str = "
    select p.user_id::text from profiles p join user_roles u on u.user_id = p.user_id and u.role = 'user'
    where exists (select from groups g where g.owner_id = p.user_id)
      and exists (select from resources r where r.user_id = p.user_id)
      and exists (select from resource_ratings r where r.user_id = p.user_id)
      and exists (select from resource_comments c where c.user_id = p.user_id)
      and exists (select from suggestion_votes v where v.user_id = p.user_id)
    order by p.user_id limit 1";

/// Rows that still name this person, by any foreign key.
const LEFT: &str = "
    select coalesce(string_agg(format('select %L from %s where %I = %L', c.conrelid::regclass || '.' || a.attname,
      c.conrelid::regclass, a.attname, $1::text), ' union all '), '')
    from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    where c.contype = 'f' and c.confrelid = 'profiles'::regclass";

/// Counters that are not what they count.
const MISCOUNTED: &str = "
    select r.id::text from resources r
    left join lateral (select count(*) as total, coalesce(round(avg(rating), 2), 0) as average
                       from resource_ratings x where x.resource_id = r.id) s on true
    where (r.ratings_count, r.average_rating) is distinct from (s.total, s.average)
    union all
    select c.id::text from collections c
    where c.resources_count <> (select count(*) from collection_resources x where x.collection_id = c.id)
    union all
    select s.id::text from category_tag_suggestions s
    where s.status = 'pending' and s.votes_count <> (
      select count(*) filter (where vote_type = 'upvote') - count(*) filter (where vote_type = 'downvote')
      from suggestion_votes v where v.suggestion_id = s.id)";

async fn strings(client: &TestClient, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

#[actix_web::test]
async fn a_person_goes_with_all_that_is_theirs() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let person = strings(&client, BUSY).await.pop().expect("somebody busy");
    let suggest = "insert into category_tag_suggestions (name, type, suggested_by) values ('Theirs', 'tag', $1::text::uuid)";
    client
        .execute(suggest, &[&person])
        .await
        .expect("a suggestion");
    let admin = "select user_id::text from user_roles where role = 'admin' order by 1 limit 1";
    let admin = strings(&client, admin)
        .await
        .pop()
        .expect("an administrator");
    assert_eq!(strings(&client, MISCOUNTED).await, [""; 0], "before");

    let gateway = Gateway::serve(&db, &[]).await;
    let claims = json!({ "role": "authenticated", "sub": admin });
    let url = format!("{}/rest/v1/profiles?user_id=eq.{person}", gateway.url);
    let request = Client::default().delete(url);
    let bearer = format!("Bearer {}", token(SECRET, claims));
    let answer = request.insert_header((AUTHORIZATION, bearer)).send().await;
    assert_eq!(answer.expect("an answer").status().as_u16(), 204);

    let left: String = client
        .query_one(LEFT, &[&person])
        .await
        .expect("foreign keys")
        .get(0);
    assert!(left.matches("union all").count() > 15, "{left}");
    assert_eq!(strings(&client, &left).await, [""; 0]);
    let theirs = "select coalesce(suggested_by::text, 'nobody') from category_tag_suggestions where name = 'Theirs'";
    assert_eq!(strings(&client, theirs).await, ["nobody"]);
    assert_eq!(strings(&client, MISCOUNTED).await, [""; 0], "afterwards");
}
