//! The one place that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use passerelle_identity::UnixTime;

/// Now, for what is written down.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub(crate) fn system() -> SystemTime {
    SystemTime::now()
}

/// Now, for what is judged by it.
pub(crate) fn now() -> UnixTime {
    let since = system().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
