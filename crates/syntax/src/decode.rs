//! Percent-encoding (RFC 3986) and form encoding of paths and query strings.

use crate::ParseError;
use std::borrow::Cow;

/// A name or value of the query string: `+` is a space, and an escape that is none stays as it is.
///
/// # Errors
/// Bytes that are not UTF-8 could only be misunderstood, so they are refused.
pub(crate) fn decode_form(text: &str) -> Result<Cow<'_, str>, ParseError> {
    match decode(text, true) {
        None => Ok(Cow::Borrowed(text)),
        Some(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(error) => Err(ParseError::Query {
                message: format!(
                    "\"failed to decode query parameter ({})\" (line 1, column {})",
                    String::from_utf8_lossy(error.as_bytes()),
                    error.utf8_error().valid_up_to() + 1,
                ),
                details: "unexpected byte expecting UTF-8".to_owned(),
            }),
        },
    }
}

/// A segment of the path; bytes that are not UTF-8 become replacement characters.
pub(crate) fn decode_segment(text: &str) -> String {
    match decode(text, false) {
        None => text.to_owned(),
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// The decoded bytes, or nothing if they are the same.
fn decode(text: &str, plus_is_space: bool) -> Option<Vec<u8>> {
    let encoded = |byte: &u8| *byte == b'%' || (plus_is_space && *byte == b'+');
    let start = text.as_bytes().iter().position(encoded)?;
    let (before, mut rest) = text.as_bytes().split_at(start);
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(before);
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'+', _) if plus_is_space => out.push(b' '),
            (b'%', [high, low, tail @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = tail;
                }
                _ => out.push(b'%'),
            },
            _ => out.push(*byte),
        }
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Appends `text` with all but unreserved characters escaped.
pub(crate) fn push_encoded(out: &mut String, text: &str) {
    push_escaped(out, text, b"");
}

/// Appends `text`, escaping what is neither unreserved nor among `kept`.
pub(crate) fn push_escaped(out: &mut String, text: &str, kept: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let is_kept = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'.' | b'~')
            || (byte.is_ascii() && kept.contains(&byte))
    };
    out.reserve(text.len());
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !is_kept(byte)) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        // A character of several bytes has none that is kept.
        let length = tail.chars().next().map_or(1, char::len_utf8);
        for byte in &tail.as_bytes()[..length] {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        rest = &tail[length..];
    }
    out.push_str(rest);
}
