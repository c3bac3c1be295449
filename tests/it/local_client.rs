//! The client of the application in the place of supabase-js: `clients/local-client`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use passerelle_testkit::TestDb;

use crate::accounts::chromium;
use crate::gateway::Gateway;
use crate::supabase_js::run;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/local-client")
}

/// The built package; built once, so that it is the one of this source tree.
static BUILT: LazyLock<String> = LazyLock::new(|| {
    npm(&["run", "--silent", "build"]);
    folder().join("dist/index.js").display().to_string()
});

/// Runs a script of the package to its end; what it says.
fn npm(arguments: &[&str]) -> String {
    assert!(
        folder().join("node_modules").is_dir(),
        "the packages of {} are missing: run make test, or npm ci there",
        folder().display()
    );
    let output = Command::new("npm")
        .args(arguments)
        .current_dir(folder())
        .output()
        .expect("npm starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complaint}");
    said
}

#[test]
fn its_own_tests_pass() {
    LazyLock::force(&BUILT);
    println!("{}", npm(&["run", "--silent", "check"]));
}

#[actix_web::test]
async fn does_all_that_supabase_js_does() {
    let db = TestDb::hub_lib().await;
    let settings = [("PASSERELLE_AUTH_EMAIL_AUTOCONFIRM", "true")];
    let gateway = Gateway::serve(&db, &settings).await;
    let files = [
        "inventory.test.mjs",
        "writes-library.test.mjs",
        "writes-people.test.mjs",
        "writes-resources.test.mjs",
        "local/gateway.mjs",
    ];
    let variables = [("PASSERELLE_LOCAL_CLIENT", BUILT.as_str())];
    run(&db, &gateway, &files, &variables).await;
}

#[actix_web::test]
async fn people_use_a_page_that_is_built_with_it() {
    let Some(chromium) = chromium() else {
        println!("SKIPPED: there is no Chromium");
        return;
    };
    LazyLock::force(&BUILT);
    let db = TestDb::hub_lib().await;
    let page = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let site = format!("http://{}", page.local_addr().expect("an address"));
    let feed = db.url();
    let settings = [
        ("PASSERELLE_AUTH_SITE_URL", site.as_str()),
        ("PASSERELLE_AUTH_EMAIL_AUTOCONFIRM", "true"),
        ("PASSERELLE_DATABASE_FEED_URL", feed.as_str()),
    ];
    let gateway = Gateway::serve(&db, &settings).await;
    drop(page);
    let package = folder().display().to_string();
    let variables = [
        ("PASSERELLE_SITE_URL", site.as_str()),
        ("PASSERELLE_PACKAGE", &package),
        ("PASSERELLE_CHROMIUM", &chromium),
        ("PASSERELLE_OUTPUT", env!("CARGO_TARGET_TMPDIR")),
    ];
    run(&db, &gateway, &["local/browser.mjs"], &variables).await;
}
