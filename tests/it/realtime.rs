//! Channels, presences and changes of rows, with the real client and with two gateways.

use passerelle_testkit::{PrivateRedis, TestDb};

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
    ];
    let gateway = Gateway::serve(&db, &settings).await;
    let other = Gateway::serve(&db, &settings).await;
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
