//! Rows as lines of CSV, byte for byte what PostgreSQL writes when it turns a row into text and
//! leaves its parentheses out: the form that aggregated CSV has.

use bytes::{BufMut as _, BytesMut};
use passerelle_wire::{Column, ResultSet};

/// Bytes of a line's separators and quotes, for a guess.
const PUNCTUATION: usize = 3;

/// Writes the names of the columns, which are not quoted, without the end of their line.
pub(crate) fn write_header(out: &mut BytesMut, columns: &[Column]) {
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        out.put_slice(column.name.as_bytes());
    }
}

/// Writes what stands for no rows: without any, the columns have no names.
pub(crate) fn write_nothing(out: &mut BytesMut) {
    out.put_u8(b'\n');
}

/// Writes each row as a line that begins with the end of the one before.
pub(crate) fn write_lines(out: &mut BytesMut, rows: &ResultSet) {
    for row in rows.rows() {
        out.put_u8(b'\n');
        for column in 0..row.len() {
            if column > 0 {
                out.put_u8(b',');
            }
            if let Some(value) = row.value(column) {
                write_value(out, value);
            }
        }
    }
}

/// `NULL` is nothing, hence an empty text is a pair of quotes.
fn write_value(out: &mut BytesMut, value: &[u8]) {
    if !value.is_empty() && !value.iter().copied().any(is_special) {
        return out.put_slice(value);
    }
    out.reserve(value.len() + PUNCTUATION);
    out.put_u8(b'"');
    let mut rest = value;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        out.put_slice(&rest[..=at]);
        out.put_u8(rest[at]);
        rest = &rest[at + 1..];
    }
    out.put_slice(rest);
    out.put_u8(b'"');
}

/// What the text of a row has in quotes; white space as in C.
fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b'"' | b'\\' | b'(' | b')' | b',' | b' ' | b'\t'..=b'\r'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str) -> String {
        let mut out = BytesMut::new();
        write_value(&mut out, value.as_bytes());
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn values_are_quoted_where_a_row_would_be_misread() {
        for (value, expected) in [
            ("plain-1.5é", "plain-1.5é"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("a,b", "\"a,b\""),
            ("(a)", "\"(a)\""),
            ("a\u{b}b\n", "\"a\u{b}b\n\""),
            ("say \"a\"", "\"say \"\"a\"\"\""),
            ("\\", "\"\\\\\""),
            ("\u{85}", "\u{85}"),
        ] {
            assert_eq!(written(value), expected, "{value:?}");
        }
    }
}
