use super::*;

const T: u32 = 16384;
const OTHER: u32 = 16385;

fn touched(tables: &[u32]) -> Touched {
    Touched {
        tables: tables.to_vec(),
        definitions: false,
    }
}

/// One that serves, at position 100.
fn sure() -> (Freshness, Instant) {
    let now = Instant::now();
    let freshness = Freshness::new(now);
    freshness.start("server", 100, now);
    freshness.visible(100);
    freshness.confirm(now);
    (freshness, now)
}

fn on(freshness: &Freshness, tables: &[u32]) -> Dependencies {
    Dependencies::new(tables.iter().map(|table| freshness.clock(*table)))
}

#[test]
fn nothing_is_kept_before_the_feed_is_confirmed() {
    let now = Instant::now();
    let freshness = Freshness::new(now);
    assert_eq!(freshness.moment(now), None);
    freshness.start("server", 100, now + LEASE);
    freshness.visible(100);
    assert_eq!(freshness.moment(now), None);
    freshness.confirm(now);
    assert_eq!(freshness.moment(now), None, "others may not know of us yet");
    freshness.confirm(now + LEASE);
    assert!(freshness.moment(now + LEASE).is_some());
}

#[test]
fn a_reply_holds_until_one_of_its_tables_changes() {
    let (freshness, now) = sure();
    let found = freshness.moment(now).unwrap();
    let on_both = on(&freshness, &[T, OTHER]);
    let on_other = on(&freshness, &[OTHER]);
    assert!(freshness.holds(found, &on_both, now));
    freshness.commit(7, 110, &touched(&[T]));
    assert!(!freshness.holds(found, &on_both, now));
    assert!(freshness.holds(found, &on_other, now));

    let early = freshness.moment(now).unwrap();
    assert!(
        !freshness.holds(early, &on_both, now),
        "the commit is not visible yet"
    );
    freshness.visible(110);
    let late = freshness.moment(now).unwrap();
    assert!(freshness.holds(late, &on_both, now));
}

#[test]
fn the_lease_runs_out() {
    let (freshness, now) = sure();
    let found = freshness.moment(now).unwrap();
    let on = on(&freshness, &[T]);
    let late = now + LEASE;
    assert!(!freshness.holds(found, &on, late));
    assert_eq!(freshness.moment(late), None);
    freshness.confirm(late);
    assert!(freshness.holds(found, &on, late));
}

#[test]
fn own_writes_block_until_the_feed_has_them() {
    let (freshness, now) = sure();
    let found = freshness.moment(now).unwrap();
    let on = on(&freshness, &[T]);
    freshness.block(7, &touched(&[T]), now);
    assert!(!freshness.holds(found, &on, now));
    let during = freshness.moment(now).unwrap();
    assert!(!freshness.holds(during, &on, now));
    freshness.commit(7, 110, &touched(&[T]));
    assert!(!freshness.holds(found, &on, now));
    freshness.visible(110);
    let after = freshness.moment(now).unwrap();
    assert!(freshness.holds(after, &on, now));
}

#[test]
fn a_commit_that_the_feed_had_first_blocks_nothing() {
    let (freshness, now) = sure();
    let on = on(&freshness, &[T]);
    freshness.commit(7, 110, &touched(&[T]));
    freshness.visible(110);
    freshness.block(7, &touched(&[T]), now);
    let found = freshness.moment(now).unwrap();
    assert!(freshness.holds(found, &on, now));
}

#[test]
fn a_block_whose_commit_changed_nothing_is_lifted_by_a_later_confirmation() {
    let (freshness, now) = sure();
    let found = freshness.moment(now).unwrap();
    let on = on(&freshness, &[T]);
    freshness.block(7, &touched(&[T]), now);
    freshness.confirm(now);
    assert!(!freshness.holds(found, &on, now));
    let later = now + Duration::from_millis(1);
    freshness.confirm(later);
    assert!(freshness.holds(found, &on, later));
}

#[test]
fn definitions_are_everyones_dependency() {
    let (freshness, now) = sure();
    let found = freshness.moment(now).unwrap();
    let on = on(&freshness, &[]);
    assert!(freshness.knows_definitions(found));
    freshness.commit(7, 110, &Touched::parse("*"));
    assert!(!freshness.holds(found, &on, now));
    assert!(!freshness.knows_definitions(found));
}

#[test]
fn a_new_session_makes_everything_before_it_unreachable() {
    let (freshness, now) = sure();
    let found = freshness.moment(now).unwrap();
    let on = on(&freshness, &[T]);
    freshness.end();
    assert!(!freshness.holds(found, &on, now));
    // A server that was restored counts from further back.
    freshness.start("server", 50, now);
    freshness.visible(50);
    freshness.confirm(now);
    assert!(!freshness.holds(found, &on, now));
    let later = freshness.moment(now).unwrap();
    assert_eq!(freshness.holds_at(49, later, &on, now), None);
    assert_eq!(freshness.holds_at(50, later, &on, now), Some(later));
    assert_eq!(freshness.identity(later).as_deref(), Some("server"));
    assert_eq!(freshness.identity(found), None);
}

#[tokio::test]
async fn the_position_of_a_commit_is_waited_for() {
    let (freshness, _) = sure();
    let mut position = Box::pin(freshness.position(7));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(position.as_mut().poll(&mut context).is_pending());
    freshness.commit(7, 110, &touched(&[T]));
    assert_eq!(position.await, 110);
}
