//! Follows the heads of a connection's requests, byte by byte, and encodes their targets.
//!
//! It must never take for a target what the HTTP parser takes for something else. So it follows
//! line ends as that parser does, and gives up for good at the first thing that is no plain head.

use memchr::{memchr, memchr2};

/// Longest name that matters: `transfer-encoding`.
const LONGEST: usize = 17;

/// Where in a request the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Method,
    Target,
    Version,
    Name,
    Value,
    /// Nothing is looked at any more.
    Opaque,
}

/// The beginning of a method or of a header's name, in lower case.
#[derive(Clone, Copy, Debug, Default)]
struct Word {
    bytes: [u8; LONGEST],
    /// Bytes that came, also those that do not fit.
    len: usize,
}

impl Word {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte.to_ascii_lowercase();
        }
        self.len = self.len.saturating_add(1);
    }

    fn is(&self, word: &[u8]) -> bool {
        self.bytes.get(..self.len) == Some(word)
    }
}

/// The state between two reads.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scanner {
    place: Place,
    word: Word,
    /// More than the next head may follow this one.
    has_payload: bool,
}

impl Scanner {
    /// Follows what was read, and says what to read in its place if anything was encoded.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut encoded: Option<Vec<u8>> = None;
        let mut rest = bytes;
        while self.place != Place::Opaque && !rest.is_empty() {
            let run = self.run(rest);
            let (head, tail) = rest.split_at(run);
            if self.place == Place::Target && head.iter().copied().any(must_be_encoded) {
                let copied = bytes.len() - rest.len();
                let out = encoded.get_or_insert_with(|| bytes[..copied].to_vec());
                for byte in head {
                    encode(out, *byte);
                }
            } else if let Some(out) = &mut encoded {
                out.extend_from_slice(head);
            }
            rest = tail;
            if let Some((byte, tail)) = rest.split_first() {
                self.step(*byte);
                if let Some(out) = &mut encoded {
                    out.push(*byte);
                }
                rest = tail;
            }
        }
        if let Some(out) = &mut encoded {
            out.extend_from_slice(rest);
        }
        encoded
    }

    /// Bytes up to the next one that may lead to another place.
    fn run(&self, bytes: &[u8]) -> usize {
        let end = match self.place {
            Place::Target => memchr2(b' ', b'\n', bytes),
            Place::Version | Place::Value => memchr(b'\n', bytes),
            Place::Method | Place::Name => Some(0),
            Place::Opaque => None,
        };
        end.unwrap_or(bytes.len())
    }

    fn step(&mut self, byte: u8) {
        match (self.place, byte) {
            (Place::Method, b' ') => {
                self.has_payload = self.word.is(b"connect");
                self.go(Place::Target);
            }
            (Place::Target, b' ') => self.go(Place::Version),
            (Place::Version | Place::Value, b'\n') => self.go(Place::Name),
            (Place::Name, b':') => {
                self.has_payload |= [&b"content-length"[..], b"transfer-encoding", b"upgrade"]
                    .iter()
                    .any(|name| self.word.is(name));
                self.go(Place::Value);
            }
            // Empty lines before a request are skipped.
            (Place::Method, b'\n') if self.word.len == 0 => {}
            (Place::Name, b'\n') if self.word.len == 0 && !self.has_payload => {
                self.go(Place::Method);
            }
            (_, b'\n') => self.go(Place::Opaque),
            (Place::Method | Place::Name, b'\r') => {}
            (_, byte) => self.word.push(byte),
        }
    }

    fn go(&mut self, place: Place) {
        self.place = place;
        self.word = Word::default();
    }
}

/// What the parser refuses in a target, and `PostgREST` does not.
fn must_be_encoded(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'`' | 0x7f..)
}

fn encode(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if must_be_encoded(byte) {
        let digit = |nibble: u8| DIGITS[usize::from(nibble & 0xf)];
        out.extend([b'%', digit(byte >> 4), digit(byte)]);
    } else {
        out.push(byte);
    }
}
