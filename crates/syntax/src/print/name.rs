//! Names, quoted where the grammar would read them otherwise.

use crate::request::{Field, JsonOperand};

/// A text in double quotes.
pub(super) fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        if matches!(char, '"' | '\\') {
            out.push('\\');
        }
        out.push(char);
    }
    out.push('"');
}

/// Name of a column or relation.
pub(super) fn name(out: &mut String, name: &str) {
    let plain = name.split('-').all(|part| {
        let inner = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | ' ' | '$');
        !part.is_empty() && part.trim_matches(' ') == part && part.chars().all(inner)
    });
    if plain {
        out.push_str(name);
    } else {
        quoted(out, name);
    }
}

/// Names divided by commas.
pub(super) fn names(all: &[String]) -> String {
    let mut out = String::new();
    for (index, next) in all.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        name(&mut out, next);
    }
    out
}

/// A column with its JSON path.
pub(super) fn field(out: &mut String, field: &Field) {
    name(out, &field.name);
    json_path(out, field);
}

fn json_path(out: &mut String, field: &Field) {
    for step in &field.json_path {
        out.push_str(if step.as_text { "->>" } else { "->" });
        match &step.operand {
            JsonOperand::Index(index) => out.push_str(index),
            JsonOperand::Key(key) => json_key(out, key),
        }
    }
}

/// Quoted unless it is a word: digits would be an index.
fn json_key(out: &mut String, key: &str) {
    let plain = key.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain {
        out.push_str(key);
    } else {
        quoted(out, key);
    }
}

/// An embed path with a dot behind each name.
pub(super) fn path_prefix(path: &[String]) -> String {
    let mut out = String::new();
    for part in path {
        name(&mut out, part);
        out.push('.');
    }
    out
}

/// Name of the parameter that filters a field.
pub(super) fn parameter_name(path: &[String], field: &Field) -> String {
    let mut out = path_prefix(path);
    // Where these words end the name, they make it another parameter.
    let reserved = match field.name.as_str() {
        "order" | "limit" | "offset" | "and" | "or" => true,
        "select" | "columns" | "on_conflict" => path.is_empty(),
        _ => false,
    };
    if reserved && field.json_path.is_empty() {
        quoted(&mut out, &field.name);
    } else {
        self::field(&mut out, field);
    }
    out
}
