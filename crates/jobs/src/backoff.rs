//! Pauses between attempts.

use std::time::Duration;

/// No pause is longer.
const LONGEST: Duration = Duration::from_hours(1);

/// The pause after so many failed attempts, one or more, of which `chance` (0 to 1) is the part that is waited: so many that
/// failed together do not come back together.
pub(crate) fn pause(first: Duration, failed: u32, chance: f64) -> Duration {
    let doublings = failed.saturating_sub(1).min(20);
    let longest = first.saturating_mul(1 << doublings).min(LONGEST);
    longest.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_an_hour() {
        let first = Duration::from_secs(2);
        assert_eq!(pause(first, 1, 1.0), Duration::from_secs(2));
        assert_eq!(pause(first, 1, 0.0), Duration::from_secs(1));
        assert_eq!(pause(first, 4, 1.0), Duration::from_secs(16));
        assert_eq!(pause(first, 60, 1.0), LONGEST);
    }
}
