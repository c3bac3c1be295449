//! Positions in the WAL (`pg_lsn`).

use std::fmt;
use std::str::FromStr;

/// A position in the WAL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// A page of the WAL, in bytes, unless PostgreSQL was built otherwise.
const PAGE: u64 = 8192;
/// What each page begins with, in bytes.
const PAGE_HEADER: u64 = 24;
/// What the first page of a segment begins with, in bytes.
const SEGMENT_HEADER: u64 = 40;

impl Position {
    /// Where the last record before this position of insertion ends. PostgreSQL counts the header
    /// of a page that nothing has been written to yet as inserted.
    #[must_use]
    pub fn of_last_record(self, segment_size: u64) -> Self {
        let Self(position) = self;
        if segment_size > 0 && position % segment_size == SEGMENT_HEADER {
            Self(position - SEGMENT_HEADER)
        } else if position % PAGE == PAGE_HEADER {
            Self(position - PAGE_HEADER)
        } else {
            self
        }
    }
}

impl FromStr for Position {
    type Err = ();

    /// Reads PostgreSQL's way of writing it: two hexadecimal numbers of 32 bits.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (high, low) = text.split_once('/').ok_or(())?;
        let number = |text| u32::from_str_radix(text, 16).map_err(drop);
        Ok(Self(
            u64::from(number(high)?) << 32 | u64::from(number(low)?),
        ))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:X}/{:X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn as_postgresql_writes_it() {
        let position: Position = "16/B374D848".parse().expect("a position");
        assert_eq!(position, Position(0x16_B374_D848));
        assert_eq!(position.to_string(), "16/B374D848");
        for wrong in ["", "16", "16/", "x/1", "1/100000000"] {
            assert!(wrong.parse::<Position>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn headers_of_empty_pages_are_no_records() {
        let segment = 16 * 1024 * 1024;
        let last = |position| Position(position).of_last_record(segment).0;
        assert_eq!(last(8192 + 24), 8192);
        assert_eq!(last(segment + 40), segment);
        assert_eq!(last(8192 + 40), 8192 + 40);
        assert_eq!(last(8192 + 32), 8192 + 32);
        assert_eq!(last(8192), 8192);
    }
}
