use super::*;

const LIMITS: Limits = Limits {
    connections: 2,
    waiters: 64,
    idle_time: Some(Duration::from_secs(30)),
};

fn state() -> State<u32, &'static str> {
    State::new(LIMITS)
}

fn returned(connection: u32, role: &str) -> Returned<u32> {
    Returned {
        connection,
        role: Some(role.into()),
        generation: 0,
        expires: None,
    }
}

fn give(
    state: &mut State<u32, &'static str>,
    connection: u32,
    role: &str,
) -> Option<(&'static str, Option<u32>)> {
    let next = state.give_back(Some(returned(connection, role)), Instant::now(), &mut None)?;
    Some((next.handle, next.connection))
}

/// A state with two connections, both in use.
fn full() -> State<u32, &'static str> {
    let mut state = state();
    assert_eq!(state.choose("a"), Choice::Vacancy);
    assert_eq!(state.choose("b"), Choice::Vacancy);
    state
}

#[test]
fn a_role_gets_the_connection_it_used_last() {
    let mut state = full();
    assert_eq!(give(&mut state, 1, "a"), None);
    assert_eq!(give(&mut state, 2, "b"), None);
    assert_eq!(state.choose("a"), Choice::Idle(1));
    assert_eq!(state.choose("b"), Choice::Idle(2));
    assert_eq!(state.choose("b"), Choice::Wait);
}

#[test]
fn a_new_connection_is_better_than_one_of_another_role() {
    let mut state = state();
    assert_eq!(state.choose("a"), Choice::Vacancy);
    give(&mut state, 1, "a");
    assert_eq!(state.choose("b"), Choice::Vacancy);
}

#[test]
fn a_full_pool_gives_an_unknown_role_the_longest_idle() {
    let mut state = full();
    give(&mut state, 2, "b");
    give(&mut state, 1, "a");
    assert_eq!(state.choose("c"), Choice::Idle(2));
}

#[test]
fn a_returned_connection_goes_to_a_waiter_of_its_role() {
    let mut state = full();
    for (role, handle) in [("b", "first"), ("a", "second"), ("b", "third")] {
        assert!(state.wait(role, handle));
    }
    assert_eq!(give(&mut state, 1, "a"), Some(("second", Some(1))));
    assert_eq!(give(&mut state, 1, "a"), Some(("first", Some(1))));
    assert_eq!(state.status().waiting, 1);
}

#[test]
fn nobody_is_overtaken_without_end() {
    let mut state = full();
    state.wait("rare", "patient");
    for served in 0..=MAX_OVERTAKEN {
        state.wait("a", "eager");
        let (handle, _) = give(&mut state, 1, "a").unwrap();
        let expected = if served < MAX_OVERTAKEN {
            "eager"
        } else {
            "patient"
        };
        assert_eq!(handle, expected);
    }
}

#[test]
fn a_lost_connection_leaves_its_place_to_a_waiter() {
    let mut state = full();
    state.wait("a", "waiting");
    let next = state.give_back(None, Instant::now(), &mut None).unwrap();
    assert_eq!(
        next,
        HandOver {
            handle: "waiting",
            connection: None
        }
    );
    assert_eq!(state.status().size, 2);
    assert_eq!(state.give_back(None, Instant::now(), &mut None), None);
    assert_eq!(state.status().size, 1);
}

#[test]
fn the_queue_is_bounded() {
    let mut state = full();
    for _ in 0..LIMITS.waiters {
        assert!(state.wait("a", "waiting"));
    }
    assert!(!state.wait("a", "refused"));
    state.retain_waiters(|_| false);
    assert!(state.wait("a", "admitted"));
}

#[test]
fn idle_and_old_connections_are_removed() {
    let mut state = full();
    let now = Instant::now();
    let later = now + Duration::from_secs(31);
    state.give_back(Some(returned(1, "a")), now, &mut None);
    let old = Returned {
        expires: Some(now),
        ..returned(2, "b")
    };
    let mut dropped = None;
    assert_eq!(state.give_back(Some(old), later, &mut dropped), None);
    assert_eq!(dropped.take(), Some(2));
    assert_eq!(state.prune(now), Vec::<u32>::new());
    assert_eq!(state.prune(later), vec![1]);
    assert_eq!(
        state.status(),
        PoolStatus {
            max_size: 2,
            ..PoolStatus::default()
        }
    );
}

#[test]
fn renewal_reaches_connections_in_use() {
    let mut state = full();
    give(&mut state, 1, "a");
    assert_eq!(state.renew(), vec![1]);
    let mut dropped = None;
    assert_eq!(
        state.give_back(Some(returned(2, "b")), Instant::now(), &mut dropped),
        None
    );
    assert_eq!(dropped, Some(2));
    assert_eq!(state.status().size, 0);
}

#[test]
fn a_closed_pool_refuses_and_keeps_nothing() {
    let mut state = full();
    state.wait("a", "waiting");
    assert_eq!(state.close(), (Vec::new(), vec!["waiting"]));
    assert_eq!(state.choose("a"), Choice::Closed);
    assert_eq!(give(&mut state, 1, "a"), None);
    assert_eq!(state.status().size, 1);
}
