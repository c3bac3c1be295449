//! Paths of functions. Overloads share a path, so their parameters are joined.

use passerelle_catalog::{Parameter, Routine, Volatility};
use serde_json::{Value, json};

use super::{JSON, results};
use crate::Description;
use crate::comment::summary_and_description;
use crate::object::Object;
use crate::types;

pub(super) fn path(description: &Description<'_>, overloads: &[&Routine]) -> Object {
    let answers = results::answers(description, overloads);
    let post = operation(overloads, &answers)
        .with(
            "parameters",
            json!([{ "$ref": "#/components/parameters/prefer" }]),
        )
        .with_some(
            "requestBody",
            request_body(overloads, description.type_path),
        );
    let path = Object::new().with("post", post);
    let readable: Vec<&Routine> = overloads
        .iter()
        .copied()
        .filter(|routine| routine.volatility != Volatility::Volatile)
        .collect();
    if readable.is_empty() {
        return path;
    }
    let arguments = query_arguments(&readable, description.type_path);
    path.with(
        "get",
        operation(&readable, &answers).with_filled("parameters", arguments),
    )
}

fn operation(overloads: &[&Routine], answers: &Value) -> Object {
    let name = overloads.last().map(|routine| &*routine.name.name);
    let comment = overloads
        .iter()
        .rev()
        .find_map(|routine| routine.description.as_deref());
    let (summary, description) = summary_and_description(comment);
    Object::new()
        .with("tags", vec![format!("(rpc) {}", name.unwrap_or_default())])
        .with_some("summary", summary)
        .with_some("description", description)
        .with("responses", answers.clone())
}

/// Arguments by name, each once; required are those that no overload can do without.
fn query_arguments(overloads: &[&Routine], type_path: &[&str]) -> Vec<Object> {
    let mut seen: Vec<&Parameter> = Vec::new();
    for parameter in overloads
        .iter()
        .rev()
        .flat_map(|routine| &routine.parameters)
    {
        let is_new =
            !parameter.name.is_empty() && seen.iter().all(|other| other.name != parameter.name);
        if is_new {
            seen.push(parameter);
        }
    }
    seen.into_iter()
        .map(|parameter| {
            let required = overloads.iter().all(|routine| {
                routine
                    .parameters
                    .iter()
                    .any(|other| other.name == parameter.name && other.required)
            });
            Object::new()
                .with("name", &*parameter.name)
                .with("in", "query")
                .with("required", required)
                .with("schema", query_schema(parameter, type_path))
        })
        .collect()
}

/// Arrays are written as PostgreSQL writes them, except those of variadic parameters, which are
/// repeated, as is the default for arrays in a query.
fn query_schema(parameter: &Parameter, type_path: &[&str]) -> Object {
    let name = types::relative(&parameter.type_name, type_path);
    match types::json_type(name) {
        Some("array") if !parameter.variadic => Object::new()
            .with("type", "string")
            .with("format", types::format(name)),
        _ => types::schema(name),
    }
}

/// The body of a call, unless no overload takes arguments.
fn request_body(overloads: &[&Routine], type_path: &[&str]) -> Option<Value> {
    let taking: Vec<&Routine> = overloads
        .iter()
        .copied()
        .filter(|routine| !routine.parameters.is_empty())
        .collect();
    let mut objects = Vec::new();
    let mut content = Object::new();
    for routine in &taking {
        match &*routine.parameters {
            [whole] if whole.name.is_empty() => {
                let (media_type, schema) = whole_body(&whole.type_name);
                if media_type == JSON {
                    objects.push(schema);
                } else {
                    content = content.with(media_type, json!({ "schema": schema }));
                }
            }
            _ => objects.push(arguments(routine, type_path).into()),
        }
    }
    if !objects.is_empty() {
        let schema = results::any_of(objects);
        content = content.with(JSON, json!({ "schema": schema }));
    }
    let is_required = overloads.iter().all(|routine| {
        routine
            .parameters
            .iter()
            .any(|parameter| parameter.required)
    });
    (!taking.is_empty()).then(|| {
        Object::new()
            .with("required", is_required)
            .with("content", content)
            .into()
    })
}

/// Media type and schema of the body that a single unnamed parameter takes.
fn whole_body(type_name: &str) -> (&'static str, Value) {
    match type_name {
        "bytea" => ("application/octet-stream", json!({})),
        "text" => ("text/plain", json!({ "type": "string" })),
        "xml" => ("text/xml", json!({ "type": "string" })),
        _ => (JSON, json!({})),
    }
}

fn arguments(routine: &Routine, type_path: &[&str]) -> Object {
    let properties: Object = routine
        .parameters
        .iter()
        .map(|parameter| {
            let name = types::relative(&parameter.type_name, type_path);
            (&*parameter.name, types::schema(name))
        })
        .collect();
    let required: Vec<&str> = routine
        .parameters
        .iter()
        .filter(|parameter| parameter.required)
        .map(|parameter| &*parameter.name)
        .collect();
    Object::new()
        .with("type", "object")
        .with("properties", properties)
        .with_filled("required", required)
}
