//! JSON objects, built member by member; what is absent or empty is left out.

use serde_json::{Map, Value};

/// A JSON object under construction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sets a member.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Sets a member if there is a value.
    pub(crate) fn with_some(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Sets a member unless the list or object is empty.
    pub(crate) fn with_filled(self, key: &str, value: impl Into<Value>) -> Self {
        match value.into() {
            Value::Array(list) if list.is_empty() => self,
            Value::Object(map) if map.is_empty() => self,
            value => self.with(key, value),
        }
    }

    /// Sets a member whose key was computed.
    pub(crate) fn put(&mut self, key: String, value: impl Into<Value>) {
        self.0.insert(key, value.into());
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self(
            pairs
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

/// Shorthand for `{"$ref": …}`.
pub(crate) fn reference(path: impl Into<String>) -> Object {
    Object::new().with("$ref", path.into())
}
