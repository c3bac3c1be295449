//! Where the role stands in the claims: RFC 9535 JSON path, or PostgREST's older notation.

mod legacy;

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use legacy::LegacyPath;

/// A parsed `jwt-role-claim-key`.
#[derive(Clone, Debug)]
pub struct RolePath(Notation);

#[derive(Clone, Debug)]
enum Notation {
    /// `$.name`, by far the most common path, needs no path engine.
    Member(Box<str>),
    JsonPath(Box<JsonPath>),
    Legacy(LegacyPath),
}

/// A role path in neither notation.
#[derive(Debug, thiserror::Error)]
#[error("failed to parse role-claim-key value ({path})")]
pub struct RolePathError {
    path: String,
    #[source]
    source: serde_json_path::ParseError,
}

impl RolePath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// [`RolePathError`] if the text is neither a JSON path nor a path in the older notation.
    pub fn parse(path: &str) -> Result<Self, RolePathError> {
        if let Some(name) = path.strip_prefix("$.").filter(|name| is_plain_name(name)) {
            return Ok(Self(Notation::Member(name.into())));
        }
        match JsonPath::parse(path) {
            Ok(parsed) => Ok(Self(Notation::JsonPath(Box::new(parsed)))),
            Err(source) => LegacyPath::parse(path)
                .map(|parsed| Self(Notation::Legacy(parsed)))
                .ok_or_else(|| RolePathError {
                    path: path.to_owned(),
                    source,
                }),
        }
    }

    /// The path as PostgREST would write it, if it is in the older notation, which deserves a
    /// warning at start.
    pub fn deprecated(&self) -> Option<String> {
        match &self.0 {
            Notation::Legacy(path) => Some(path.to_string()),
            Notation::Member(_) | Notation::JsonPath(_) => None,
        }
    }

    /// The role the claims name, if any: the first value the path selects. A value that is not a
    /// string is taken as its JSON text.
    pub(crate) fn role(&self, claims: &Map<String, Value>) -> Option<String> {
        match &self.0 {
            Notation::Member(name) => claims.get(&**name).map(unquoted),
            Notation::JsonPath(path) => {
                let claims = Value::Object(claims.clone());
                path.query(&claims).first().map(unquoted)
            }
            Notation::Legacy(path) => path.find(claims).map(unquoted),
        }
    }
}

fn unquoted(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_plain_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
