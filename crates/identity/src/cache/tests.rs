//! The bound holds, and what is asked for stays.

use std::sync::Arc;

use super::Cache;

fn key(number: usize) -> Vec<u8> {
    format!("token number {number}").into_bytes()
}

fn kept(cache: &Cache<usize>, numbers: std::ops::Range<usize>) -> usize {
    numbers
        .filter(|number| cache.get(&key(*number)).is_some())
        .count()
}

fn filled(capacity: usize, numbers: std::ops::Range<usize>) -> Cache<usize> {
    let cache = Cache::new(capacity);
    for number in numbers {
        cache.insert(&key(number), Arc::new(number));
    }
    cache
}

#[test]
fn never_holds_more_than_its_bound() {
    for capacity in [0, 1, 2, 63, 64, 65, 129, 1000] {
        let cache = filled(capacity, 0..3000);
        let total: usize = cache
            .shards
            .iter()
            .map(|shard| shard.lock().unwrap())
            .map(|shard| {
                assert_eq!(shard.ring.len(), shard.index.len());
                shard.ring.len()
            })
            .sum();
        assert_eq!(total, capacity);
        assert_eq!(kept(&cache, 0..3000), capacity);
    }
}

#[test]
fn shards_share_the_bound_evenly() {
    let cache: Cache<()> = Cache::new(1003);
    let capacities: Vec<_> = cache
        .shards
        .iter()
        .map(|it| it.lock().unwrap().capacity)
        .collect();
    assert_eq!(capacities.iter().sum::<usize>(), 1003);
    assert!(
        capacities
            .iter()
            .all(|capacity| [125, 126].contains(capacity)),
        "{capacities:?}"
    );
}

#[test]
fn returns_what_was_inserted() {
    let cache = filled(100, 0..50);
    for number in 0..50 {
        assert_eq!(cache.get(&key(number)).as_deref(), Some(&number));
    }
}

#[test]
fn what_is_asked_for_outlives_what_is_not() {
    let cache = filled(4, 0..4);
    assert!(cache.get(&key(1)).is_some());
    for number in 4..7 {
        cache.insert(&key(number), Arc::new(number));
    }
    assert!(cache.get(&key(1)).is_some());
    assert_eq!(kept(&cache, 0..1) + kept(&cache, 2..4), 0);
}

#[test]
fn everything_marked_still_makes_room() {
    let cache = filled(4, 0..4);
    assert_eq!(kept(&cache, 0..4), 4);
    cache.insert(&key(9), Arc::new(9));
    assert!(cache.get(&key(9)).is_some());
    assert_eq!(kept(&cache, 0..4), 3);
}
