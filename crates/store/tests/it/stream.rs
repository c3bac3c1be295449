//! Work is handed to one reader each, and to another when that one dies.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_store::{Store, Stream, StreamEntry, StreamReader};
use passerelle_testkit::{PrivateRedis, TestSentinel};
use tokio::time::timeout;

use crate::{PATIENCE, impatient, patient};

/// Long enough for all that waits here.
const LIFE: Duration = Duration::from_mins(5);

fn payload(number: usize) -> Bytes {
    Bytes::from(number.to_string())
}

async fn take(reader: &mut StreamReader, most: usize) -> Vec<StreamEntry> {
    timeout(PATIENCE, reader.take(most))
        .await
        .expect("entries come")
}

/// Hands work over until it succeeds, as after Redis came back.
async fn add(stream: &Stream, number: usize) {
    let deadline = Instant::now() + PATIENCE;
    while stream.add(&[payload(number)]).await.is_err() {
        assert!(Instant::now() < deadline, "nothing can be handed over");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Takes entries until one of these is among them. The others may have been lost or may come twice.
async fn until(reader: &mut StreamReader, stream: &Stream, wanted: usize) {
    loop {
        let entries = take(reader, 10).await;
        for entry in &entries {
            let _ = stream.acknowledge(&entry.id).await;
        }
        if entries.iter().any(|entry| entry.payload == payload(wanted)) {
            return;
        }
    }
}

async fn each_goes_to_one_reader(store: &Store) {
    let stream = store.stream("work", LIFE);
    let all: Vec<Bytes> = (0..300).map(payload).collect();
    let readers = (0..3).map(|_| {
        let stream = stream.clone();
        tokio::spawn(async move {
            let mut reader = stream.reader();
            let mut taken = Vec::new();
            while let Ok(entries) = timeout(Duration::from_secs(2), reader.take(4)).await {
                assert!((1..=4).contains(&entries.len()));
                for entry in entries {
                    stream.acknowledge(&entry.id).await.unwrap();
                    taken.push(entry.payload);
                }
            }
            taken
        })
    });
    let readers: Vec<_> = readers.collect();
    for portion in all.chunks(17) {
        stream.add(portion).await.unwrap();
    }
    let mut taken = Vec::new();
    for reader in readers {
        taken.extend(reader.await.unwrap());
    }
    assert_eq!(taken.len(), all.len());
    assert_eq!(BTreeSet::from_iter(taken), BTreeSet::from_iter(all));
    assert_eq!(stream.waiting().await.unwrap(), 0);
}

#[tokio::test]
async fn each_entry_goes_to_one_reader_through_redis() {
    let redis = PrivateRedis::start(&[]).await;
    each_goes_to_one_reader(&patient(&redis.url(), "one")).await;
}

#[tokio::test]
async fn each_entry_goes_to_one_reader_in_a_process() {
    each_goes_to_one_reader(&Store::memory()).await;
}

#[tokio::test]
async fn what_a_dead_reader_had_taken_comes_to_another() {
    let redis = PrivateRedis::start(&[]).await;
    let stream = patient(&redis.url(), "dead").stream("work", LIFE);
    stream
        .add(&[payload(1), payload(2), payload(3)])
        .await
        .unwrap();
    let mut mortal = stream.reader();
    let first = take(&mut mortal, 2).await;
    assert_eq!(first.len(), 2);
    stream.acknowledge(&first[0].id).await.unwrap();
    drop(mortal);
    assert_eq!(stream.waiting().await.unwrap(), 2);
    let mut other = stream.reader();
    let mut taken = Vec::new();
    while taken.len() < 2 {
        for entry in take(&mut other, 5).await {
            stream.acknowledge(&entry.id).await.unwrap();
            taken.push(entry.payload);
        }
    }
    assert_eq!(taken, [payload(3), payload(2)]);
    assert_eq!(stream.waiting().await.unwrap(), 0);
}

#[tokio::test]
async fn what_nobody_takes_up_is_forgotten() {
    let redis = PrivateRedis::start(&[]).await;
    let store = patient(&redis.url(), "old");
    let stream = store.stream("work", LIFE);
    assert_eq!(stream.add(&[payload(1), payload(2)]).await.unwrap(), 2);
    let hasty = store.stream("work", Duration::from_millis(1));
    let end = Instant::now() + PATIENCE;
    while hasty.waiting().await.unwrap() > 0 {
        assert!(Instant::now() < end, "they stay");
    }
    assert_eq!(stream.add(&[payload(3)]).await.unwrap(), 1);
    let mut reader = stream.reader();
    assert_eq!(take(&mut reader, 5).await[0].payload, payload(3));
    // A stream that nobody fills any more goes, too.
    let key = redis.ask(&["keys", "*work*"]);
    assert!(redis.ask(&["pttl", &key]).parse::<i64>().unwrap() > 0);
}

#[tokio::test]
async fn readers_go_on_in_a_redis_that_was_emptied() {
    let redis = PrivateRedis::start(&[]).await;
    let stream = patient(&redis.url(), "emptied").stream("work", LIFE);
    let mut reader = stream.reader();
    for number in 0..3 {
        stream.add(&[payload(number)]).await.unwrap();
        until(&mut reader, &stream, number).await;
        assert_eq!(redis.ask(&["flushall"]), "OK");
    }
    // Emptied while it waits.
    let (waiting, adding) = (until(&mut reader, &stream, 9), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(redis.ask(&["flushall"]), "OK");
        stream.add(&[payload(9)]).await.unwrap();
    });
    tokio::join!(waiting, adding);
}

#[tokio::test]
async fn a_redis_that_is_away_is_told_at_once_and_found_again() {
    let mut redis = PrivateRedis::start(&[]).await;
    let stream = impatient(&redis.url(), "killed").stream("work", LIFE);
    let mut reader = stream.reader();
    add(&stream, 1).await;
    until(&mut reader, &stream, 1).await;
    assert!(stream.is_read());
    redis.kill().await;
    let since = Instant::now();
    for _ in 0..100 {
        assert!(stream.add(&[payload(2)]).await.is_err());
    }
    assert!(
        since.elapsed() < Duration::from_secs(10),
        "{:?}",
        since.elapsed()
    );
    // The reader notices by itself.
    let gone = async {
        while stream.is_read() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        entries = reader.take(1) => panic!("{entries:?} of a Redis that is away"),
        gone = timeout(PATIENCE, gone) => gone.unwrap(),
    }
    redis.restart().await;
    add(&stream, 3).await;
    until(&mut reader, &stream, 3).await;
}

#[tokio::test]
async fn a_redis_that_stands_still_is_noticed_by_who_waits_for_it() {
    let redis = PrivateRedis::start(&[]).await;
    let stream = impatient(&redis.url(), "paused").stream("work", LIFE);
    let mut reader = stream.reader();
    add(&stream, 1).await;
    until(&mut reader, &stream, 1).await;
    redis.pause();
    let gone = async {
        while stream.is_read() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        entries = reader.take(1) => panic!("{entries:?} of a Redis that stands still"),
        gone = timeout(PATIENCE, gone) => gone.unwrap(),
    }
    redis.resume();
    add(&stream, 2).await;
    until(&mut reader, &stream, 2).await;
}

#[tokio::test]
async fn readers_follow_a_promotion() {
    let mut servers = TestSentinel::start().await;
    let stream = impatient(&servers.url(), "failover").stream("work", LIFE);
    let mut reader = stream.reader();
    add(&stream, 1).await;
    until(&mut reader, &stream, 1).await;
    servers.master.kill().await;
    let adding = async {
        add(&stream, 2).await;
    };
    tokio::join!(adding, until(&mut reader, &stream, 2));
    let replication = servers.replica.ask(&["info", "replication"]);
    assert!(replication.contains("role:master"), "{replication}");
}
