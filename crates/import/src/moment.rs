//! Instants, as browsers wrote them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde_json::Value;

/// Milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

/// What a value says about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    Instant(Moment),
    /// Without a zone, taken as UTC.
    Local(Moment),
    Nonsense,
}

/// 1970 to 9999.
const RANGE: std::ops::RangeInclusive<i64> = 0..=253_402_300_799_999;
const LOCAL: [&str; 4] = [
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
];

impl Moment {
    /// Milliseconds since 1970, if they are before the year 10000.
    pub(crate) fn new(milliseconds: i64) -> Option<Self> {
        RANGE.contains(&milliseconds).then_some(Self(milliseconds))
    }

    /// What PostgreSQL reads.
    pub(crate) fn text(self) -> String {
        let time = DateTime::from_timestamp_millis(self.0).unwrap_or_default();
        time.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// What comes later has more.
    pub(crate) fn order(self) -> i64 {
        self.0
    }

    /// How many minutes lie between two.
    pub(crate) fn minutes_from(self, other: Self) -> u64 {
        self.0.abs_diff(other.0) / 60_000
    }

    /// When an id was made that begins with its milliseconds.
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        let (milliseconds, _) = id.split_once('-')?;
        if milliseconds.len() != 13 {
            return None;
        }
        Self::new(milliseconds.parse().ok()?)
    }
}

/// Reads a value.
pub(crate) fn told(value: &Value) -> Told {
    match value {
        Value::Null => Told::Nothing,
        Value::String(text) => read(text.trim()),
        Value::Number(number) => number
            .as_i64()
            .and_then(Moment::new)
            .map_or(Told::Nonsense, Told::Instant),
        _ => Told::Nonsense,
    }
}

fn read(text: &str) -> Told {
    if text.is_empty() {
        return Told::Nothing;
    }
    let of = |time: DateTime<Utc>| Moment::new(time.timestamp_millis());
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return of(time.to_utc()).map_or(Told::Nonsense, Told::Instant);
    }
    let mut formats = LOCAL.iter();
    let local = formats.find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let local = local.or_else(|| {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        day.and_hms_opt(0, 0, 0)
    });
    local
        .and_then(|time| of(time.and_utc()))
        .map_or(Told::Nonsense, Told::Local)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn instants_keep_their_milliseconds() {
        let Told::Instant(moment) = told(&json!("2024-03-05T10:20:30.456Z")) else {
            panic!("no instant");
        };
        assert_eq!(moment.text(), "2024-03-05T10:20:30.456Z");
        let same = told(&json!("2024-03-05T11:20:30.456+01:00"));
        assert_eq!(same, Told::Instant(moment));
        assert_eq!(told(&json!(1_709_634_030_456_i64)), Told::Instant(moment));
    }

    #[test]
    fn local_times_are_known_as_such() {
        let Told::Local(moment) = told(&json!("2024-03-05T10:20")) else {
            panic!("no local time");
        };
        assert_eq!(moment.text(), "2024-03-05T10:20:00.000Z");
    }

    #[test]
    fn nothing_and_nonsense() {
        for nothing in [json!(null), json!(""), json!("  ")] {
            assert_eq!(told(&nothing), Told::Nothing);
        }
        for nonsense in [
            json!("soon"),
            json!("0000-01-01T00:00:00Z"),
            json!("2024-13-01"),
            json!(1e300),
            json!(-5),
            json!([]),
        ] {
            assert_eq!(told(&nonsense), Told::Nonsense, "{nonsense}");
        }
    }

    #[test]
    fn an_id_tells_when_it_was_made() {
        let moment = Moment::of_id("1709634030456-k3j5l2m9x");
        assert_eq!(moment.unwrap().text(), "2024-03-05T10:20:30.456Z");
        assert_eq!(Moment::of_id("config-1"), None);
    }
}
