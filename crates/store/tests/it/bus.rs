//! Messages arrive in order, and whatever may be missing is told.

use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_store::{Bus, BusEvent, MAX_MESSAGE_BYTES, Store, StoreError, Subscription};
use passerelle_testkit::{PrivateRedis, TestRedis};
use tokio::time::timeout;

use crate::{PATIENCE, impatient, patient};

const PUBLISH: &str = include_str!("../../src/bus/publish.lua");

async fn next(subscription: &mut Subscription) -> BusEvent {
    timeout(PATIENCE, subscription.next())
        .await
        .expect("an event comes")
}

async fn text(subscription: &mut Subscription) -> (u64, String) {
    match next(subscription).await {
        BusEvent::Message(message) => {
            let text = String::from_utf8(message.payload.to_vec()).unwrap();
            (message.id, text)
        }
        other => panic!("{other:?} instead of a message"),
    }
}

/// Publishes until it succeeds, as after Redis came back.
async fn publish(bus: &Bus, channel: &str, text: &'static str) {
    let deadline = Instant::now() + PATIENCE;
    while bus
        .publish(channel, Bytes::from_static(text.as_bytes()))
        .await
        .is_err()
    {
        assert!(Instant::now() < deadline, "nothing can be published");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn messages_come_in_order(publisher: &Bus, subscriber: &Bus) {
    let mut first = subscriber.subscribe("a").await;
    let mut second = subscriber.subscribe("a").await;
    let mut other = subscriber.subscribe("b").await;
    let mut ids = Vec::new();
    for number in 0..500 {
        let payload = Bytes::from(number.to_string());
        ids.push(publisher.publish("a", payload).await.unwrap());
    }
    assert!(ids.is_sorted_by(|one, next| one < next));
    for (number, id) in ids.into_iter().enumerate() {
        for subscription in [&mut first, &mut second] {
            assert_eq!(text(subscription).await, (id, number.to_string()));
        }
    }
    publish(publisher, "b", "to others").await;
    assert_eq!(text(&mut other).await.1, "to others");
}

#[tokio::test]
async fn messages_of_another_gateway_come_in_order() {
    let redis = TestRedis::shared().await.unwrap();
    let prefix = format!("bus {}", std::process::id());
    let gateways = [(); 2].map(|()| patient(redis.url(), &prefix).bus());
    messages_come_in_order(&gateways[0], &gateways[1]).await;
}

#[tokio::test]
async fn messages_within_a_process_come_in_order() {
    let store = Store::memory();
    messages_come_in_order(&store.bus(), &store.bus()).await;
}

#[tokio::test]
async fn a_process_of_another_kind_is_heard_and_a_hole_is_told() {
    let redis = PrivateRedis::start(&[]).await;
    let bus = patient(&redis.url(), "another").bus();
    let mut subscription = bus.subscribe("a").await;
    let name = "another:bus:{a}";
    let publish = |text| redis.ask(&["eval", PUBLISH, "1", name, text, "60000"]);
    assert_eq!(publish("one"), "1");
    assert_eq!(text(&mut subscription).await, (1, "one".to_owned()));
    redis.ask(&["incr", name]);
    assert_eq!(publish("three"), "3");
    assert_eq!(next(&mut subscription).await, BusEvent::Gap);
    assert_eq!(text(&mut subscription).await, (3, "three".to_owned()));
    // As after a loss of everything that Redis knew.
    redis.ask(&["flushall"]);
    assert_eq!(publish("again"), "1");
    assert_eq!(next(&mut subscription).await, BusEvent::Gap);
    assert_eq!(text(&mut subscription).await, (1, "again".to_owned()));
    redis.ask(&["publish", name, "no number"]);
    assert_eq!(next(&mut subscription).await, BusEvent::Gap);
}

#[tokio::test]
async fn a_connection_that_ends_is_told_and_made_again() {
    let mut redis = PrivateRedis::start(&[]).await;
    let bus = impatient(&redis.url(), "ends").bus();
    let mut subscription = bus.subscribe("a").await;
    publish(&bus, "a", "one").await;
    assert_eq!(text(&mut subscription).await.1, "one");

    redis.ask(&["client", "kill", "type", "pubsub"]);
    assert_eq!(next(&mut subscription).await, BusEvent::Lost);
    assert_eq!(next(&mut subscription).await, BusEvent::Gap);
    publish(&bus, "a", "two").await;
    assert_eq!(text(&mut subscription).await.1, "two");

    redis.kill().await;
    assert_eq!(next(&mut subscription).await, BusEvent::Lost);
    let failed = bus.publish("a", Bytes::from_static(b"lost")).await;
    assert!(matches!(failed, Err(StoreError::Away)));
    redis.restart().await;
    assert_eq!(next(&mut subscription).await, BusEvent::Gap);
    publish(&bus, "a", "three").await;
    assert_eq!(text(&mut subscription).await.1, "three");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_noticed() {
    let redis = PrivateRedis::start(&[]).await;
    let bus = impatient(&redis.url(), "silent").bus();
    let mut subscription = bus.subscribe("a").await;
    redis.pause();
    assert_eq!(next(&mut subscription).await, BusEvent::Lost);
    redis.resume();
    assert_eq!(next(&mut subscription).await, BusEvent::Gap);
    publish(&bus, "a", "again").await;
    assert_eq!(text(&mut subscription).await.1, "again");
}

#[tokio::test]
async fn a_subscription_while_redis_is_away_begins_when_it_comes() {
    let mut redis = PrivateRedis::start(&[]).await;
    let url = redis.url();
    redis.kill().await;
    let bus = impatient(&url, "later").bus();
    let mut subscription = bus.subscribe("a").await;
    assert_eq!(next(&mut subscription).await, BusEvent::Lost);
    redis.restart().await;
    assert_eq!(next(&mut subscription).await, BusEvent::Gap);
    publish(&bus, "a", "one").await;
    assert_eq!(text(&mut subscription).await.1, "one");
}

#[tokio::test]
async fn who_listens_to_nothing_costs_redis_nothing() {
    let redis = PrivateRedis::start(&[]).await;
    let bus = patient(&redis.url(), "nothing").bus();
    let subscription = bus.subscribe("a").await;
    assert_eq!(redis.ask(&["pubsub", "channels"]), "nothing:bus:{a}");
    drop(subscription);
    let deadline = Instant::now() + PATIENCE;
    while !redis.ask(&["pubsub", "channels"]).is_empty() {
        assert!(Instant::now() < deadline, "the channel is still heard");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // And is heard again when somebody wants it to be.
    let mut subscription = bus.subscribe("a").await;
    publish(&bus, "a", "one").await;
    assert_eq!(text(&mut subscription).await.1, "one");
}

#[tokio::test]
async fn a_message_that_is_too_long_is_not_sent() {
    let bus = Store::memory().bus();
    let long = Bytes::from(vec![b'x'; MAX_MESSAGE_BYTES + 1]);
    let refused = bus.publish("a", long).await;
    assert!(matches!(refused, Err(StoreError::MessageTooLong { .. })));
}
