//! A value of a column.

use serde_json::Value;

use crate::moment::{Told, told};
use crate::outcome::{Note, Reason};
use crate::spool::Cell;
use crate::table::{Column, Kind, Need};

/// The most characters of text without a limit of its own.
const MOST_TEXT: usize = 1_000_000;
/// Of a file of 10 MB as a data URL, and some.
const MOST_LINK: usize = 15_000_000;
const MOST_ITEMS: usize = 1_000;
const MOST_ITEM: usize = 255;
/// How much of a value is quoted.
const QUOTED: usize = 60;

pub(super) fn cell(column: &Column, given: Value, notes: &mut Vec<Note>) -> Result<Cell, Reason> {
    let cell = match column.kind {
        Kind::Limited(limit) => text(column, given, limit, notes)?,
        Kind::Text => text(column, given, MOST_TEXT, notes)?,
        Kind::Link => text(column, given, MOST_LINK, notes)?,
        Kind::Texts => texts(column, given, notes)?,
        Kind::Choice(labels) => choice(column, &given, labels)?,
        Kind::Number(least, most) => number(column, &given, least, most)?,
        Kind::Count => count(column, &given, notes),
        Kind::Flag => flag(column, &given)?,
        Kind::Json => json(column, given, notes),
        Kind::Moment | Kind::Deadline => moment(column, &given, notes)?,
        Kind::Owner(..) | Kind::Created | Kind::Updated => Cell::Null,
    };
    match (cell, column.need) {
        (Cell::Null, Need::Must) => Err(Reason::Missing(column.name)),
        (Cell::Null, Need::Else("")) => Ok(Cell::List(Vec::new())),
        (Cell::Null, Need::Else(text)) => Ok(Cell::Text(text.to_owned())),
        (cell, _) => Ok(cell),
    }
}

fn text(
    column: &Column,
    given: Value,
    limit: usize,
    notes: &mut Vec<Note>,
) -> Result<Cell, Reason> {
    let text = match given {
        Value::Null => return Ok(Cell::Null),
        Value::String(text) => text,
        Value::Bool(_) | Value::Number(_) => given.to_string(),
        Value::Array(_) | Value::Object(_) => return Err(Reason::Wrong(column.name, "text")),
    };
    let text = storable(text, column, notes);
    // Characters are never more than bytes.
    if text.len() > limit && text.chars().count() > limit {
        return Err(Reason::TooLong(column.name, limit));
    }
    Ok(Cell::Text(text))
}

/// PostgreSQL stores no character 0.
fn storable(text: String, column: &Column, notes: &mut Vec<Note>) -> String {
    if !text.contains('\0') {
        return text;
    }
    notes.push(Note::Characters(column.name));
    text.replace('\0', "")
}

fn texts(column: &Column, given: Value, notes: &mut Vec<Note>) -> Result<Cell, Reason> {
    let wrong = || Reason::Wrong(column.name, "a list of texts");
    let items = match given {
        Value::Null => return Ok(Cell::Null),
        Value::Array(items) => items,
        // As it is typed in.
        Value::String(text) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            items.map(|item| Value::String(item.to_owned())).collect()
        }
        _ => return Err(wrong()),
    };
    if items.len() > MOST_ITEMS {
        return Err(Reason::TooLong(column.name, MOST_ITEMS));
    }
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        match text(column, item, MOST_ITEM, notes)? {
            Cell::Text(item) => list.push(item),
            _ => return Err(wrong()),
        }
    }
    Ok(Cell::List(list))
}

fn choice(column: &Column, given: &Value, labels: &[&str]) -> Result<Cell, Reason> {
    let text = match given {
        Value::Null => return Ok(Cell::Null),
        Value::String(text) => text,
        _ => return Err(Reason::Wrong(column.name, "text")),
    };
    let wanted = text.trim();
    let label = labels
        .iter()
        .find(|label| label.eq_ignore_ascii_case(wanted));
    let unknown = || Reason::Unknown(column.name, wanted.chars().take(QUOTED).collect());
    let label = label.ok_or_else(unknown)?;
    Ok(Cell::Text((*label).to_owned()))
}

/// A whole number, also as text or with a fraction of nothing.
fn whole(given: &Value) -> Option<i64> {
    match given {
        Value::Number(number) => number.as_i64().or_else(|| {
            let text = number.as_f64().map(|number| format!("{number:.0}"))?;
            let whole: i64 = text.parse().ok()?;
            (number.to_string() == format!("{whole}.0")).then_some(whole)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn number(column: &Column, given: &Value, least: i64, most: i64) -> Result<Cell, Reason> {
    if given.is_null() {
        return Ok(Cell::Null);
    }
    let number = whole(given).filter(|number| (least..=most).contains(number));
    let number = number.ok_or(Reason::Range(column.name, least, most))?;
    Ok(Cell::Text(number.to_string()))
}

fn count(column: &Column, given: &Value, notes: &mut Vec<Note>) -> Cell {
    if given.is_null() {
        return Cell::Null;
    }
    let number = whole(given).filter(|number| (0..=i64::from(i32::MAX)).contains(number));
    if number.is_none() {
        notes.push(Note::Counter(column.name));
    }
    Cell::Text(number.unwrap_or_default().to_string())
}

fn flag(column: &Column, given: &Value) -> Result<Cell, Reason> {
    let flag = match given {
        Value::Null => return Ok(Cell::Null),
        Value::Bool(flag) => *flag,
        Value::Number(number) if number.as_i64() == Some(0) => false,
        Value::Number(number) if number.as_i64() == Some(1) => true,
        Value::String(text) if text == "true" => true,
        Value::String(text) if text == "false" => false,
        _ => return Err(Reason::Wrong(column.name, "true or false")),
    };
    Ok(Cell::Text(flag.to_string()))
}

fn json(column: &Column, mut given: Value, notes: &mut Vec<Note>) -> Cell {
    if given.is_null() {
        return Cell::Null;
    }
    if clean(&mut given) {
        notes.push(Note::Characters(column.name));
    }
    Cell::Text(given.to_string())
}

/// Takes characters 0 away; whether there were any.
fn clean(value: &mut Value) -> bool {
    match value {
        Value::String(text) if text.contains('\0') => {
            *text = text.replace('\0', "");
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| clean(item) | any),
        Value::Object(members) => {
            let bad: Vec<String> = members
                .keys()
                .filter(|name| name.contains('\0'))
                .cloned()
                .collect();
            for name in &bad {
                if let Some(value) = members.remove(name) {
                    members.insert(name.replace('\0', ""), value);
                }
            }
            let values = members.values_mut();
            values.fold(!bad.is_empty(), |any, value| clean(value) | any)
        }
        _ => false,
    }
}

fn moment(column: &Column, given: &Value, notes: &mut Vec<Note>) -> Result<Cell, Reason> {
    Ok(match told(given) {
        Told::Nothing => Cell::Null,
        Told::Instant(moment) => Cell::Text(moment.text()),
        Told::Local(moment) => {
            notes.push(Note::Zone(column.name));
            Cell::Text(moment.text())
        }
        Told::Nonsense if matches!(column.kind, Kind::Deadline) => {
            return Err(Reason::Wrong(column.name, "a time"));
        }
        Told::Nonsense => {
            notes.push(Note::Clock(column.name));
            Cell::Null
        }
    })
}
