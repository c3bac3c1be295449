//! What a snapshot sees (`pg_snapshot`).

use std::collections::BTreeSet;

/// What a snapshot sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Transactions from here on are not seen.
    xmax: u64,
    /// Transactions that were running.
    running: BTreeSet<u64>,
}

impl Snapshot {
    /// Reads `xmin:xmax:xip,…`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let _xmin: u64 = parts.next()?.parse().ok()?;
        let xmax = parts.next()?.parse().ok()?;
        let running = parts.next()?.split(',').filter(|xid| !xid.is_empty());
        let running = running.map(|xid| xid.parse().ok());
        Some(Self {
            xmax,
            running: running.collect::<Option<_>>()?,
        })
    }

    /// Transactions that were running, without their epoch.
    pub(crate) fn running(&self) -> impl Iterator<Item = u32> {
        self.running.iter().map(|xid| low(*xid))
    }

    /// Whether a transaction, of which only the lower half of the number is known, had ended.
    /// It is at most 2³¹ transactions away.
    pub(crate) fn sees(&self, xid: u32) -> bool {
        let distance = low(self.xmax).wrapping_sub(xid).cast_signed();
        distance > 0 && !self.running.iter().any(|running| low(*running) == xid)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is what is wanted"
)]
fn low(xid: u64) -> u32 {
    xid as u32
}

#[cfg(test)]
mod tests {
    use super::Snapshot;

    #[test]
    fn sees_what_had_ended() {
        let snapshot = Snapshot::parse("10:20:10,14").expect("a snapshot");
        assert!(snapshot.sees(9) && snapshot.sees(11) && snapshot.sees(19));
        assert!(!snapshot.sees(10) && !snapshot.sees(14));
        assert!(!snapshot.sees(20) && !snapshot.sees(21));
        assert_eq!(snapshot.running().collect::<Vec<_>>(), [10, 14]);
        assert_eq!(Snapshot::parse("5:5:").map(|one| one.sees(4)), Some(true));
        assert_eq!(Snapshot::parse("5:x:"), None);
    }

    #[test]
    fn numbers_that_wrap_around() {
        let snapshot = Snapshot::parse("8589934590:8589934596:8589934593").expect("a snapshot");
        assert!(snapshot.sees(u32::MAX) && snapshot.sees(3) && snapshot.sees(0));
        assert!(!snapshot.sees(1) && !snapshot.sees(4) && !snapshot.sees(100));
    }
}
