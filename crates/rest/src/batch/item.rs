//! The items of a batch as they are sent.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::BatchError;

/// One request of a batch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item<'a> {
    pub(crate) method: String,
    /// Path below the surface's prefix, and query string.
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(borrow, default)]
    pub(crate) body: Option<&'a RawValue>,
    /// Names for parts of its result, each with a pointer to its part.
    #[serde(default, rename = "let")]
    pub(crate) names: BTreeMap<String, String>,
}

/// Reads the body of a batch.
///
/// # Errors
/// [`BatchError::Malformed`], or [`BatchError::TooManyItems`] as soon as it has more than `limit`.
pub(crate) fn read(body: &[u8], limit: usize) -> Result<Vec<Item<'_>>, BatchError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let mut exceeded = false;
    let list = List {
        limit,
        exceeded: &mut exceeded,
    };
    let items = list.deserialize(&mut deserializer);
    match items {
        Err(_) if exceeded => Err(BatchError::TooManyItems { limit }),
        Err(error) => Err(BatchError::Malformed(error)),
        Ok(items) => deserializer
            .end()
            .map(|()| items)
            .map_err(BatchError::Malformed),
    }
}

/// A list of items that ends when there are too many.
struct List<'l> {
    limit: usize,
    exceeded: &'l mut bool,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = Vec<Item<'de>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = Vec<Item<'de>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of requests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.len() == self.limit {
                *self.exceeded = true;
                return Err(A::Error::custom("too many items"));
            }
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_with_their_bodies_as_they_are() {
        let text = br#" [{"method":"GET","path":"/a"},
            {"path":"/b?c=eq.1","method":"POST","headers":{"Prefer":"x"},
             "body":{"n" : 1.10, "n":2},"let":{"id":"/body/0"}}] "#;
        let items = read(text, 2).unwrap();
        assert_eq!((&*items[0].method, &*items[0].path), ("GET", "/a"));
        assert!(items[0].body.is_none() && items[0].headers.is_empty());
        assert_eq!(items[1].body.unwrap().get(), r#"{"n" : 1.10, "n":2}"#);
        assert_eq!(items[1].names["id"], "/body/0");
        assert!(read(b"[]", 2).unwrap().is_empty());
        assert!(matches!(
            read(text, 1),
            Err(BatchError::TooManyItems { limit: 1 })
        ));
    }

    #[test]
    fn whatever_else_is_malformed() {
        for text in [
            "",
            "null",
            "{}",
            "[1]",
            "[[]]",
            "[{}]",
            r#"[{"method":"GET"}]"#,
            r#"[{"method":"GET","path":1}]"#,
            r#"[{"method":"GET","path":"/a","bodies":1}]"#,
            r#"[{"method":"GET","path":"/a","path":"/b"}]"#,
            r#"[{"method":"GET","path":"/a","headers":{"a":1}}]"#,
            r#"[{"method":"GET","path":"/a","let":["/a"]}]"#,
            r#"[{"method":"GET","path":"/a","body":}]"#,
            r#"[{"method":"GET","path":"/a"}"#,
            r#"[{"method":"GET","path":"/a"}] x"#,
            "[\"\u{1}\"]",
        ] {
            let read = read(text.as_bytes(), 9);
            assert!(matches!(read, Err(BatchError::Malformed(_))), "{text}");
        }
        let not_utf8 = b"[{\"method\":\"GET\",\"path\":\"/\xff\"}]";
        assert!(matches!(read(not_utf8, 9), Err(BatchError::Malformed(_))));
    }
}
