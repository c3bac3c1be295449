//! Replies that gateways share.

use std::time::Duration;

use passerelle_store::{SharedReplies, Store};
use passerelle_testkit::{PrivateRedis, TestRedis};

use crate::{PATIENCE, patient, runtime};

fn replies(store: &Store) -> SharedReplies {
    store.replies().expect("a store in Redis")
}

#[test]
fn bytes_are_there_for_their_time() {
    runtime().block_on(async {
        let redis = TestRedis::shared().await.unwrap();
        let (one, other) = (
            replies(&patient(redis.url(), "replies")),
            replies(&patient(redis.url(), "replies")),
        );
        assert_eq!(one.get("nothing").await.unwrap(), None);
        let minute = Duration::from_mins(1);
        assert!(one.put("a", b"\0bytes\xff", minute).await.unwrap());
        let (bytes, left) = other.get("a").await.unwrap().unwrap();
        assert_eq!(bytes, b"\0bytes\xff");
        assert!(left <= minute && left > minute / 2, "{left:?}");
        let short = Duration::from_millis(1);
        one.put("b", b"short", short).await.unwrap();
        let gone = async { while other.get("b").await.unwrap().is_some() {} };
        tokio::time::timeout(PATIENCE, gone).await.unwrap();
        assert!(Store::memory().replies().is_none());
    });
}

/// The queue and the sessions of others have to find room.
#[test]
fn nothing_is_put_into_a_redis_that_is_rather_full() {
    runtime().block_on(async {
        let redis =
            PrivateRedis::start(&[("maxmemory", "12mb"), ("maxmemory-policy", "noeviction")]).await;
        let replies = replies(&patient(&redis.url(), "full"));
        let large = vec![b'x'; 256 * 1024];
        let minute = Duration::from_mins(1);
        let mut refused = false;
        let filling = async {
            for number in 0.. {
                if !replies
                    .put(&number.to_string(), &large, minute)
                    .await
                    .unwrap()
                {
                    refused = true;
                    return;
                }
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
        };
        tokio::time::timeout(PATIENCE, filling).await.unwrap();
        assert!(refused);
    });
}
