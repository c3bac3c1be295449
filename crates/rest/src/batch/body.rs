//! The body of an item, with values in the place of its references.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{BatchError, ReferenceError};

/// The only member of an object that stands for a value.
const REFERENCE: &str = "\"$ref\"";

/// A body as it is sent.
pub(crate) enum Text<'a> {
    /// JSON, in which references may stand.
    Json(&'a str),
    /// A string: the bytes of a body of any type.
    Plain(String),
}

impl<'a> Text<'a> {
    /// The body of an item.
    ///
    /// # Errors
    /// [`BatchError::Malformed`] for a string that is not text.
    pub(crate) fn read(body: &'a RawValue) -> Result<Self, BatchError> {
        let json = body.get();
        if json.starts_with('"') {
            let text = serde_json::from_str(json);
            return text.map(Self::Plain).map_err(BatchError::Malformed);
        }
        Ok(Self::Json(json))
    }
}

/// Puts values in the place of all references. `value` knows the JSON that a name stands for.
///
/// # Errors
/// As `value`; `None` inside when the outcome is longer than `limit`.
pub(crate) fn references<'v>(
    json: &str,
    limit: usize,
    value: impl Fn(&str) -> Result<&'v str, ReferenceError>,
) -> Result<Option<Bytes>, ReferenceError> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(start) = next_object(json, at) {
        let Some((place, name)) = reference(json, start) else {
            at = start + 1;
            continue;
        };
        out.push_str(&json[copied..place.start]);
        out.push_str(value(&name)?);
        if out.len() > limit {
            return Ok(None);
        }
        copied = place.end;
        at = place.end;
    }
    if out.len() + json.len() - copied > limit {
        return Ok(None);
    }
    if copied == 0 {
        return Ok(Some(Bytes::copy_from_slice(json.as_bytes())));
    }
    out.push_str(&json[copied..]);
    Ok(Some(Bytes::from(out)))
}

/// Where the next object begins. The text is JSON, so only strings have to be stepped over.
fn next_object(json: &str, mut at: usize) -> Option<usize> {
    let bytes = json.as_bytes();
    loop {
        at += memchr::memchr2(b'{', b'"', bytes.get(at..)?)?;
        if bytes[at] == b'{' {
            return Some(at);
        }
        at = string_end(json, at)?;
    }
}

/// Where the string that begins at `start` has ended.
fn string_end(json: &str, start: usize) -> Option<usize> {
    let bytes = json.as_bytes();
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The reference that begins at `start`, if the object there is one.
fn reference(json: &str, start: usize) -> Option<(Range<usize>, Cow<'_, str>)> {
    let blank = |at: usize| {
        let rest = json.get(at..)?;
        Some(json.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len())
    };
    let name = blank(start + 1)?;
    let colon = blank(
        json[name..]
            .starts_with(REFERENCE)
            .then(|| name + REFERENCE.len())?,
    )?;
    let value = blank(json[colon..].starts_with(':').then(|| colon + 1)?)?;
    let end = json[value..]
        .starts_with('"')
        .then(|| string_end(json, value))??;
    let close = blank(end)?;
    let name = json[close..].starts_with('}').then(|| &json[value..end])?;
    let name = serde_json::from_str::<String>(name).ok()?;
    Some((start..close + 1, Cow::Owned(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(json: &str) -> Result<Option<String>, ReferenceError> {
        let value = |name: &str| match name {
            "id" => Ok("7"),
            "text" => Ok(r#""a\"b{""#),
            "row" => Ok(r#"{"n" : 1.10}"#),
            _ => Err(ReferenceError::Unknown {
                name: name.to_owned(),
            }),
        };
        let bytes = references(json, 200, value)?;
        Ok(bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
    }

    #[test]
    fn references_give_way_to_values() {
        for (json, expected) in [
            (r#"{"$ref":"id"}"#, "7"),
            (
                r#"[{"a" : { "$ref" : "id" } , "b":1.10}]"#,
                r#"[{"a" : 7 , "b":1.10}]"#,
            ),
            (
                r#"[{"$ref":"text"},{"$ref":"row"}, {"$ref":"id"}]"#,
                r#"["a\"b{",{"n" : 1.10}, 7]"#,
            ),
            (
                r#"{"a":{"b":{"\u0024ref":"id"}}}"#,
                r#"{"a":{"b":{"\u0024ref":"id"}}}"#,
            ),
            (r#"{"$ref":1}"#, r#"{"$ref":1}"#),
            (r#"{"$ref":"id","b":1}"#, r#"{"$ref":"id","b":1}"#),
            (
                r#"{"a":"{\"$ref\":\"id\"}"}"#,
                r#"{"a":"{\"$ref\":\"id\"}"}"#,
            ),
            (r#"{"{\"":"\\","b":{"$ref":"id"}}"#, r#"{"{\"":"\\","b":7}"#),
            (r#"{"$ref":{"$ref":"id"}}"#, r#"{"$ref":7}"#),
            ("[]", "[]"),
            ("", ""),
        ] {
            assert_eq!(filled(json).unwrap().as_deref(), Some(expected), "{json}");
        }
        assert!(filled(r#"{"$ref":"i\u0064"}"#).is_ok());
        assert!(filled(r#"{"$ref":"other"}"#).is_err());
    }

    #[test]
    fn the_outcome_is_bounded() {
        let many = format!("[{}1]", r#"{"$ref":"row"},"#.repeat(20));
        assert_eq!(filled(&many), Ok(None));
        assert_eq!(filled(&format!("[\"{}\"]", "x".repeat(200))), Ok(None));
    }
}
