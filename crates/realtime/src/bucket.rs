//! How often something may be done.

use std::time::Instant;

/// So often a second, and as often at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    rate: f64,
    left: f64,
    since: Instant,
}

impl Bucket {
    pub(crate) fn new(rate: u32, now: Instant) -> Self {
        let rate = f64::from(rate);
        Self {
            rate,
            left: rate,
            since: now,
        }
    }

    /// Whether it may be done once more.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.take_many(1, now)
    }

    /// Whether it may be done so many times more.
    pub(crate) fn take_many(&mut self, many: u32, now: Instant) -> bool {
        let many = f64::from(many);
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.since = now;
        self.left = (self.left + passed * self.rate).min(self.rate);
        if self.left < many {
            return false;
        }
        self.left -= many;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn fills_with_time() {
        let now = Instant::now();
        let mut bucket = Bucket::new(2, now);
        assert!(bucket.take(now) && bucket.take(now) && !bucket.take(now));
        assert!(bucket.take(now + Duration::from_millis(600)));
        assert!(!bucket.take(now + Duration::from_millis(600)));
    }
}
