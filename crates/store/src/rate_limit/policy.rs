//! How many requests are allowed.

use std::time::Duration;

use thiserror::Error;

/// The longest time a whole burst may take to become available again.
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// A sustained rate, and how many requests may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatePolicy {
    burst: u32,
    /// Microseconds between requests at the sustained rate.
    pub(super) interval: u64,
}

/// Why there is no such policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// Nothing would be allowed.
    #[error("the number of requests, the period and the burst must not be zero")]
    Zero,
    /// More than one request per microsecond.
    #[error("the rate is too high to be limited")]
    TooFast,
    /// The burst takes longer than 30 days to become available again.
    #[error("the burst takes longer than 30 days to become available again")]
    TooSlow,
}

impl RatePolicy {
    /// `requests` per `period`, and up to `burst` at once. The interval between requests is
    /// rounded up to whole microseconds.
    ///
    /// # Errors
    /// [`PolicyError`], when nothing or everything would be allowed, or for longer than anybody
    /// remembers.
    pub fn new(requests: u32, period: Duration, burst: u32) -> Result<Self, PolicyError> {
        if requests == 0 || burst == 0 || period.is_zero() {
            return Err(PolicyError::Zero);
        }
        let period = period.as_micros();
        if period < u128::from(requests) {
            return Err(PolicyError::TooFast);
        }
        let interval = period.div_ceil(u128::from(requests));
        if interval * u128::from(burst) > LONGEST.as_micros() {
            return Err(PolicyError::TooSlow);
        }
        let interval = u64::try_from(interval).map_err(|_| PolicyError::TooSlow)?;
        Ok(Self { burst, interval })
    }

    /// How many requests may come at once.
    pub fn burst(&self) -> u32 {
        self.burst
    }

    /// The time between requests at the sustained rate.
    pub fn interval(&self) -> Duration {
        Duration::from_micros(self.interval)
    }

    /// How long a whole burst takes to become available again.
    pub fn refill(&self) -> Duration {
        Duration::from_micros(self.span())
    }

    /// The same in microseconds: how far ahead the kept time may be.
    pub(super) fn span(&self) -> u64 {
        u64::from(self.burst) * self.interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_never_allows_more_than_the_rate() {
        let policy = RatePolicy::new(7, Duration::from_secs(1), 3).unwrap();
        assert_eq!(policy.interval(), Duration::from_micros(142_858));
        assert_eq!(policy.refill(), Duration::from_micros(3 * 142_858));
    }

    #[test]
    fn what_limits_nothing_or_everything_is_no_policy() {
        let second = Duration::from_secs(1);
        assert_eq!(RatePolicy::new(0, second, 1), Err(PolicyError::Zero));
        assert_eq!(RatePolicy::new(1, second, 0), Err(PolicyError::Zero));
        assert_eq!(
            RatePolicy::new(1, Duration::ZERO, 1),
            Err(PolicyError::Zero)
        );
        let fast = RatePolicy::new(1_000_001, second, 1);
        assert_eq!(fast, Err(PolicyError::TooFast));
        let slow = RatePolicy::new(1, Duration::from_hours(24), 31);
        assert_eq!(slow, Err(PolicyError::TooSlow));
    }
}
