//! CSV (RFC 4180) turned into an array of objects.
//!
//! The first line names the fields. Quotes are where RFC 4180 has them or the file is refused:
//! guessing what a stray quote means could store something else than was sent. Lines end with LF,
//! CRLF or CR; empty ones are skipped, and so are fields beyond the names, as `PostgREST` does.

use super::{Payload, PayloadError, push_string};
use bytes::Bytes;
use std::borrow::Cow;

/// How much longer than the file its JSON may be, since names are repeated on each line. Names that
/// PostgreSQL allows for columns (63 bytes) stay below it, unless they have to be escaped.
const MAX_GROWTH: usize = 128;
/// Longest JSON made from a file, in bytes.
const MAX_BYTES: usize = 256 << 20;

/// Reads a file. All values are strings, except that `NULL` is null.
pub(super) fn read(body: &[u8]) -> Result<Payload, PayloadError> {
    let text = std::str::from_utf8(body).map_err(|_| invalid(1, "it is not UTF-8"))?;
    let mut fields = Fields {
        rest: text,
        line: 1,
    };
    let names = header(&mut fields)?;
    let members: Vec<Vec<u8>> = names.iter().map(|name| member(name)).collect();
    let limit = text.len().saturating_mul(MAX_GROWTH).min(MAX_BYTES);
    let mut bytes = Vec::with_capacity(text.len().saturating_mul(2).min(limit));
    let mut width = None;
    bytes.push(b'[');
    while !fields.rest.is_empty() {
        let line = fields.line;
        let count = row(&mut fields, &members, &mut bytes)?;
        if count == 0 {
            continue;
        }
        if *width.get_or_insert(count) != count {
            // What follows still has to be CSV.
            while !fields.rest.is_empty() {
                fields.next()?;
            }
            return Err(PayloadError::RaggedCsv);
        }
        if bytes.len() > limit {
            return Err(invalid(line, "it is too long as JSON"));
        }
    }
    if width.is_some() {
        bytes.pop();
    }
    bytes.push(b']');
    let mut keys: Vec<String> = names
        .into_iter()
        .take(width.unwrap_or_default())
        .map(Cow::into_owned)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    Ok(Payload::Json {
        bytes: Bytes::from(bytes),
        is_object: false,
        keys,
        operations: Vec::new(),
    })
}

fn invalid(line: usize, why: &str) -> PayloadError {
    PayloadError::InvalidCsv(format!("Invalid CSV: {why} (line {line})"))
}

/// The names of the first line, which must have an end.
fn header<'t>(fields: &mut Fields<'t>) -> Result<Vec<Cow<'t, str>>, PayloadError> {
    let mut names = Vec::new();
    loop {
        let (name, end) = fields.next()?;
        names.push(name);
        match end {
            End::Field => {}
            End::Line => return Ok(names),
            End::File => {
                return Err(invalid(
                    fields.line,
                    "it ends within the names of its fields",
                ));
            }
        }
    }
}

/// A name as it stands before the value in each row.
fn member(name: &str) -> Vec<u8> {
    let mut member = Vec::with_capacity(name.len() + 3);
    push_string(&mut member, name);
    member.push(b':');
    member
}

/// Appends one row and a comma; the number of its members is zero for an empty line.
fn row(
    fields: &mut Fields<'_>,
    members: &[Vec<u8>],
    out: &mut Vec<u8>,
) -> Result<usize, PayloadError> {
    let mut count = 0;
    loop {
        let (value, end) = fields.next()?;
        if count == 0 && value.is_empty() && end != End::Field {
            return Ok(0);
        }
        if let Some(member) = members.get(count) {
            out.push(if count == 0 { b'{' } else { b',' });
            out.extend_from_slice(member);
            match &*value {
                "NULL" => out.extend_from_slice(b"null"),
                value => push_string(out, value),
            }
            count += 1;
        }
        if end != End::Field {
            out.extend_from_slice(b"},");
            return Ok(count);
        }
    }
}

/// What a field ends with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Field,
    Line,
    File,
}

/// The fields of a file, one after the other.
struct Fields<'t> {
    rest: &'t str,
    /// Counted from 1.
    line: usize,
}

impl<'t> Fields<'t> {
    fn next(&mut self) -> Result<(Cow<'t, str>, End), PayloadError> {
        let value = match self.rest.strip_prefix('"') {
            Some(quoted) => self.quoted(quoted)?,
            None => Cow::Borrowed(self.unquoted()),
        };
        Ok((value, self.end()?))
    }

    fn unquoted(&mut self) -> &'t str {
        let special = |byte: u8| matches!(byte, b'"' | b',' | b'\n' | b'\r');
        let length = self.rest.bytes().position(special);
        let (value, rest) = self.rest.split_at(length.unwrap_or(self.rest.len()));
        self.rest = rest;
        value
    }

    /// The value up to the closing quote; a doubled one stands for itself.
    fn quoted(&mut self, mut text: &'t str) -> Result<Cow<'t, str>, PayloadError> {
        let opened = self.line;
        let mut value = Cow::Borrowed("");
        loop {
            let Some((part, rest)) = text.split_once('"') else {
                return Err(invalid(opened, "a quote is not closed"));
            };
            self.line += part.bytes().filter(|byte| *byte == b'\n').count();
            value += part;
            let Some(again) = rest.strip_prefix('"') else {
                self.rest = rest;
                return Ok(value);
            };
            value += "\"";
            text = again;
        }
    }

    fn end(&mut self) -> Result<End, PayloadError> {
        let (end, rest) = match self.rest.as_bytes() {
            [] => (End::File, ""),
            [b',', ..] => (End::Field, &self.rest[1..]),
            [b'\r', b'\n', ..] => (End::Line, &self.rest[2..]),
            [b'\n' | b'\r', ..] => (End::Line, &self.rest[1..]),
            _ => return Err(invalid(self.line, "a quote is where none can be")),
        };
        self.line += usize::from(end == End::Line);
        self.rest = rest;
        Ok(end)
    }
}
