//! Redis: start, reuse and leftovers.

use std::path::Path;

use passerelle_cluster::{Durability, Redis, RedisSettings};

use crate::{directory, runs};

fn settings(dir: &Path) -> RedisSettings {
    RedisSettings {
        durability: Durability::Volatile,
        ..RedisSettings::new(dir)
    }
}

#[tokio::test]
async fn a_second_start_keeps_the_address() {
    let dir = directory();
    let first = Redis::start(&settings(dir.path())).await.unwrap();
    let (url, pid) = (first.endpoint().url(), first.endpoint().pid);
    first.stop().await.unwrap();
    assert!(!runs(pid));
    let second = Redis::start(&settings(dir.path())).await.unwrap();
    assert_eq!(second.endpoint().url(), url);
}

#[tokio::test]
async fn what_a_crashed_starter_left_is_stopped() {
    let dir = directory();
    let left = Redis::start(&settings(dir.path())).await.unwrap().detach();
    assert_eq!(
        Redis::running(dir.path()).await.unwrap().unwrap().pid,
        left.pid
    );
    let server = Redis::start(&settings(dir.path())).await.unwrap();
    assert!(!runs(left.pid));
    server.stop().await.unwrap();
}
