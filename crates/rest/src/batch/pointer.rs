//! JSON pointers (RFC 6901) into JSON that stays as it is written.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Steps at most: a part is looked through once for each.
const STEPS: usize = 32;

/// The part of a JSON text that a pointer leads to, as it is written; `None` for a pointer that is
/// none.
pub(super) fn find<'j>(json: &'j str, pointer: &str) -> Option<Found<'j>> {
    if pointer.is_empty() {
        return Some(Found::Part(json));
    }
    let steps: Vec<String> = pointer
        .strip_prefix('/')?
        .split('/')
        .map(unescape)
        .collect::<Option<_>>()?;
    if steps.len() > STEPS {
        return None;
    }
    let mut part = json;
    for step in &steps {
        let mut deserializer = serde_json::Deserializer::from_str(part);
        match Step(step).deserialize(&mut deserializer) {
            Ok(Some(inner)) => part = inner.get(),
            Ok(None) | Err(_) => return Some(Found::Nothing),
        }
    }
    Some(Found::Part(part))
}

/// What a pointer leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found<'j> {
    Part(&'j str),
    Nothing,
}

/// `~0` is a tilde, `~1` a slash, and no other tilde may be there.
fn unescape(step: &str) -> Option<String> {
    let mut parts = step.split('~');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push(match part.as_bytes().first()? {
            b'0' => '~',
            b'1' => '/',
            _ => return None,
        });
        text.push_str(&part[1..]);
    }
    Some(text)
}

/// One step: the last member of this name, or the element at this index.
struct Step<'s>(&'s str);

impl Step<'_> {
    /// Digits without a zero in front.
    fn index(&self) -> Option<usize> {
        let canonical = self.0 == "0" || !self.0.starts_with(['0', '+']);
        self.0.parse().ok().filter(|_| canonical)
    }
}

impl<'de> DeserializeSeed<'de> for Step<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Step<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if name == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let index = self.index();
        let mut found = None;
        let mut position = 0;
        loop {
            if index == Some(position) {
                found = list.next_element()?;
                if found.is_none() {
                    return Ok(None);
                }
            } else if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            position += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_they_are_written() {
        let json = r#"{"a": [1.10, {"b/c": "x\u0041", "~": null}, []], "a~1": 1, "": {"": 2}, "d": 1, "d": 2}"#;
        for (pointer, part) in [
            ("", json),
            ("/a/0", "1.10"),
            ("/a/1/b~1c", r#""x\u0041""#),
            ("/a/1/~0", "null"),
            ("/a/2", "[]"),
            ("/a~01", "1"),
            ("//", "2"),
            ("/d", "2"),
        ] {
            assert_eq!(find(json, pointer), Some(Found::Part(part)), "{pointer}");
        }
        for nothing in [
            "/b", "/a/3", "/a/-", "/a/01", "/a/+1", "/a/0/0", "/a/x", "/ ",
        ] {
            assert_eq!(find(json, nothing), Some(Found::Nothing), "{nothing}");
        }
        for none in ["a", "#/a", "/~", "/~2", "/a~"] {
            assert_eq!(find(json, none), None, "{none}");
        }
        assert_eq!(find(json, &"/a".repeat(33)), None);
    }
}
