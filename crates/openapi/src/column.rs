//! Columns as properties of a row.

use std::fmt::Write as _;

use passerelle_catalog::{Cardinality, Catalog, Column, Relationship, Table};
use serde_json::Value;

use crate::object::Object;
use crate::types;

/// What both documents say of a column; what they do not share is added by each.
pub(crate) fn property(catalog: &Catalog, table: &Table, column: &Column) -> Object {
    types::schema(&column.base_type)
        .with_some("description", description(catalog, table, column))
        .with_some("maxLength", column.max_length)
}

/// Labels of the column's enum type; empty for other types.
pub(crate) fn labels(column: &Column) -> Vec<Value> {
    let labels = column.enum_labels.iter();
    labels.map(|label| Value::from(&**label)).collect()
}

/// The comment, followed by a note on the keys that the column is part of. Tools read the tags of
/// the note, so its text is part of the contract.
fn description(catalog: &Catalog, table: &Table, column: &Column) -> Option<String> {
    let comment = column.description.as_deref();
    let is_primary = table.primary_key.contains(&column.name);
    let referenced = referenced(catalog, table, column);
    if !is_primary && referenced.is_none() {
        return comment.map(str::to_owned);
    }
    let mut text = comment.map_or_else(String::new, |comment| format!("{comment}\n\n"));
    text.push_str("Note:");
    if is_primary {
        text.push_str("\nThis is a Primary Key.<pk/>");
    }
    if let Some((table, column)) = referenced {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\nThis is a Foreign Key to `{table}.{column}`.<fk table='{table}' column='{column}'/>"
        );
    }
    Some(text)
}

/// Relation and column of the same schema to which a foreign key of this column alone leads;
/// tables go before views.
fn referenced<'a>(
    catalog: &'a Catalog,
    table: &'a Table,
    column: &Column,
) -> Option<(&'a str, &'a str)> {
    catalog
        .relationships(&table.name, &table.name.schema)
        .filter_map(|relationship| match &**relationship {
            Relationship::Key(key) => Some(key),
            Relationship::Computed(_) => None,
        })
        .filter_map(|key| match &key.cardinality {
            Cardinality::ManyToOne(foreign)
            | Cardinality::OneToOne {
                key: foreign,
                is_parent: false,
            } => match &*foreign.columns {
                [(own, other)] if *own == column.name => Some((key, &**other)),
                _ => None,
            },
            _ => None,
        })
        .min_by_key(|(key, _)| key.target_is_view)
        .map(|(key, other)| (&*key.target.name, other))
}

/// The default as PostgREST describes it: of types that are strings in JSON the expression itself,
/// less quotes and the type's name, of others the expression if it is JSON.
pub(crate) fn described_default(column: &Column) -> Option<Value> {
    let expression = column.default.as_deref()?;
    if types::json_type(&column.base_type) != Some("string") {
        return serde_json::from_str(expression).ok();
    }
    let text = match strip_cast(expression, &column.base_type) {
        Some(literal) => literal.trim_matches('\''),
        None => expression,
    };
    serde_json::from_str(&format!("\"{text}\"")).ok()
}

/// The default, if it is a constant.
pub(crate) fn constant_default(column: &Column) -> Option<Value> {
    let expression = column.default.as_deref()?;
    match types::json_type(&column.base_type) {
        Some("string") => {
            let literal = strip_cast(expression, &column.base_type)
                .or_else(|| strip_cast(expression, &column.nominal_type))
                .unwrap_or(expression);
            let text = literal.strip_prefix('\'')?.strip_suffix('\'')?;
            let unescaped = text.replace("''", "");
            (!unescaped.contains('\'')).then(|| Value::from(text.replace("''", "'")))
        }
        Some("boolean" | "integer" | "number") => serde_json::from_str(expression)
            .ok()
            .filter(|value: &Value| value.is_boolean() || value.is_number()),
        _ => None,
    }
}

fn strip_cast<'a>(expression: &'a str, type_name: &str) -> Option<&'a str> {
    expression.strip_suffix(type_name)?.strip_suffix("::")
}
