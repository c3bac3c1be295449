//! What functions return. Overloads share a path, so their results are joined.

use std::collections::BTreeMap;

use passerelle_catalog::{Returns, Routine};
use serde_json::{Value, json};

use super::{JSON, responses, schemas};
use crate::Description;
use crate::object::Object;

/// The responses of a path whose functions are `overloads`.
pub(super) fn answers(description: &Description<'_>, overloads: &[&Routine]) -> Value {
    let mut answers = Object::new().with("default", responses::error());
    // Schemas by media type, each once.
    let mut results: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for routine in overloads {
        if returns_nothing(&routine.returns) {
            answers = answers.with("204", responses::no_content());
            continue;
        }
        let (media_type, schema) = result(description, routine);
        let schemas = results.entry(media_type).or_default();
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }
    if results.is_empty() {
        return answers.into();
    }
    let content: Object = results
        .into_iter()
        .map(|(media_type, schemas)| (media_type, json!({ "schema": any_of(schemas) })))
        .collect();
    let ok = Object::new()
        .with("description", "OK")
        .with("content", content);
    answers.with("200", ok).into()
}

/// The only schema, or one that any of them satisfies.
pub(super) fn any_of(mut schemas: Vec<Value>) -> Value {
    match (schemas.len(), schemas.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            schemas.push(last);
            json!({ "anyOf": schemas })
        }
        (_, None) => json!({}),
    }
}

fn returns_nothing(returns: &Returns) -> bool {
    &*returns.type_name.schema == "pg_catalog" && &*returns.type_name.name == "void"
}

/// Media type and schema of what a function returns.
fn result<'a>(description: &Description<'a>, routine: &Routine) -> (&'a str, Value) {
    let handler = description
        .catalog
        .media_handlers()
        .iter()
        .find(|handler| handler.target.as_ref() == Some(&routine.name));
    if let Some(handler) = handler {
        return (&handler.media_type, json!({}));
    }
    let returns = &routine.returns;
    let one = if description.shows_table(&returns.type_name) && is_relation(description, returns) {
        schemas::row(&returns.type_name.name).into()
    } else if returns.composite {
        json!({ "type": "object" })
    } else {
        scalar(returns)
    };
    if returns.set {
        return (JSON, json!({ "type": "array", "items": one }));
    }
    (JSON, one)
}

fn is_relation(description: &Description<'_>, returns: &Returns) -> bool {
    description.catalog.table(&returns.type_name).is_some()
}

/// Schema of a value of a type that is named as in `pg_type`; any value for those that JSON does
/// not tell apart.
fn scalar(returns: &Returns) -> Value {
    if &*returns.type_name.schema != "pg_catalog" {
        return json!({});
    }
    let json_type = match &*returns.type_name.name {
        "bool" => "boolean",
        "int2" | "int4" | "int8" | "oid" => "integer",
        "float4" | "float8" | "numeric" => "number",
        "text" | "varchar" | "bpchar" | "name" | "uuid" | "date" | "time" | "timestamp"
        | "timestamptz" | "interval" | "money" | "bytea" | "xml" => "string",
        name if name.starts_with('_') => "array",
        _ => return json!({}),
    };
    json!({ "type": [json_type, "null"] })
}
