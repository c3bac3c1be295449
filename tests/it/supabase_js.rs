//! The tests that are written against supabase-js, one gateway for all.

use std::path::Path;
use std::process::Stdio;

use passerelle_testkit::TestDb;
use serde_json::json;

use crate::callers::token;
use crate::gateway::{Gateway, SECRET};

#[actix_web::test]
async fn supabase_js_reads_hub_lib() {
    let db = TestDb::hub_lib().await;
    let gateway = Gateway::serve(&db, &[]).await;
    // Clients that know of no extension are asked of one that has none.
    let extensions = "query,batch,bulk-update,atomic-update,index-conflict";
    let extensions = [("PASSERELLE_DATABASE_EXTENSIONS", extensions)];
    let extended = Gateway::serve(&db, &extensions).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    assert!(
        folder.join("node_modules").is_dir(),
        "the packages of {} are missing: run make test, or npm ci there",
        folder.display()
    );
    let output = tokio::process::Command::new("node")
        .args(["--test", "--test-reporter=spec"])
        .current_dir(&folder)
        .env("PASSERELLE_URL", &gateway.url)
        .env("PASSERELLE_EXTENDED_URL", &extended.url)
        .env("PASSERELLE_JWT_SECRET", SECRET)
        .env(
            "PASSERELLE_ANON_KEY",
            token(SECRET, json!({ "role": "anon" })),
        )
        .env("PASSERELLE_DB_URL", db.url())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("node starts");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{report}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{report}");
}
