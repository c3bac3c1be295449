//! What policies cost: nothing is read anew for each row but by an index.

use passerelle_testkit::{TestClient, TestDb};
use serde_json::{Value, json};

/// Rows of each table.
const ROWS: &str = "3000";

/// Many rows of an owner, some of them shared with a reader and with the reader's group.
const STAGE: &str = "
    create function public.explained(statement text) returns text language plpgsql as $$
      declare plan json;
      begin
        execute 'explain (analyze, timing off, format json) ' || statement into plan;
        return plan::text;
      end
    $$;
    create function pg_temp.id(kind text, n bigint) returns uuid language sql immutable as $$
      select md5(kind || n)::uuid
    $$;
    insert into profiles (id, user_id, email, username)
    select pg_temp.id('person', n), pg_temp.id('person', n), n || '@plans.example', 'plans-' || n
    from generate_series(1, ROWS) n;
    insert into user_roles (user_id) select pg_temp.id('person', n) from generate_series(1, ROWS) n;
    insert into resources (id, user_id, title, description, visibility)
    select pg_temp.id('resource', n), pg_temp.id('person', 1 + n % 500), 't', 'd',
           (array['public', 'private', 'shared_users', 'shared_groups'])[1 + n % 4]::resource_visibility
    from generate_series(1, ROWS) n;
    insert into groups (id, name, owner_id)
    select pg_temp.id('group', n), 'g', pg_temp.id('person', n) from generate_series(1, ROWS) n;
    insert into group_members (group_id, user_id)
    select pg_temp.id('group', n), pg_temp.id('person', 1 + n % 50) from generate_series(100, ROWS) n;
    insert into resource_shares (resource_id, shared_with_user_id, shared_with_group_id)
    select pg_temp.id('resource', n), case when n % 2 = 0 then pg_temp.id('person', 1 + n % 50) end,
           case when n % 2 = 1 then pg_temp.id('group', n) end
    from generate_series(1, ROWS) n;
    insert into saved_resources (user_id, resource_id)
    select pg_temp.id('person', 1 + n % 500), pg_temp.id('resource', n) from generate_series(1, ROWS) n;
    insert into resource_ratings (user_id, resource_id, rating)
    select pg_temp.id('person', 1 + n % 500), pg_temp.id('resource', n), 3 from generate_series(1, ROWS) n;
    insert into resource_comments (user_id, resource_id, content)
    select pg_temp.id('person', 1 + n % 500), pg_temp.id('resource', n), 'c' from generate_series(1, ROWS) n;
    insert into resource_versions (created_by, resource_id, version_number, title, description)
    select pg_temp.id('person', 1 + n % 500), pg_temp.id('resource', n), 1, 't', 'd' from generate_series(1, ROWS) n;
    insert into resource_templates (created_by, name, description, category, tags, template_data, is_public)
    select pg_temp.id('person', 1 + n % 500), 't', 'd', 'c', '{}', '{}', n % 2 = 0 from generate_series(1, ROWS) n;
    insert into collections (id, user_id, name, is_public)
    select pg_temp.id('collection', n), pg_temp.id('person', 1 + n % 500), 'c', n % 2 = 0 from generate_series(1, ROWS) n;
    insert into collection_resources (collection_id, resource_id)
    select pg_temp.id('collection', n), pg_temp.id('resource', n) from generate_series(1, ROWS) n;
    insert into category_tag_suggestions (id, name, type)
    select pg_temp.id('suggestion', n), 'plans-' || n, 'tag' from generate_series(1, ROWS) n;
    insert into suggestion_votes (suggestion_id, user_id, vote_type)
    select pg_temp.id('suggestion', n), pg_temp.id('person', n), 'upvote' from generate_series(1, ROWS) n;
    insert into notifications (user_id, type, title, message)
    select pg_temp.id('person', 1 + n % 500), 't', 't', 'm' from generate_series(1, ROWS) n;
    insert into analytics_events (event, user_id)
    select 'e', pg_temp.id('person', 1 + n % 500) from generate_series(1, ROWS) n;
    analyze;
";

/// Tables whose rows are asked for, changed and removed, all at once.
const TABLES: &[(&str, &str)] = &[
    ("profiles", "bio = 'b'"),
    ("user_roles", "role = 'user'"),
    ("resources", "title = 'u'"),
    ("saved_resources", "created_at = now()"),
    ("resource_ratings", "rating = 4"),
    ("resource_comments", "content = 'u'"),
    ("resource_versions", "title = 'u'"),
    ("resource_templates", "name = 'u'"),
    ("groups", "name = 'u'"),
    ("group_members", "role = 'member'"),
    ("resource_shares", "permission = 'read'"),
    ("collections", "name = 'u'"),
    ("collection_resources", "order_index = 2"),
    ("category_tag_suggestions", "description = 'u'"),
    ("suggestion_votes", "vote_type = 'upvote'"),
    ("notifications", "is_read = true"),
    ("analytics_events", "event = 'u'"),
];

async fn explained(client: &TestClient, statement: &str) -> Value {
    let row = client
        .query_one("select explained($1)", &[&statement])
        .await;
    let row = row.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    let plan: Value = serde_json::from_str(row.get(0)).expect("a plan");
    plan[0]["Plan"].clone()
}

/// The id of the person with this number.
async fn person(client: &TestClient, number: u32) -> String {
    let id = format!("select md5('person{number}')::uuid::text");
    client.query_one(&id, &[]).await.expect("an id").get(0)
}

#[tokio::test]
async fn policies_read_nothing_for_each_row_but_by_an_index() {
    let db = TestDb::hub_lib().await;
    db.run(&STAGE.replace("ROWS", ROWS)).await;
    let client = db.client().await;
    for number in [7, 60] {
        let sub = person(&client, number).await;
        let claims = json!({ "role": "authenticated", "sub": sub }).to_string();
        for (table, change) in TABLES {
            for statement in [
                format!("select id from {table}"),
                format!("update {table} set {change}"),
                format!("delete from {table}"),
            ] {
                for step in ["begin", "set local role authenticated"] {
                    client.execute(step, &[]).await.expect("a caller");
                }
                let set = "select set_config('request.jwt.claims', $1, true)";
                client.execute(set, &[&claims]).await.expect("claims");
                let plan = explained(&client, &statement).await;
                client.execute("rollback", &[]).await.expect("the end");
                let mut repeated = Vec::new();
                repeated_scans(&plan, false, &mut repeated);
                assert!(repeated.is_empty(), "{statement}: {repeated:?}\n{plan:#}");
            }
        }
    }
}

/// Nodes that read, or compute anew, other than by an index.
const READS_ALL: &[&str] = &["Seq Scan", "Function Scan", "ProjectSet", "Result"];

/// Such nodes below a sub-plan that runs for each row.
fn repeated_scans(node: &Value, repeated: bool, found: &mut Vec<String>) {
    let loops = node["Actual Loops"].as_f64().unwrap_or_default();
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let repeated = (repeated || node["Parent Relationship"] == "SubPlan") && loops > 1.0;
    if repeated && READS_ALL.contains(&kind) {
        found.push(format!("{kind}, {loops} times"));
    }
    for inner in node["Plans"].as_array().into_iter().flatten() {
        repeated_scans(inner, repeated, found);
    }
}
