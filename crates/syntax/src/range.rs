//! Which rows are asked for: `limit`, `offset` and the `Range` header.
//!
//! Numbers of any size are understood; what does not fit is cut to the largest `bigint`.

use crate::error::RangeFault;
use crate::query::embed_path;
use crate::request::{EmbedPath, RowRange};
use crate::{Limits, ParseError};

/// Far outside of `bigint`, and small enough that sums do not overflow.
const BEYOND: i128 = 1 << 80;

/// Rows from `first` to `last`, numbered from 0; empty if `last` is below `first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rows {
    first: i128,
    last: Option<i128>,
}

const ALL: Rows = Rows {
    first: 0,
    last: None,
};

impl Rows {
    fn is_empty(self) -> bool {
        self.last.is_some_and(|last| last < self.first)
    }

    /// Whether it was made by a limit of zero, which is legal although it is empty.
    fn ends_before_zero(self) -> bool {
        self.last == Some(-1)
    }

    fn intersection(self, other: Self) -> Self {
        let last = match (self.last, other.last) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self {
            first: self.first.max(other.first),
            last,
        }
    }

    fn to_range(self) -> RowRange {
        let offset = to_bigint(self.first);
        RowRange {
            offset,
            limit: self.last.map(|last| to_bigint(last - self.first + 1)),
        }
    }
}

fn to_bigint(number: i128) -> u64 {
    let largest = i64::MAX.unsigned_abs();
    u64::try_from(number.max(0)).map_or(largest, |number| number.min(largest))
}

/// `limit` and `offset` of one level.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    limit: Option<LimitParameter>,
    /// What is no number is zero.
    offset: Option<i128>,
}

#[derive(Clone, Copy, Debug)]
enum LimitParameter {
    Rows(i128),
    Unintelligible,
}

impl Window {
    /// The last of several values is the one that counts.
    pub(crate) fn set_limit(&mut self, value: &str) {
        self.limit =
            Some(number(value).map_or(LimitParameter::Unintelligible, LimitParameter::Rows));
    }

    /// The last of several values is the one that counts.
    pub(crate) fn set_offset(&mut self, value: &str) {
        self.offset = Some(number(value).unwrap_or(0));
    }

    fn rows(self) -> Rows {
        let first = self.offset.unwrap_or(0);
        let last = match (self.limit, self.offset) {
            (None, _) | (Some(LimitParameter::Unintelligible), None) => None,
            (Some(LimitParameter::Rows(limit)), _) => Some(first + limit - 1),
            // With an offset, a limit that is no number leaves no rows.
            (Some(LimitParameter::Unintelligible), Some(_)) => Some(first - 1),
        };
        Rows { first, last }
    }
}

/// An integer as Haskell reads it: blanks around it and a minus are fine.
fn number(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits.trim_start()),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits
        .parse::<i128>()
        .map_or(BEYOND, |size| size.min(BEYOND));
    Some(if negative { -size } else { size })
}

/// `first-last` or `first-`; anything else asks for all rows.
fn header_rows(value: &str) -> Rows {
    let Some((first, last)) = value.split_once('-') else {
        return ALL;
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(first) || !digits(last) {
        return ALL;
    }
    match number(first) {
        Some(first) => Rows {
            first,
            last: number(last),
        },
        None => ALL,
    }
}

/// The rows of the root: the parameters' and, for GET and QUERY, those of the `Range` header. PUT knows no
/// range.
pub(crate) fn root_range(
    method: &str,
    header: Option<&str>,
    window: Window,
) -> Result<RowRange, ParseError> {
    let from_header = match header {
        Some(value) if matches!(method, "GET" | "QUERY") => header_rows(value),
        _ => ALL,
    };
    let asked = window.rows();
    let rows = if asked.ends_before_zero() {
        Rows {
            first: 0,
            last: Some(-1),
        }
    } else {
        // An empty range stays empty wherever the other one begins.
        let rows = from_header.intersection(asked);
        if rows.is_empty() || asked.is_empty() || from_header.is_empty() {
            return Err(ParseError::InvalidRange(if from_header.is_empty() {
                RangeFault::LowerAboveUpper
            } else {
                RangeFault::NegativeLimit
            }));
        }
        rows
    };
    if method == "PUT" && rows != ALL {
        return Err(ParseError::PutLimit);
    }
    Ok(rows.to_range())
}

/// All `limit` and `offset` parameters.
#[derive(Default)]
pub(crate) struct Windows {
    /// Those of the root.
    pub(crate) root: Window,
    /// Those of embeds, by the path as it is written.
    embeds: Vec<(String, Window)>,
}

impl Windows {
    /// The window that a parameter of this name belongs to.
    pub(crate) fn of(&mut self, name: &str) -> &mut Window {
        let Some((path, _)) = name.rsplit_once('.') else {
            return &mut self.root;
        };
        let known = self.embeds.iter().position(|(known, _)| known == path);
        let index = known.unwrap_or_else(|| {
            self.embeds.push((path.to_owned(), Window::default()));
            self.embeds.len() - 1
        });
        &mut self.embeds[index].1
    }

    /// The ranges of embeds with their paths read. An embed may be limited to zero rows at any
    /// offset; a number below zero is an error. A path that is cut short to the root, as in
    /// `a{b.limit`, means nothing; of several spellings of a path the last counts.
    pub(crate) fn embeds(self, limits: &Limits) -> Result<Vec<(EmbedPath, RowRange)>, ParseError> {
        let mut ranges: Vec<(EmbedPath, RowRange)> = Vec::with_capacity(self.embeds.len());
        for (path, window) in self.embeds {
            let path = embed_path(&format!("{path}.limit"), limits)?;
            let rows = window.rows();
            if rows.first < 0 || rows.last.is_some_and(|last| last < rows.first - 1) {
                return Err(ParseError::InvalidRange(RangeFault::NegativeLimit));
            }
            match ranges.iter_mut().find(|(known, _)| *known == path) {
                _ if path.is_empty() => {}
                Some((_, range)) => *range = rows.to_range(),
                None => ranges.push((path, rows.to_range())),
            }
        }
        Ok(ranges)
    }
}
