//! Follows the heads of a connection's requests, byte by byte, and encodes their targets.
//!
//! It must never take for a target what the HTTP parser takes for something else. So it follows
//! line ends as that parser does, and gives up for good at the first thing that is no plain head.
//!
//! That parser answers a head that is too large for it with nothing but a status. Such a head is
//! cut to what the parser takes, and a header line is added that says so.

use memchr::{memchr, memchr2};

use super::edit::Edit;

/// Bytes of a target that are given on; an `http::Uri` holds 65,534.
pub(super) const MAX_TARGET: usize = 64_000;
/// Header lines that are given on, with room for one of ours; the parser takes 96.
pub(super) const MAX_LINES: usize = 94;
/// Bytes of a head that are given on; the parser takes 131,072.
pub(super) const MAX_HEAD: usize = 128_000;

/// Name of the header line that tells of a cut, and its values.
pub(crate) const EXCESS: &str = "passerelle-head-excess";
pub(crate) const EXCESS_TARGET: &str = "target";
pub(crate) const EXCESS_HEADERS: &str = "headers";

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
    /// Nothing is given on any more.
    Excess,
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
    /// What was given on of this head.
    given: Given,
}

/// What was given on of a head.
#[derive(Clone, Copy, Debug, Default)]
struct Given {
    bytes: usize,
    target: usize,
    lines: usize,
    /// The target goes on, but was not given on.
    target_is_cut: bool,
}

impl Scanner {
    /// Follows what was read, and says what to read in its place if that is something else.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut edit = Edit::of(bytes);
        while let Some(next) = edit.rest().first().copied() {
            if self.place == Place::Name && self.is_excess(next) {
                self.cut(&mut edit);
            }
            match self.place {
                Place::Opaque => edit.keep(edit.rest().len()),
                Place::Excess => edit.skip(edit.rest().len()),
                _ => self.advance(&mut edit),
            }
        }
        edit.result()
    }

    /// Follows up to and including the next byte that may lead to another place.
    fn advance(&mut self, edit: &mut Edit<'_>) {
        let run = self.run(edit.rest());
        let (head, tail) = edit.rest().split_at(run);
        if self.place == Place::Target {
            self.give_target(edit, head);
        } else if self.place == Place::Value && self.given.bytes + run > MAX_HEAD {
            return self.cut(edit);
        } else {
            edit.keep(run);
            self.given.bytes += run;
        }
        let Some(byte) = tail.first() else { return };
        edit.keep(1);
        self.given.bytes += 1;
        let was = self.place;
        self.step(*byte);
        if was == Place::Version && self.place == Place::Name && self.given.target_is_cut {
            edit.insert(format!("{EXCESS}: {EXCESS_TARGET}\r\n").as_bytes());
        }
    }

    /// Gives on what there is room for, encoded.
    fn give_target(&mut self, edit: &mut Edit<'_>, part: &[u8]) {
        let encoded = part.iter().copied().any(must_be_encoded);
        let room = MAX_TARGET - self.given.target;
        if !encoded && part.len() <= room {
            edit.keep(part.len());
            self.given.target += part.len();
            self.given.bytes += part.len();
            return;
        }
        let mut out = Vec::with_capacity(part.len());
        for byte in part {
            encode(&mut out, *byte);
        }
        if out.len() > room {
            out.truncate(room);
            self.given.target_is_cut = true;
        }
        edit.skip(part.len());
        edit.insert(&out);
        self.given.target += out.len();
        self.given.bytes += out.len();
    }

    /// Whether a header line that begins or goes on with this byte is too much.
    fn is_excess(&mut self, next: u8) -> bool {
        if self.word.len == 0 && !matches!(next, b'\r' | b'\n') {
            self.given.lines += 1;
        }
        self.given.lines > MAX_LINES || self.given.bytes > MAX_HEAD
    }

    /// Ends the head here.
    fn cut(&mut self, edit: &mut Edit<'_>) {
        edit.insert(match self.place {
            Place::Name if self.word.len > 0 => b":\r\n",
            Place::Value => b"\r\n",
            _ => b"",
        });
        edit.insert(format!("{EXCESS}: {EXCESS_HEADERS}\r\n\r\n").as_bytes());
        self.go(Place::Excess);
    }

    /// Bytes up to the next one that may lead to another place.
    fn run(&self, bytes: &[u8]) -> usize {
        let end = match self.place {
            Place::Target => memchr2(b' ', b'\n', bytes),
            Place::Version | Place::Value => memchr(b'\n', bytes),
            Place::Method | Place::Name => Some(0),
            Place::Opaque | Place::Excess => None,
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
                self.given = Given::default();
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
