//! Up to which position new snapshots see everything.

use std::collections::{BTreeSet, VecDeque};

use super::position::Position;
use super::snapshot::Snapshot;

/// Commits that were delivered and that new snapshots may not see yet.
#[derive(Debug)]
pub(super) struct Visibility {
    /// Transactions that may have been committed before the stream began, and are not delivered.
    suspects: BTreeSet<u32>,
    /// Transactions with the positions of their commits, in order.
    delivered: VecDeque<(u32, Position)>,
    /// Where the last delivered commit ends.
    last: Position,
}

impl Visibility {
    /// For a stream that begins at a position; the snapshot was taken since.
    pub(super) fn new(position: Position, snapshot: &Snapshot) -> Self {
        Self {
            suspects: snapshot.running().collect(),
            delivered: VecDeque::new(),
            last: position,
        }
    }

    /// A commit was delivered.
    pub(super) fn deliver(&mut self, xid: u32, position: Position) {
        self.suspects.remove(&xid);
        self.delivered.push_back((xid, position));
        self.last = self.last.max(position);
    }

    /// Whether something was delivered that may not be visible yet.
    pub(super) fn is_behind(&self) -> bool {
        !self.delivered.is_empty() || !self.suspects.is_empty()
    }

    /// Where the last delivered commit ends.
    pub(super) fn last(&self) -> Position {
        self.last
    }

    /// Up to where a snapshot, and so every later one, sees everything, at most up to `reach`,
    /// which is as far as delivery had come for sure.
    pub(super) fn look(&mut self, snapshot: &Snapshot, reach: Position) -> Option<Position> {
        self.suspects.retain(|xid| !snapshot.sees(*xid));
        self.delivered.retain(|(xid, _)| !snapshot.sees(*xid));
        if !self.suspects.is_empty() {
            return None;
        }
        let first = self.delivered.front().map(|(_, Position(at))| at - 1);
        Some(first.map_or(reach, |before| reach.min(Position(before))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(text: &str) -> Snapshot {
        Snapshot::parse(text).expect("a snapshot")
    }

    #[test]
    fn waits_for_what_began_before() {
        let mut visibility = Visibility::new(Position(100), &snapshot("5:8:5,7"));
        assert_eq!(visibility.look(&snapshot("5:9:5"), Position(100)), None);
        visibility.deliver(5, Position(120));
        // It is delivered, and not yet visible.
        let seen = visibility.look(&snapshot("5:9:5"), Position(130));
        assert_eq!(seen, Some(Position(119)));
        let seen = visibility.look(&snapshot("9:9:"), Position(130));
        assert_eq!(seen, Some(Position(130)));
        assert!(!visibility.is_behind());
    }

    #[test]
    fn later_commits_may_be_visible_first() {
        let mut visibility = Visibility::new(Position(100), &snapshot("5:5:"));
        visibility.deliver(5, Position(110));
        visibility.deliver(6, Position(120));
        visibility.deliver(9, Position(130));
        let seen = visibility.look(&snapshot("5:8:5"), Position(130));
        assert_eq!(seen, Some(Position(109)));
        let seen = visibility.look(&snapshot("8:8:"), Position(130));
        assert_eq!(seen, Some(Position(129)));
        assert_eq!(visibility.last(), Position(130));
    }
}
