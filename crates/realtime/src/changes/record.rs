//! Rows as JSON, as PostgreSQL's `to_jsonb` writes them.

use serde_json::Value;

use crate::frame::push_text;
use crate::rules::{Column, Table};
use passerelle_pg::RowValue;

/// A row as an object: the columns that are wanted and known.
pub(crate) fn object(
    table: &Table,
    row: &[Option<&RowValue>],
    wanted: &dyn Fn(usize) -> bool,
) -> String {
    let mut out = String::from("{");
    for (index, column) in table.columns.iter().enumerate() {
        let Some(value) = row.get(index).copied().flatten().filter(|_| wanted(index)) else {
            continue;
        };
        if out.len() > 1 {
            out.push(',');
        }
        push_text(&mut out, &column.name);
        out.push(':');
        push_value(&mut out, &column.base, value);
    }
    out.push('}');
    out
}

/// The columns as clients are told them.
pub(crate) fn columns(table: &Table, wanted: &dyn Fn(usize) -> bool) -> String {
    let told = table
        .columns
        .iter()
        .enumerate()
        .filter(|(index, _)| wanted(*index))
        .map(|(_, Column { name, kind, .. })| serde_json::json!({ "name": name, "type": kind }));
    Value::Array(told.collect()).to_string()
}

fn push_value(out: &mut String, base: &str, value: &RowValue) {
    let RowValue::Data(bytes) = value else {
        out.push_str("null");
        return;
    };
    let text = String::from_utf8_lossy(bytes);
    match base.strip_prefix('_') {
        Some(element) => push_array(out, element, &text),
        None => push_scalar(out, base, &text),
    }
}

fn push_scalar(out: &mut String, base: &str, text: &str) {
    match base {
        "bool" => out.push_str(if text == "t" { "true" } else { "false" }),
        "int2" | "int4" | "int8" | "oid" | "float4" | "float8" | "numeric" if is_number(text) => {
            out.push_str(text);
        }
        "json" | "jsonb" => out.push_str(text),
        "timestamp" => push_text(out, &text.replacen(' ', "T", 1)),
        "timestamptz" => {
            let moment = text.replacen(' ', "T", 1);
            // The zone is that of the stream: +00.
            match moment.strip_suffix("+00") {
                Some(moment) => push_text(out, &format!("{moment}+00:00")),
                None => push_text(out, &moment),
            }
        }
        _ => push_text(out, text),
    }
}

/// Whether text is a number of JSON.
fn is_number(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'))
}

/// An array of PostgreSQL as one of JSON. What is not understood stays text.
fn push_array(out: &mut String, element: &str, text: &str) {
    // Bounds that do not begin at one are written before it.
    let body = if text.starts_with('[') {
        text.split_once('=').map_or(text, |(_, body)| body)
    } else {
        text
    };
    let mut array = String::new();
    let mut rest = body.chars().peekable();
    if nested(&mut array, element, &mut rest).is_some() && rest.next().is_none() {
        out.push_str(&array);
    } else {
        push_text(out, text);
    }
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn nested(out: &mut String, element: &str, rest: &mut Rest<'_>) -> Option<()> {
    if rest.next()? != '{' {
        return None;
    }
    out.push('[');
    if rest.peek() == Some(&'}') {
        rest.next();
        out.push(']');
        return Some(());
    }
    loop {
        match rest.peek()? {
            '{' => nested(out, element, rest)?,
            '"' => {
                rest.next();
                let mut item = String::new();
                loop {
                    match rest.next()? {
                        '"' => break,
                        '\\' => item.push(rest.next()?),
                        c => item.push(c),
                    }
                }
                push_scalar(out, element, &item);
            }
            _ => {
                let mut item = String::new();
                while let Some(c) = rest.next_if(|c| !matches!(c, ',' | '}')) {
                    item.push(c);
                }
                if item == "NULL" {
                    out.push_str("null");
                } else {
                    push_scalar(out, element, &item);
                }
            }
        }
        match rest.next()? {
            ',' => out.push(','),
            '}' => {
                out.push(']');
                return Some(());
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(base: &str, text: &'static str) -> String {
        let mut out = String::new();
        push_value(&mut out, base, &RowValue::Data(text.into()));
        out
    }

    #[test]
    fn values_are_those_of_to_jsonb() {
        for (base, text, expected) in [
            ("bool", "t", "true"),
            ("int8", "9007199254740993", "9007199254740993"),
            ("numeric", "1.50", "1.50"),
            ("numeric", "NaN", "\"NaN\""),
            ("float8", "1e+20", "1e+20"),
            ("text", "a\"b", "\"a\\\"b\""),
            ("jsonb", "{\"a\": 1}", "{\"a\": 1}"),
            (
                "timestamptz",
                "2026-11-26 01:02:03.4+00",
                "\"2026-11-26T01:02:03.4+00:00\"",
            ),
            (
                "timestamp",
                "2026-11-26 01:02:03",
                "\"2026-11-26T01:02:03\"",
            ),
            ("_int4", "{1,NULL,{2}}", "[1,null,[2]]"),
            (
                "_text",
                "{a,\"b,\\\"c\",\"\",\"NULL\"}",
                "[\"a\",\"b,\\\"c\",\"\",\"NULL\"]",
            ),
            ("_text", "{}", "[]"),
            ("_bool", "[0:1]={t,f}", "[true,false]"),
            ("_int4", "{1", "\"{1\""),
        ] {
            assert_eq!(written(base, text), expected, "{base} {text}");
        }
    }
}
