//! Follows the heads of a connection's requests, byte by byte, and encodes their targets.
//!
//! It must never take for a head what the HTTP parser takes for something else, or the two would see
//! different requests. It need not be as strict, since a head that the parser refuses is the last
//! thing that it reads of a connection. So what has to be shown is that both find the same ends of
//! the heads that the parser takes, and of their bodies:
//!
//! * Such a head is lines without a bare CR, of which only the last is empty, and no line goes on
//!   in the next one. Both end it at the first empty line, and find names before the first colon.
//! * Such a head has a body of `Content-Length` bytes if it has that line, once, in digits, in 64
//!   bits, and neither `Transfer-Encoding`, `Upgrade` nor the method `CONNECT`. Then they are
//!   counted, and the next head begins. Without any of these there is no body.
//! * At anything else (also where the parser would know better) the scanner gives up for good: the
//!   rest of the connection goes on as it came.
//!
//! The module `agreement` and a fuzz target hold it against the parser.
//!
//! That parser answers a head that is too large for it with nothing but a status. Such a head is
//! cut to what the parser takes, and a header line is added that says so.

use memchr::{memchr, memchr2};

use super::edit::Edit;
use super::length::Length;

/// Bytes of a target that are given on; an `http::Uri` holds 65,534.
pub(super) const MAX_TARGET: usize = 64_000;
/// Header lines that are given on, with room for one of ours; the parser takes 96.
pub(super) const MAX_LINES: usize = 94;
/// Bytes of a head that are given on; the parser takes 131,072.
pub(super) const MAX_HEAD: usize = 128_000;

/// Name of the header line that tells of a cut, and its values. A client's own line of that name is
/// given another one; where heads are not followed any more it is believed, and the client has its
/// own request refused and its connection closed.
pub(crate) const EXCESS: &str = "passerelle-head-excess";
pub(crate) const EXCESS_TARGET: &str = "target";
pub(crate) const EXCESS_HEADERS: &str = "headers";

/// What is put behind the name of a line that is not to be understood.
const DISARMED: &[u8] = b"-disarmed";

/// Bytes of a name that are followed at once.
const PART_OF_NAME: usize = 64;

/// Longest name that matters: that of ours.
const LONGEST: usize = EXCESS.len();

/// Where in a request the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Method,
    Target,
    Version,
    Name,
    Value,
    /// The value that is the length of the body.
    Length,
    /// So many bytes are no head.
    Body(u64),
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
    length: Length,
    /// Something else than a body of known length and the next head may follow this head.
    is_last: bool,
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
                Place::Body(left) => self.pass(&mut edit, left),
                _ => self.advance(&mut edit),
            }
        }
        edit.result()
    }

    /// Leaves the next bytes of a body as they are.
    fn pass(&mut self, edit: &mut Edit<'_>, left: u64) {
        let there = edit.rest().len();
        let part = usize::try_from(left).map_or(there, |left| left.min(there));
        edit.keep(part);
        self.go(match left - part as u64 {
            0 => Place::Method,
            left => Place::Body(left),
        });
    }

    /// Follows up to and including the next byte that may lead to another place.
    fn advance(&mut self, edit: &mut Edit<'_>) {
        let run = self.run(edit.rest());
        let (head, tail) = edit.rest().split_at(run);
        if self.place == Place::Target {
            self.give_target(edit, head);
        } else if self.is_in_value() && self.given.bytes + run > MAX_HEAD {
            return self.cut(edit);
        } else {
            match self.place {
                Place::Length => self.length.push(head),
                Place::Name => head.iter().for_each(|byte| self.word.push(*byte)),
                _ => {}
            }
            edit.keep(run);
            self.given.bytes += run;
        }
        let Some(byte) = tail.first() else { return };
        if self.place == Place::Name && *byte == b':' && self.word.is(EXCESS.as_bytes()) {
            edit.insert(DISARMED);
            self.given.bytes += DISARMED.len();
        }
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
        match self.place {
            // What is cut may now be another name, or no number.
            Place::Name if self.word.len > 0 => {
                edit.insert(DISARMED);
                edit.insert(b":\r\n");
            }
            Place::Length if self.length == Length::Begun => edit.insert(b"0\r\n"),
            Place::Value | Place::Length => edit.insert(b"\r\n"),
            _ => {}
        }
        edit.insert(format!("{EXCESS}: {EXCESS_HEADERS}\r\n\r\n").as_bytes());
        self.go(Place::Excess);
    }

    /// Bytes up to the next one that may lead to another place.
    fn run(&self, bytes: &[u8]) -> usize {
        let end = match self.place {
            Place::Target => memchr2(b' ', b'\n', bytes),
            Place::Version | Place::Value | Place::Length => memchr(b'\n', bytes),
            Place::Name => {
                // A CR is no part of the name, and a name that goes on is looked at again for its length.
                let part = &bytes[..bytes.len().min(PART_OF_NAME)];
                let end = part
                    .iter()
                    .position(|byte| matches!(byte, b':' | b'\n' | b'\r'));
                return end.unwrap_or(part.len());
            }
            Place::Method => Some(0),
            Place::Body(_) | Place::Opaque | Place::Excess => None,
        };
        end.unwrap_or(bytes.len())
    }

    fn step(&mut self, byte: u8) {
        match (self.place, byte) {
            (Place::Method, b' ') => {
                self.is_last = self.word.is(b"connect");
                self.go(Place::Target);
            }
            (Place::Target, b' ') => self.go(Place::Version),
            (Place::Version | Place::Value | Place::Length, b'\n') => self.go(Place::Name),
            (Place::Name, b':') if self.word.is(b"content-length") => {
                self.length.begin();
                self.go(Place::Length);
            }
            (Place::Name, b':') => {
                self.is_last |= self.word.is(b"transfer-encoding") || self.word.is(b"upgrade");
                self.go(Place::Value);
            }
            // Empty lines before a request are skipped.
            (Place::Method, b'\n') if self.word.len == 0 => {}
            (Place::Name, b'\n') if self.word.len == 0 => self.end_head(),
            (_, b'\n') => self.go(Place::Opaque),
            (Place::Method | Place::Name, b'\r') => {}
            (_, byte) => self.word.push(byte),
        }
    }

    fn end_head(&mut self) {
        let next = match self.length.bytes() {
            _ if self.is_last => Place::Opaque,
            None => Place::Opaque,
            Some(0) => Place::Method,
            Some(bytes) => Place::Body(bytes),
        };
        *self = Self::default();
        self.go(next);
    }

    fn is_in_value(&self) -> bool {
        matches!(self.place, Place::Value | Place::Length)
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
