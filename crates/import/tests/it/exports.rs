//! What comes of the three shapes.

use passerelle_import::Options;
use passerelle_testkit::TestDb;

use crate::{ALL, checksums, import, import_with, json, text, texts};

#[tokio::test]
async fn every_row_is_accounted_for() {
    let db = TestDb::hub_lib().await;
    let report = import(&db, &ALL).await;
    insta::assert_snapshot!("report", report.to_string());
    insta::assert_snapshot!("json", serde_json::to_string_pretty(&report).unwrap());
    let json = json(&report);
    let tables = json["tables"].as_object().unwrap();
    for (name, counts) in tables {
        let of = |what: &str| counts[what].as_u64().unwrap();
        let outcomes = of("imported") + of("existing") + of("merged") + of("kept_out");
        assert_eq!(of("read"), outcomes, "{name}: {counts}");
    }
    let kept_out: u64 = tables
        .values()
        .map(|counts| counts["kept_out"].as_u64().unwrap())
        .sum();
    // An unknown table is one entry, for its two rows.
    assert_eq!(
        json["kept_out"].as_array().unwrap().len() as u64 + 1,
        kept_out
    );
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_leaves_no_trace() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let before = checksums(&client).await;
    let options = Options {
        dry_run: true,
        ..Options::default()
    };
    let dry = import_with(&db, &ALL, &options).await;
    assert_eq!(checksums(&client).await, before);
    let run = import(&db, &ALL).await;
    assert_eq!(json(&run), json(&dry));
    assert_eq!(run.to_string(), dry.to_string());
    assert_ne!(checksums(&client).await, before);
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    import(&db, &ALL).await;
    let after = checksums(&client).await;
    let again = import(&db, &ALL).await;
    assert_eq!(checksums(&client).await, after);
    for (name, counts) in json(&again)["tables"].as_object().unwrap() {
        assert_eq!(counts["imported"], 0, "{name}");
        assert_eq!(counts["added"], 0, "{name}");
    }
    // Nor does it matter in which order files are named, or how many at a time.
    for file in ["tests/fixtures/dump.json", "tests/fixtures/export.json"] {
        import(&db, &[file]).await;
        assert_eq!(checksums(&client).await, after);
    }
}

#[tokio::test]
async fn the_order_of_files_does_not_matter() {
    let (one, other) = (TestDb::hub_lib().await, TestDb::hub_lib().await);
    import(&one, &ALL).await;
    let mut reversed = ALL;
    reversed.reverse();
    import(&other, &reversed).await;
    // Some times are those of the first file that has the row.
    let (one, other) = (one.client().await, other.client().await);
    assert_eq!(checksums(&one).await, checksums(&other).await);
}

