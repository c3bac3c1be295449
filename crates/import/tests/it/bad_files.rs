//! Files that are no exports, or mean harm.

use std::path::PathBuf;

use passerelle_import::Options;
use passerelle_testkit::TestDb;
use serde_json::json;

use crate::{checksums, file, import_as, import_json};

#[tokio::test]
async fn one_sentence_for_each_and_nothing_half_done() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let before = checksums(&client).await;
    let directory = tempfile::tempdir().unwrap();
    let whole = std::fs::read("tests/fixtures/export.json").unwrap();
    let deep = [b"[".repeat(200_000), b"]".repeat(200_000)].concat();
    let deep_root = [&b"{\"tables\":"[..], &deep, b"}"].concat();
    let huge = directory.path().join("huge.json");
    let file_of_60_mb = std::fs::File::create(&huge).unwrap();
    file_of_60_mb.set_len(60 << 20).unwrap();
    let bad = [
        (
            file(&directory, "half.json", &whole[..whole.len() / 2]),
            "ends in the middle, in line",
        ),
        (
            file(&directory, "text.json", b"Hello"),
            "is not JSON: see line 1",
        ),
        (
            file(&directory, "list.json", b"[1, 2]"),
            "another shape than an export",
        ),
        (
            file(
                &directory,
                "other.json",
                b"{\"name\": \"x\", \"version\": 1}",
            ),
            "nothing of the application",
        ),
        (file(&directory, "nothing.json", b""), "is empty"),
        (
            file(&directory, "tables.json", b"{\"tables\": 3}"),
            "another shape than an export",
        ),
        (
            file(&directory, "deep.json", &deep),
            "another shape than an export",
        ),
        (
            file(&directory, "root.json", &deep_root),
            "another shape than an export",
        ),
        (
            file(&directory, "binary.json", b"\xff\xfe{\x00"),
            "is not JSON",
        ),
        (
            file(&directory, "two.json", b"{\"profiles\": []} {}"),
            "is not JSON",
        ),
        (huge, "has 60 MB; at most 50 are taken"),
        (directory.path().join("missing.json"), "cannot be read"),
        (directory.path().to_owned(), "cannot be read"),
    ];
    let mut paths: Vec<PathBuf> = vec!["tests/fixtures/export.json".into()];
    paths.extend(bad.iter().map(|(path, _)| path.clone()));
    let refused = import_as(&db.url(), &paths, &Options::default()).await;
    let said = refused.unwrap_err().to_string();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), bad.len(), "{said}");
    for ((path, expected), line) in bad.iter().zip(lines) {
        assert!(line.starts_with(&path.display().to_string()), "{line}");
        assert!(line.contains(expected), "{line}");
    }
    assert_eq!(checksums(&client).await, before);
}

#[tokio::test]
async fn a_row_that_means_harm_harms_itself_alone() {
    let db = TestDb::hub_lib().await;
    let mut deep = json!("bottom");
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let person = json!({ "id": "1709634000000-p", "email": "p@example.org", "username": "p" });
    let resource = |id: &str, more: serde_json::Value| {
        let mut row =
            json!({ "id": id, "user_id": "1709634000000-p", "title": "t", "description": "d" });
        row.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        row
    };
    let export = json!({
        "profiles": [person],
        "resources": [
            resource("a", json!({ "title": "x".repeat(2_000_000) })),
            resource("b", json!({ "file_url": "x".repeat(15_000_001) })),
            resource("c", json!({ "readme": "x".repeat(17 << 20) })),
            resource(&"d".repeat(201), json!({})),
            resource("e", json!({ "tags": ["x".repeat(3_000)] })),
            resource("f", json!({ "tags": vec!["x"; 2_000] })),
            resource("g", json!({ "title": { "toString": "x" } })),
            resource("h", json!({ "views_count": 1e300 })),
            resource("i", json!({ "__proto__": { "admin": true } })),
        ],
        "analytics_events": [
            { "id": "deep", "event": "view", "metadata": deep },
            { "id": "large", "event": "view", "metadata": { "n": 1e308 } },
        ],
    });
    let report = import_json(&db, &export).await;
    assert_eq!(report.counts("resources").kept_out, 7);
    assert_eq!(report.counts("resources").imported, 2);
    assert_eq!(report.counts("analytics_events").imported, 2);
    assert!(report.to_string().len() < 10_000, "{report}");
}

#[tokio::test]
async fn a_byte_order_mark_is_no_harm() {
    let db = TestDb::hub_lib().await;
    let directory = tempfile::tempdir().unwrap();
    let export = b"\xEF\xBB\xBF{\"profiles\": [{\"id\": \"p\", \"email\": \"p@example.org\"}]}";
    let path = file(&directory, "marked.json", export);
    let report = import_as(&db.url(), &[path], &Options::default())
        .await
        .unwrap();
    assert_eq!(report.counts("profiles").imported, 1);
}
