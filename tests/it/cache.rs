//! Replies that are kept: what clients see of them, and that they are never wrong.

mod proof;
mod registers;
mod stage;
pub(crate) mod world;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;

use self::stage::{Reply, Stage, User};

#[actix_web::test]
async fn a_reply_is_kept_until_something_changes() {
    let stage = Stage::new().await;
    let gateway = stage.gateway(&[]).await;
    let asked = "/rest/v1/teams?select=id,name&order=id";
    let first = gateway.get(asked, User::Anyone, &[]).await;
    assert_eq!((first.status, first.cache()), (200, "miss"));
    let second = gateway.hit(asked, User::Anyone).await;
    assert_eq!((second.cache(), &second.body), ("hit", &first.body));
    let age = second.header("age").and_then(|age| age.parse().ok());
    assert!(age.is_some_and(|age: u64| age < 30), "{age:?}");
    let control = second.header("cache-control").expect("a directive");
    assert!(control.starts_with("public,"), "{control}");
    let vary = second.header("vary").expect("what it varies by");
    assert!(vary.contains("Authorization") && vary.contains("apikey"));

    // The client has it already.
    let tag = second.header("etag").expect("a tag").to_owned();
    let known = gateway
        .get(asked, User::Anyone, &[("if-none-match", &tag)])
        .await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    let fresh = [("cache-control", "no-cache")];
    let fresh = gateway.get(asked, User::Anyone, &fresh).await;
    assert_eq!((fresh.cache(), &fresh.body), ("bypass", &first.body));

    // A write through the gateway is seen by the very next read.
    gateway
        .send(
            "POST",
            "/rest/v1/teams",
            User::Service,
            &json!({ "id": 9, "name": "new" }),
        )
        .await;
    let after = gateway.get(asked, User::Anyone, &[]).await;
    assert_ne!(after.body, first.body);
    assert_ne!(after.cache(), "hit");
    let changed = gateway
        .get(asked, User::Anyone, &[("if-none-match", &tag)])
        .await;
    assert_eq!(changed.status, 200);
}

#[actix_web::test]
async fn users_do_not_share() {
    let stage = Stage::new().await;
    let gateway = stage.gateway(&[]).await;
    let asked = "/rest/v1/notes?select=id,body&order=id";
    for user in [User::Anyone, User::Named(1), User::Named(2)] {
        let first = gateway.get(asked, user, &[]).await;
        assert_ne!(first.cache(), "hit");
        let second = gateway.hit(asked, user).await;
        assert_eq!((second.cache(), &second.body), ("hit", &first.body));
        if user != User::Anyone {
            let control = second.header("cache-control").expect("a directive");
            assert!(control.starts_with("private,"), "{control}");
        }
    }
    let one = gateway.get(asked, User::Named(1), &[]).await;
    let other = gateway.get(asked, User::Named(2), &[]).await;
    assert_ne!(one.body, other.body);
    // The audience of this one is anonymous callers.
    let tags = "/rest/v1/tags?select=name";
    assert_eq!(gateway.hit(tags, User::Anyone).await.cache(), "hit");
    let user = gateway.get(tags, User::Named(1), &[]).await;
    assert_eq!(user.cache(), "bypass");
    assert!(user.header("etag").is_none());
    // Nothing is said where nothing is configured.
    let other = gateway
        .get("/rest/v1/plain?select=id", User::Anyone, &[])
        .await;
    assert!(other.header("x-cache").is_none() && other.header("etag").is_none());
}

#[actix_web::test]
async fn counters_do_not_matter_and_the_rest_does() {
    let stage = Stage::new().await;
    let gateway = stage.gateway(&[]).await;
    let asked = "/rest/v1/teams?select=id,name,views&order=id";
    let first = gateway.get(asked, User::Anyone, &[]).await;
    let count = json!({ "views": 77 });
    gateway
        .send("PATCH", "/rest/v1/teams?id=eq.1", User::Service, &count)
        .await;
    let second = gateway.hit(asked, User::Anyone).await;
    assert_eq!((second.cache(), &second.body), ("hit", &first.body));
    let both = json!({ "views": 78, "name": "renamed" });
    gateway
        .send("PATCH", "/rest/v1/teams?id=eq.1", User::Service, &both)
        .await;
    let third = gateway.get(asked, User::Anyone, &[]).await;
    assert!(third.body.contains("renamed") && third.body.contains("78"));
}

#[actix_web::test]
async fn what_cannot_be_proven_is_not_kept() {
    let stage = Stage::new().await;
    let gateway = stage.gateway(&[]).await;
    for asked in [
        // A function of PL/pgSQL that nobody has declared.
        "/rest/v1/murky?select=id",
        // It depends on the time, and nobody has said how late is not too late.
        "/rest/v1/fleeting?select=id",
        // Estimates follow statistics.
        "/rest/v1/teams?select=id&made=gt.now",
    ] {
        for _ in 0..2 {
            let reply = gateway.get(asked, User::Anyone, &[]).await;
            assert_eq!((reply.status, reply.cache()), (200, "bypass"), "{asked}");
        }
    }
    let estimated = [("prefer", "count=planned")];
    let asked = "/rest/v1/teams?select=id";
    let reply = gateway.get(asked, User::Anyone, &estimated).await;
    assert_eq!(reply.cache(), "bypass");
}