#[tokio::test]
async fn names_and_types_are_those_of_the_tables() {
    let db = TestDb::hub_lib().await;
    import(&db, &ALL).await;
    let client = db.client().await;
    for (question, expected) in [
        (
            "select value::text || ' ' || value_text from admin_configs where key = 'auto_approval_vote_threshold_tag'",
            "7 7",
        ),
        (
            "select value::text from admin_configs where key = 'welcome_text'",
            "\"true and \\\"more\\\"\"",
        ),
        (
            "select order_index || ' ' || \"order\" from collection_resources where added_at = '2024-03-05T10:00:00Z' \
             order by order_index",
            "0 0 | 3 3 | 4 4",
        ),
        (
            "select template_data::text || usage_count || is_public from resource_templates where name = 'Guide'",
            "{\"title\": \"x\", \"nested\": {\"a\": [1, \"\"]}}4true",
        ),
        (
            "select event || ' ' || (resource_id is not null) || (user_id is not null) from analytics_events \
             where created_at between '2024-03-01' and '2024-03-30' order by created_at",
            "view falsefalse | view truetrue | download truetrue",
        ),
        (
            "select name || order_index || (parent_id is null) from category_hierarchy \
             where created_at = '2024-03-01T10:00:00Z' order by name",
            "Child2false | Root1true",
        ),
        (
            "select filter_options::text from category_filters where filter_label = 'Level' and created_at = '2024-03-01T10:00:00Z'",
            "{a,\"b \\\"quoted\\\"\\\\\"}",
        ),
        (
            "select tags::text from resources where title = 'First'",
            "{react,api}",
        ),
        (
            "select title || readme from resources where title like 'Nul%'",
            "Nul and half \u{fffd}a\tb\\c\nd",
        ),
        (
            "select full_name from profiles where email = 'ada@example.org'",
            "Ada <b>Lovelace</b>",
        ),
        (
            "select views_count || ' ' || downloads_count from resources where title = 'Counters'",
            "0 0",
        ),
        (
            "select visibility from resources where title = 'No visibility'",
            "private",
        ),
        (
            "select id::text from resources where title = 'A UUID'",
            "3f2b8c1e-7d4a-4b6e-9c0f-1a2b3c4d5e6f",
        ),
        (
            "select file_url from resources where title = 'Embedded'",
            "data:text/plain;base64,aGVsbG8=",
        ),
        (
            "select avatar_url from profiles where email = 'grace@example.org'",
            "data:image/png;base64,aGVsbG8=",
        ),
        (
            "select expires_at at time zone 'UTC' from resource_shares where created_at = '2024-03-01T10:00:00Z'",
            "2030-01-02 03:04:00",
        ),
        (
            "select title from resources where title like 'Private%'",
            "Private one, edited",
        ),
        (
            "select count(*) from resource_comments where content like 'Reply <%'",
            "1",
        ),
        ("select count(*) from profiles where id <> user_id", "0"),
    ] {
        assert_eq!(text(&client, question).await, expected, "{question}");
    }
}

#[tokio::test]
async fn counters_say_what_is_there() {
    let db = TestDb::hub_lib().await;
    import(&db, &ALL).await;
    let client = db.client().await;
    for (question, expected) in [
        (
            "select average_rating || ' ' || ratings_count from resources where title = 'First'",
            "3.33 3",
        ),
        (
            "select average_rating || ' ' || ratings_count from resources where title = 'With a file'",
            "5.00 1",
        ),
        (
            "select average_rating || ' ' || ratings_count from resources where title = 'A UUID'",
            "0.00 0",
        ),
        (
            "select resources_count from collections where name = 'Best'",
            "2",
        ),
        (
            "select votes_count || status::text from category_tag_suggestions where name = 'Haskell'",
            "6pending",
        ),
    ] {
        assert_eq!(text(&client, question).await, expected, "{question}");
    }
    // Nowhere does a counter differ from what is counted, but for suggestions that nobody has voted on.
    for wrong in [
        "select r.title from resources r where r.ratings_count <> (select count(*) from resource_ratings where resource_id = r.id)",
        "select c.name from collections c where c.resources_count <> \
         (select count(*) from collection_resources where collection_id = c.id)",
        "select s.name from category_tag_suggestions s join suggestion_votes v on v.suggestion_id = s.id \
         group by s.id having s.votes_count <> sum(case v.vote_type when 'upvote' then 1 else -1 end)",
    ] {
        assert_eq!(texts(&client, wrong).await, Vec::<String>::new(), "{wrong}");
    }
}

#[tokio::test]
async fn times_are_kept() {
    let db = TestDb::hub_lib().await;
    import(&db, &ALL).await;
    let client = db.client().await;
    let question = "select created_at at time zone 'UTC' || '/' || (updated_at at time zone 'UTC') \
        from resources where title like 'Private%'";
    let expected = "2024-03-02 10:00:00/2024-03-12 10:00:00";
    assert_eq!(text(&client, question).await, expected);
    // A time that is none is that of the id.
    let question =
        "select created_at at time zone 'UTC' from resource_comments where content = 'c'";
    assert_eq!(text(&client, question).await, "2024-03-05 10:53:20.094");
    let question = "select count(*) from resources where updated_at > now() - interval '1 hour'";
    assert_eq!(text(&client, question).await, "0");
}
