//! Moments that come again (cron, in UTC).

use std::str::FromStr;

use chrono::{DateTime, Utc};
use croner::Cron;
use thiserror::Error;

/// A schedule in the five fields of cron: minute, hour, day of the month, month, day of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Cron);

/// The text is no schedule.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("not a schedule of cron: {0}")]
pub struct BadSchedule(String);

impl FromStr for Schedule {
    type Err = BadSchedule;

    fn from_str(text: &str) -> Result<Self, BadSchedule> {
        let cron = Cron::from_str(text).map_err(|error| BadSchedule(error.to_string()))?;
        Ok(Self(cron))
    }
}

impl Schedule {
    /// The first moment after another, if there is one.
    pub(crate) fn after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.find_next_occurrence(&moment, false).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_moment_is_found() {
        let nightly: Schedule = "15 3 * * *".parse().expect("a schedule");
        let moment: DateTime<Utc> = "2026-02-28T03:15:00Z".parse().expect("a moment");
        let next = nightly.after(moment).expect("another");
        assert_eq!(next.to_rfc3339(), "2026-03-01T03:15:00+00:00");
        assert!("at night".parse::<Schedule>().is_err());
    }
}
