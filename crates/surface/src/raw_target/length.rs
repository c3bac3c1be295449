//! The declared length of a body, read byte by byte.

/// What a head has said of its body's length so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Length {
    /// Nothing.
    #[default]
    Absent,
    /// A value begins, and it may still be blank.
    Begun,
    /// These digits came.
    Digits(u64),
    /// Nothing but blanks may follow.
    Ended(u64),
    /// What may mean something else to the parser, or nothing.
    Doubtful,
}

impl Length {
    /// Another header line gives the length. There may be one.
    pub(super) fn begin(&mut self) {
        *self = match self {
            Self::Absent => Self::Begun,
            _ => Self::Doubtful,
        };
    }

    /// A part of the line's value.
    pub(super) fn push(&mut self, value: &[u8]) {
        for byte in value {
            *self = match (*self, byte) {
                (Self::Begun, b' ' | b'\t') => Self::Begun,
                (Self::Begun, b'0'..=b'9') => Self::Digits(u64::from(byte - b'0')),
                (Self::Digits(length), b'0'..=b'9') => length
                    .checked_mul(10)
                    .and_then(|length| length.checked_add(u64::from(byte - b'0')))
                    .map_or(Self::Doubtful, Self::Digits),
                (Self::Digits(length) | Self::Ended(length), b' ' | b'\t' | b'\r') => {
                    Self::Ended(length)
                }
                _ => Self::Doubtful,
            };
        }
    }

    /// The bytes of the body, if they are known.
    pub(super) fn bytes(self) -> Option<u64> {
        match self {
            Self::Absent => Some(0),
            Self::Digits(length) | Self::Ended(length) => Some(length),
            Self::Begun | Self::Doubtful => None,
        }
    }
}
