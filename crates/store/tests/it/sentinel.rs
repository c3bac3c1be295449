//! Sentinel makes another server the master; nothing is restarted.

use std::time::Instant;

use bytes::Bytes;
use passerelle_store::{BusEvent, Origin, Verdict};
use passerelle_testkit::TestSentinel;

use crate::{hourly, impatient, key, until_decided_by};

#[tokio::test]
async fn limits_and_messages_go_on_after_a_promotion() {
    let mut servers = TestSentinel::start().await;
    let store = impatient(&servers.url(), "failover");
    let limiter = store.rate_limiter();
    let bus = store.bus();
    until_decided_by(&limiter, Origin::Shared).await;
    let mut subscription = bus.subscribe("news").await;
    bus.publish("news", Bytes::from_static(b"before"))
        .await
        .unwrap();
    assert!(matches!(subscription.next().await, BusEvent::Message(_)));

    servers.master.kill().await;
    assert_eq!(subscription.next().await, BusEvent::Lost);
    let decision = limiter.check(&key("a"), &hourly(5), Instant::now()).await;
    assert_eq!(decision.origin, Origin::Fallback);
    assert_eq!(decision.verdict, Verdict::Allowed);

    until_decided_by(&limiter, Origin::Shared).await;
    assert_eq!(subscription.next().await, BusEvent::Gap);
    let replication = servers.replica.ask(&["info", "replication"]);
    assert!(replication.contains("role:master"), "{replication}");
    while bus
        .publish("news", Bytes::from_static(b"after"))
        .await
        .is_err()
    {
        tokio::task::yield_now().await;
    }
    let BusEvent::Message(message) = subscription.next().await else {
        panic!("the message does not come");
    };
    assert_eq!(message.payload, "after");
}
