//! Channels, presences and changes of rows, with the real client and with two gateways.

mod soak;

use passerelle_testkit::{PrivateRedis, TestDb};
use tokio::time::{Duration, Instant, sleep};

use crate::accounts::chromium;
use crate::gateway::Gateway;
use crate::supabase_js::run;

#[actix_web::test]
async fn supabase_js_joins_channels() {
    let db = TestDb::hub_lib().await;
    let redis = PrivateRedis::start(&[]).await;
    let url = redis.url();
    let settings = [
        ("REDIS_URL", url.as_str()),
        ("PASSERELLE_RATE_LIMITS_ENABLED", "false"),
        ("PASSERELLE_REALTIME_QUEUE_BYTES", "1048576"),
    ];
    let other = Gateway::serve(&db, &settings).await;
    let mut settings = settings.to_vec();
    settings.push(("PASSERELLE_REALTIME_BYTES_PER_SECOND", "1000000000"));
    let gateway = Gateway::serve(&db, &settings).await;
    let variables = [("PASSERELLE_OTHER_URL", other.url.as_str())];
    run(&db, &gateway, &["realtime/channels.mjs"], &variables).await;
}

#[actix_web::test]
async fn supabase_js_follows_changes() {
    let db = TestDb::platform().await;
    db.run(include_str!("../js/realtime/schema.sql")).await;
    let redis = PrivateRedis::start(&[]).await;
    let (url, feed) = (redis.url(), db.url());
    let settings = [
        ("REDIS_URL", url.as_str()),
        ("PASSERELLE_DATABASE_FEED_URL", feed.as_str()),
        ("PASSERELLE_RATE_LIMITS_ENABLED", "false"),
        ("PASSERELLE_AUTH_EMAIL_AUTOCONFIRM", "true"),
        ("PASSERELLE_REALTIME_QUEUE_MESSAGES", "10000"),
    ];
    let gateway = Gateway::serve(&db, &settings).await;
    let other = Gateway::serve(&db, &settings).await;
    let variables = [("PASSERELLE_OTHER_URL", other.url.as_str())];
    run(&db, &gateway, &["realtime/changes.mjs"], &variables).await;
}

/// Waits until a script has said that it is so far.
pub(crate) async fn marked(db: &TestDb, mark: &str) {
    let client = db.client().await;
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let found = client
            .query("select from public.marks where mark = $1", &[&mark])
            .await;
        if !found.expect("marks can be read").is_empty() {
            return;
        }
        assert!(Instant::now() < until, "nobody says {mark}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn supabase_js_survives_gateways_that_die() {
    let db = TestDb::platform().await;
    db.run(include_str!("../js/realtime/schema.sql")).await;
    db.run("create table public.marks (mark text)").await;
    let redis = PrivateRedis::start(&[]).await;
    let (url, feed) = (redis.url(), db.url());
    let common = [
        ("REDIS_URL", url.as_str()),
        ("PASSERELLE_DATABASE_FEED_URL", feed.as_str()),
        ("PASSERELLE_RATE_LIMITS_ENABLED", "false"),
    ];
    let gateway = Gateway::serve(&db, &common).await;
    let mut other = Gateway::serve(&db, &common).await;
    let address = other.url.clone();
    let port = address.rsplit(':').next().expect("a port").to_owned();
    let variables = [("PASSERELLE_OTHER_URL", address.as_str())];
    let script = run(&db, &gateway, &["realtime/restart.mjs"], &variables);
    let faults = async {
        marked(&db, "kill").await;
        other.signal("KILL");
        other.ended().await;
        marked(&db, "start").await;
        let mut settings = common.to_vec();
        settings.push(("PASSERELLE_SERVER_PORT", &port));
        let mut other = Gateway::serve(&db, &settings).await;
        marked(&db, "stop").await;
        other.signal("TERM");
        other.ended().await;
        let _other = Gateway::serve(&db, &settings).await;
        marked(&db, "done").await;
    };
    tokio::join!(script, faults);
}

#[actix_web::test]
async fn presences_are_whole_again_after_redis_was_away() {
    let db = TestDb::hub_lib().await;
    db.run("create table public.marks (mark text)").await;
    let mut redis = PrivateRedis::start(&[]).await;
    let url = redis.url();
    let settings = [
        ("REDIS_URL", url.as_str()),
        ("PASSERELLE_RATE_LIMITS_ENABLED", "false"),
    ];
    let gateway = Gateway::serve(&db, &settings).await;
    let other = Gateway::serve(&db, &settings).await;
    let variables = [("PASSERELLE_OTHER_URL", other.url.as_str())];
    let script = run(&db, &gateway, &["realtime/away.mjs"], &variables);
    let faults = async {
        marked(&db, "away").await;
        redis.kill().await;
        marked(&db, "back").await;
        redis.restart().await;
        marked(&db, "done").await;
    };
    tokio::join!(script, faults);
}

#[actix_web::test]
async fn a_notification_in_a_browser() {
    let Some(chromium) = chromium() else {
        println!("SKIPPED: there is no Chromium");
        return;
    };
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
    let variables = [
        ("PASSERELLE_SITE_URL", site.as_str()),
        ("PASSERELLE_CHROMIUM", &chromium),
        ("PASSERELLE_OUTPUT", env!("CARGO_TARGET_TMPDIR")),
    ];
    run(&db, &gateway, &["realtime/browser.mjs"], &variables).await;
}
