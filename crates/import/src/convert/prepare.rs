//! Rows that browsers kept in another form than the table has.

use serde_json::{Map, Value};

use crate::outcome::Note;
use crate::table::Table;

pub(super) fn prepare(table: Table, row: &mut Map<String, Value>, notes: &mut Vec<Note>) {
    match table {
        Table::AdminConfigs => setting(row),
        Table::AnalyticsEvents => event(row),
        // Browsers write `order`, as clients of the gateway may.
        Table::CollectionResources => {
            if let Some(order) = row.get("order").filter(|order| !order.is_null()) {
                let order = order.clone();
                row.insert("order_index".to_owned(), order);
            }
        }
        Table::Resources if is_absent(row, "visibility") => notes.push(Note::NoVisibility),
        Table::ResourceTemplates
            if is_absent(row, "template_data") && is_absent(row, "templateData") =>
        {
            notes.push(Note::NoTemplate);
        }
        _ => {}
    }
}

fn is_absent(row: &Map<String, Value>, name: &str) -> bool {
    row.get(name).is_none_or(Value::is_null)
}

/// A setting is text; the table keeps the JSON that reads the same, or the text as a JSON string.
fn setting(row: &mut Map<String, Value>) {
    let text = match row.get("value") {
        None | Some(Value::Null) => return,
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let parsed = serde_json::from_str::<Value>(&text).ok();
    let value = parsed
        .filter(|value| matches!(value, Value::Bool(_) | Value::Number(_)))
        .filter(|value| reads_as(value, &text))
        .unwrap_or_else(|| Value::String(text.clone()));
    row.insert("value".to_owned(), value);
    row.insert("value_text".to_owned(), Value::String(text));
}

fn reads_as(value: &Value, text: &str) -> bool {
    let written = value.to_string();
    written == text
}

/// The resource of an event is among its metadata.
fn event(row: &mut Map<String, Value>) {
    if !is_absent(row, "resource_id") || !is_absent(row, "resourceId") {
        return;
    }
    let metadata = row.get("metadata").and_then(Value::as_object);
    let resource = metadata.and_then(|metadata| {
        metadata
            .get("resourceId")
            .or_else(|| metadata.get("resource_id"))
    });
    if let Some(Value::String(resource)) = resource {
        let resource = Value::String(resource.clone());
        row.insert("resource_id".to_owned(), resource);
    }
}
