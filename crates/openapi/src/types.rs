//! What types of PostgreSQL are in JSON.

use std::borrow::Cow;

use crate::object::Object;

/// Type in JSON's terms; `None` for types of any value.
pub(crate) fn json_type(name: &str) -> Option<&'static str> {
    match name {
        "boolean" => Some("boolean"),
        "smallint" | "integer" | "bigint" => Some("integer"),
        "numeric" | "real" | "double precision" => Some("number"),
        "json" | "jsonb" => None,
        _ if name.ends_with("[]") => Some("array"),
        _ => Some("string"),
    }
}

/// Format: the width for integers, else the name of the type.
pub(crate) fn format(name: &str) -> &str {
    match name {
        "smallint" | "integer" => "int32",
        "bigint" => "int64",
        other => other,
    }
}

/// Type of an array's elements.
pub(crate) fn element(name: &str) -> &str {
    name.strip_suffix("[]").unwrap_or(name)
}

/// `type`, `format`, and `items` for arrays.
pub(crate) fn schema(name: &str) -> Object {
    let schema = Object::new()
        .with_some("type", json_type(name))
        .with("format", format(name));
    match json_type(name) {
        Some("array") => schema.with("items", elements(name)),
        _ => schema,
    }
}

/// Schema of an array's elements, without a format.
pub(crate) fn elements(name: &str) -> Object {
    Object::new().with_some("type", json_type(element(name)))
}

/// The name of a type as it is seen from these schemas: without schema if the type is in one of
/// them.
pub(crate) fn relative<'a>(name: &'a str, schemas: &[&str]) -> &'a str {
    match leading_identifier(name) {
        Some((schema, rest)) if schemas.contains(&&*schema) => rest,
        _ => name,
    }
}

/// The schema, unquoted, and what follows its dot.
fn leading_identifier(name: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = name.strip_prefix('"') else {
        let (schema, rest) = name.split_once('.')?;
        return Some((Cow::Borrowed(schema), rest));
    };
    let mut from = 0;
    loop {
        let end = from + quoted.get(from..)?.find('"')?;
        let after = &quoted[end + 1..];
        if after.starts_with('"') {
            from = end + 2;
        } else {
            let schema = Cow::Owned(quoted[..end].replace("\"\"", "\""));
            return Some((schema, after.strip_prefix('.')?));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_lose_the_schemas_of_the_path() {
        let schemas = ["api", "My \"own\""];
        assert_eq!(relative("api.mood[]", &schemas), "mood[]");
        assert_eq!(relative("other.mood", &schemas), "other.mood");
        assert_eq!(relative("\"My \"\"own\"\"\".\"A b\"", &schemas), "\"A b\"");
        assert_eq!(relative("\"odd", &schemas), "\"odd");
        assert_eq!(relative("double precision", &schemas), "double precision");
        assert_eq!(relative("api.mood", &[]), "api.mood");
    }

    #[test]
    fn arrays_name_what_they_hold() {
        let value = |name| serde_json::Value::from(schema(name)).to_string();
        assert_eq!(
            value("bigint[]"),
            r#"{"format":"bigint[]","items":{"type":"integer"},"type":"array"}"#
        );
        assert_eq!(
            value("json[]"),
            r#"{"format":"json[]","items":{},"type":"array"}"#
        );
        assert_eq!(value("jsonb"), r#"{"format":"jsonb"}"#);
    }
}
