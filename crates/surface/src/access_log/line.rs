//! A line of the log: time, severity, and names with values, as text or as JSON.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::http::StatusCode;

use crate::json::push_string;

/// How entries look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// For people.
    Text,
    /// For people at a terminal.
    Coloured,
    /// For machines: an object per line.
    Json,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Error,
    Warn,
    Info,
}

impl Severity {
    pub(super) fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            500.. => Self::Error,
            400..500 => Self::Warn,
            _ => Self::Info,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Error => "31",
            Self::Warn => "33",
            Self::Info => "32",
        }
    }
}

/// Target of the entries.
const TARGET: &str = "passerelle::access";

/// A line that is being written.
pub(super) struct Line<'a> {
    out: &'a mut String,
    form: LogForm,
}

impl<'a> Line<'a> {
    pub(super) fn begin(
        out: &'a mut String,
        form: LogForm,
        time: &str,
        severity: Severity,
    ) -> Self {
        let name = severity.name();
        // Writing to a string cannot fail, here and below.
        let _ = match form {
            LogForm::Text => {
                let padded = if name.len() < 5 { "  " } else { " " };
                for part in [time, padded, name, " ", TARGET, ":"] {
                    out.push_str(part);
                }
                Ok(())
            }
            LogForm::Coloured => {
                let colour = severity.colour();
                write!(
                    out,
                    "\x1b[2m{time}\x1b[0m \x1b[{colour}m{name:>5}\x1b[0m \x1b[2m{TARGET}:\x1b[0m"
                )
            }
            LogForm::Json => write!(out, "{{\"timestamp\":\"{time}\",\"level\":\"{name}\""),
        };
        Self { out, form }
    }

    pub(super) fn end(mut self) {
        if self.form == LogForm::Json {
            self.name("target");
            push_string(self.out, TARGET);
            self.out.push('}');
        }
        self.out.push('\n');
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        match self.form {
            LogForm::Json => push_string(self.out, value),
            _ if is_plain(value) => {
                self.out.push('"');
                self.out.push_str(value);
                self.out.push('"');
            }
            _ => {
                let _ = write!(self.out, "{value:?}");
            }
        }
    }

    pub(super) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        push_decimal(self.out, value);
    }

    pub(super) fn address(&mut self, name: &str, value: IpAddr) {
        self.name(name);
        let _ = match self.form {
            LogForm::Json => write!(self.out, "\"{value}\""),
            _ => write!(self.out, "{value}"),
        };
    }
}

impl Line<'_> {
    fn name(&mut self, name: &str) {
        let (before, after) = match self.form {
            LogForm::Json => (",\"", "\":"),
            _ => (" ", "="),
        };
        self.out.push_str(before);
        self.out.push_str(name);
        self.out.push_str(after);
    }
}

/// Nothing in it needs an escape.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

fn push_decimal(out: &mut String, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(&digits[first..]).unwrap_or_default());
}

/// Times as text (RFC 3339, UTC); all but the fraction is kept from one entry of a second to the next.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    second: Option<u64>,
    text: String,
}

impl Stamp {
    pub(super) fn text(&mut self, time: SystemTime) -> &str {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.second != Some(since.as_secs()) {
            self.second = Some(since.as_secs());
            self.text.clear();
            push_second(&mut self.text, since.as_secs());
        }
        self.text.truncate("2026-01-01T00:00:00.".len());
        let mut micros = since.subsec_micros();
        let mut digits = [b'0'; 6];
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(micros % 10).unwrap_or(0);
            micros /= 10;
        }
        self.text
            .push_str(std::str::from_utf8(&digits).unwrap_or_default());
        self.text.push('Z');
        &self.text
    }
}

/// A second since 1970 as `2026-01-01T00:00:00.`, by the Gregorian calendar.
fn push_second(out: &mut String, second: u64) {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let (days, of_day) = (second / 86_400, second % 86_400);
    // Years begin in March here, so that a leap day comes last, and eras on 1 March of the year 0.
    let days = days + 719_468;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carried) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + carried;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let _ = write!(
        out,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}."
    );
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let mut stamp = Stamp::default();
        let mut at = |seconds, micros| {
            let since = Duration::from_secs(seconds) + Duration::from_micros(micros);
            stamp.text(UNIX_EPOCH + since).to_owned()
        };
        assert_eq!(at(0, 0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(at(951_782_399, 999_999), "2000-02-28T23:59:59.999999Z");
        assert_eq!(at(951_782_400, 5), "2000-02-29T00:00:00.000005Z");
        assert_eq!(at(951_782_400, 70), "2000-02-29T00:00:00.000070Z");
        assert_eq!(at(4_107_542_400, 0), "2100-03-01T00:00:00.000000Z");
        assert_eq!(at(1_767_225_599, 0), "2025-12-31T23:59:59.000000Z");
    }

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 7, 10, 1_234_567_890, u64::MAX] {
            let mut out = String::new();
            push_decimal(&mut out, number);
            assert_eq!(out, number.to_string());
        }
    }
}
