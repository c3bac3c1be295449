use std::time::Duration;

use super::*;
use crate::dependencies::Dependencies;
use crate::freshness::Moment;
use crate::grace::Grace;
use crate::key::KeyBuilder;

fn found() -> Found {
    let begun = Instant::now();
    let reply = Kept {
        status: 200,
        headers: Vec::new(),
        etag: "".into(),
        body: "[]".into(),
        found: Moment {
            session: 1,
            as_of: 7,
        },
        on: Dependencies::default(),
        at: begun,
        ttl: Duration::from_secs(1),
        grace: Grace::new(Duration::ZERO, begun),
    };
    let reply = Arc::new(reply);
    Found { begun, reply }
}

async fn lead(flights: &Arc<SingleFlight>, key: ReplyKey) -> Leader {
    match flights.turn(key).await {
        Turn::Mine(leader) => leader,
        Turn::Waited(_) => unreachable!("nobody else is there"),
    }
}

#[tokio::test]
async fn the_second_has_what_the_first_finds() {
    let flights = Arc::new(SingleFlight::default());
    let key = KeyBuilder::default().finish();
    let leader = lead(&flights, key).await;
    let mut second = Box::pin(flights.turn(key));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(second.as_mut().poll(&mut context).is_pending());
    let other = KeyBuilder::default().number(1).finish();
    drop(lead(&flights, other).await);
    assert!(flights.try_turn(key).is_none());
    leader.found(found());
    assert!(matches!(second.await, Turn::Waited(Some(_))));
    drop(lead(&flights, key).await);
    assert!(lock(&flights.running).is_empty());
}

#[tokio::test]
async fn the_second_learns_that_the_first_has_failed() {
    let flights = Arc::new(SingleFlight::default());
    let key = KeyBuilder::default().finish();
    let leader = lead(&flights, key).await;
    let mut second = Box::pin(flights.turn(key));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(second.as_mut().poll(&mut context).is_pending());
    drop(leader);
    assert!(matches!(second.await, Turn::Waited(None)));
    assert!(lock(&flights.running).is_empty());
}

#[tokio::test]
async fn who_comes_after_the_end_has_a_turn_of_its_own() {
    let flights = Arc::new(SingleFlight::default());
    let key = KeyBuilder::default().finish();
    lead(&flights, key).await.found(found());
    let next = lead(&flights, key).await;
    assert_eq!(lock(&flights.running).len(), 1);
    drop(next);
    assert!(lock(&flights.running).is_empty());
}