#[actix_web::test]
async fn gateways_share_what_they_keep() {
    let stage = Stage::new().await;
    let (one, other) = (stage.gateway(&[]).await, stage.gateway(&[]).await);
    let end = Instant::now() + Duration::from_mins(1);
    for limit in 1.. {
        let asked = format!("/rest/v1/notes?select=id,body&order=id&limit={limit}");
        let first = one.get(&asked, User::Anyone, &[]).await;
        // What it puts into Redis, it puts there after it has answered.
        let second = other.get(&asked, User::Anyone, &[]).await;
        assert_eq!((first.status, &first.body), (second.status, &second.body));
        if second.cache() == "hit" {
            assert_eq!(first.header("etag"), second.header("etag"));
            assert_eq!(
                first.header("content-range"),
                second.header("content-range")
            );
            return;
        }
        assert!(Instant::now() < end, "they share nothing");
    }
}

#[actix_web::test]
async fn what_the_cache_does_is_told_and_everything_can_be_forgotten() {
    let stage = Stage::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its number").port();
    drop(listener);
    let admin = [("PASSERELLE_SERVER_ADMIN_PORT", &*port.to_string())];
    let gateway = stage.gateway(&admin).await;
    let asked = "/rest/v1/teams?select=id";
    assert_eq!(gateway.hit(asked, User::Anyone).await.cache(), "hit");
    let said = stage.run(&["cache", "flush"]).await;
    assert!(said.contains("forget"), "{said}");
    let end = Instant::now() + Duration::from_mins(1);
    while gateway.get(asked, User::Anyone, &[]).await.cache() == "hit" {
        assert!(Instant::now() < end, "it is never forgotten");
    }
    let url = format!("http://127.0.0.1:{port}/metrics");
    let said = stage
        .run(&["cache", "stats", "--json", "--url", &url])
        .await;
    let stats: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(stats["sure"], true);
    assert!(
        stats["targets"]["public.teams"]["hit"].as_u64() > Some(0),
        "{stats}"
    );
    let said = stage.run(&["cache", "stats", "--url", &url]).await;
    assert!(said.contains("public.teams"), "{said}");
}

#[actix_web::test]
async fn a_gateway_without_its_feed_keeps_nothing() {
    let stage = Stage::new().await;
    let feed = [(
        "PASSERELLE_DATABASE_FEED_URL",
        "postgresql://nobody@127.0.0.1:1/x",
    )];
    let gateway = stage.gateway_anyhow(&feed).await;
    let asked = "/rest/v1/teams?select=id";
    for _ in 0..2 {
        let reply = gateway.get(asked, User::Anyone, &[]).await;
        assert_eq!((reply.status, reply.cache()), (200, "bypass"));
    }
}

#[actix_web::test]
async fn an_old_reply_may_be_handed_out_while_it_is_asked_for_anew() {
    let stage = Stage::new().await;
    let gateway = stage.gateway(&[]).await;
    let asked = "/rest/v1/lagging?select=value";
    let value = |reply: &Reply| reply.json()[0]["value"].as_i64();
    let end = Instant::now() + Duration::from_mins(1);
    // A gateway that is not sure for a moment asks the database; then it is tried again.
    let mut last = 0;
    let stale = loop {
        assert_eq!(gateway.hit(asked, User::Anyone).await.cache(), "hit");
        assert_eq!(gateway.hit(asked, User::Named(1)).await.cache(), "hit");
        last += 1;
        let change = json!({ "value": last });
        let path = "/rest/v1/lagging?id=eq.1";
        gateway.send("PATCH", path, User::Service, &change).await;
        // Users are never shown what was.
        let user = gateway.get(asked, User::Named(1), &[]).await;
        assert_eq!(value(&user), Some(last));
        let reply = gateway.get(asked, User::Anyone, &[]).await;
        if reply.cache() == "stale" {
            break reply;
        }
        assert!(Instant::now() < end, "nothing old is handed out: {reply:?}");
    };
    assert_eq!((stale.status, value(&stale)), (200, Some(last - 1)));
    assert!(stale.header("age").is_some());
    let fresh = [("cache-control", "no-cache")];
    let fresh = gateway.get(asked, User::Anyone, &fresh).await;
    assert_eq!(value(&fresh), Some(last));
    while value(&gateway.get(asked, User::Anyone, &[]).await) != Some(last) {
        assert!(Instant::now() < end, "it is never asked for anew");
    }
    assert_eq!(gateway.hit(asked, User::Anyone).await.cache(), "hit");

    // A new reply that cannot be kept ends the old one.
    let grow = "insert into lagging select n, n from generate_series(2, 90000) n";
    stage.db.run(grow).await;
    while gateway.get(asked, User::Anyone, &[]).await.body.len() < 1 << 20 {
        assert!(
            Instant::now() < end,
            "what is too large to be kept is never shown"
        );
    }
    let reply = gateway.get(asked, User::Anyone, &[]).await;
    assert_ne!(reply.cache(), "stale");
    stage.db.run("delete from lagging where id > 1").await;
    gateway.hit(asked, User::Anyone).await;

    // Rights are another matter: what was is handed out to nobody who may not see it now.
    stage.db.run("revoke select on lagging from anon").await;
    while gateway.get(asked, User::Anyone, &[]).await.status != 401 {
        assert!(Instant::now() < end, "the right is never taken away");
    }
    assert_eq!(gateway.get(asked, User::Anyone, &[]).await.status, 401);
}
