//! The moment a decision is made for, always handed in by the caller.

use std::time::{SystemTime, UNIX_EPOCH};

/// Whole seconds since the Unix epoch, the unit of the `exp`, `nbf` and `iat` claims (RFC 7519).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// Seconds since the epoch, negative before it.
    pub fn seconds(self) -> i64 {
        self.0
    }
}

impl From<SystemTime> for UnixTime {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
            Err(before) => {
                let seconds = i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX);
                Self(-seconds)
            }
        }
    }
}
