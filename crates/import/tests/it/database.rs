//! What the database sees of an import.

use std::path::PathBuf;

use passerelle_import::Options;
use passerelle_testkit::TestDb;
use serde_json::json;

use crate::{
    ALL, WRITTEN, checksums, import, import_as, import_json, json as json_of, text, texts,
};

fn files() -> Vec<PathBuf> {
    ALL.iter().map(PathBuf::from).collect()
}

const TRIGGERS: &str = "select string_agg(tgrelid::regclass::text || tgname::text || tgenabled::text, ',' order by tgrelid, tgname) from pg_trigger";

#[tokio::test]
async fn nobody_is_told_and_no_work_follows() {
    let db = TestDb::hub_lib().await;
    db.run(
        "create trigger enqueue after insert on resources for each row execute function passerelle.enqueue('job');
         alter table resources enable always trigger enqueue;
         create function boom() returns trigger language plpgsql as $$ begin raise exception 'boom'; end $$;
         create trigger boom before insert or update on profiles for each row execute function boom();
         alter table profiles disable trigger boom;
         create trigger boom before insert or update on resource_ratings for each row execute function boom();
         update admin_configs set value = '2' where key = 'auto_approval_vote_threshold_tag';",
    )
    .await;
    let client = db.client().await;
    let triggers = text(&client, TRIGGERS).await;
    let notifications = "select count(*) from notifications";
    let before = text(&client, notifications).await.parse::<u32>().unwrap();
    import(&db, &ALL).await;
    assert_eq!(
        text(&client, "select count(*) from passerelle.jobs").await,
        "0"
    );
    // The one of the export, and no other.
    assert_eq!(text(&client, notifications).await, (before + 1).to_string());
    assert_eq!(text(&client, TRIGGERS).await, triggers);
    let status = "select status from category_tag_suggestions where name = 'Haskell'";
    assert_eq!(text(&client, status).await, "pending");
}

#[tokio::test]
async fn the_owner_needs_no_other_right() {
    let db = TestDb::hub_lib().await;
    let owner = format!("owner_{}", db.name());
    let tables = WRITTEN.map(|table| format!("alter table {table} owner to {owner};"));
    let script = format!(
        "create role {owner} login password 'p';
         {tables}
         grant usage on schema auth, public, extensions to {owner};
         grant execute on all functions in schema extensions, public to {owner};",
        tables = tables.concat()
    );
    db.run(&script).await;
    let report = import_as(&db.url_of(&owner, "p"), &files(), &Options::default()).await;
    let client = db.client().await;
    let imported = report.map(|report| report.counts("resources").imported);
    let copy = TestDb::hub_lib().await;
    let expected = import(&copy, &ALL).await.counts("resources").imported;
    db.run(&format!(
        "reassign owned by {owner} to current_user; drop owned by {owner}; drop role {owner};"
    ))
    .await;
    assert_eq!(imported.unwrap_or_else(|error| panic!("{error}")), expected);
    let question = "select count(*) from resources where title = 'First'";
    assert_eq!(text(&client, question).await, "1");
}

#[tokio::test]
async fn others_are_told_which_right_is_missing() {
    let db = TestDb::hub_lib().await;
    let refused = import_as(&db.authenticator_url(), &files(), &Options::default()).await;
    let said = refused.unwrap_err().to_string();
    assert!(
        said.contains("belongs to another role: import as the owner"),
        "{said}"
    );
    let empty = TestDb::platform().await;
    let refused = import_as(&empty.url(), &files(), &Options::default()).await;
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("passerelle migrate --app"), "{said}");
}

#[tokio::test]
async fn what_the_database_refuses_stops_nothing_else() {
    let db = TestDb::hub_lib().await;
    db.run(
        "alter table resources add constraint no_first check (title <> 'First') not valid;
         alter table profiles add constraint no_eve check (email not like 'eve@%') not valid;",
    )
    .await;
    let client = db.client().await;
    let report = import(&db, &ALL).await;
    let said = json_of(&report)["kept_out"].to_string();
    assert!(said.contains("the database refuses it"), "{said}");
    assert!(said.contains("no_first"), "{said}");
    let titles = "select count(*) from resources where title in ('First', 'Private one, edited', 'With a file')";
    assert_eq!(text(&client, titles).await, "2");
    let orphans = "select count(*) from resource_ratings r where not exists (select from resources where id = r.resource_id)";
    assert_eq!(text(&client, orphans).await, "0");
    let eve = "select count(*) from auth.users where email = 'eve@example.org'";
    assert_eq!(text(&client, eve).await, "0");
    let after = checksums(&client).await;
    import(&db, &ALL).await;
    assert_eq!(checksums(&client).await, after);
}

#[tokio::test]
async fn settings_that_somebody_changed_stay() {
    let db = TestDb::hub_lib().await;
    db.run("update admin_configs set value = '9', updated_at = now() where key = 'auto_approval_vote_threshold_tag'")
        .await;
    let client = db.client().await;
    import(&db, &ALL).await;
    let question =
        "select value::text from admin_configs where key = 'auto_approval_vote_threshold_tag'";
    assert_eq!(text(&client, question).await, "9");
}

#[tokio::test]
async fn references_may_lead_to_the_database() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let resource = text(&client, "select id from resources order by id limit 1").await;
    let person = text(
        &client,
        "select user_id from profiles order by user_id limit 1",
    )
    .await;
    let export = json!({
        "resource_comments": [
            { "id": "1709634000000-comment01", "resource_id": resource, "user_id": person, "content": "from a browser" },
        ],
    });
    let report = import_json(&db, &export).await;
    assert_eq!(report.counts("resource_comments").imported, 1);
    let content = format!(
        "select content from resource_comments where resource_id = '{resource}' and user_id = '{person}'"
    );
    assert!(
        texts(&client, &content)
            .await
            .contains(&"from a browser".to_owned())
    );
}
