//! From an object of a browser to the values of a row.

mod prepare;
mod value;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::ids::id_of;
use crate::moment::{Moment, Told, told};
use crate::outcome::{Note, Reason};
use crate::spool::Cell;
use crate::table::{Column, Kind, Need, Table};

/// The longest id that is taken.
const LONGEST_ID: usize = 200;

/// What a row comes to.
#[derive(Debug)]
pub(crate) struct Converted {
    /// In the order of the table's columns. References and times of the row itself are empty here.
    pub(crate) cells: Vec<Cell>,
    pub(crate) references: [Option<Uuid>; 3],
    /// The number that is part of its natural key, or whether a role is that of administrators.
    pub(crate) number: i64,
    /// The text that is its natural key.
    pub(crate) key: Option<String>,
    pub(crate) created: Option<Moment>,
    pub(crate) updated: Option<Moment>,
    pub(crate) notes: Vec<Note>,
}

/// The id of a row, as it was.
pub(crate) fn old_id(table: Table, row: &Map<String, Value>) -> Result<String, Reason> {
    let id = match row.get("id") {
        Some(Value::String(id)) if !id.is_empty() => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        // Settings are known by their key.
        None | Some(Value::Null) if table == Table::AdminConfigs => {
            let key = row.get("key").and_then(Value::as_str);
            format!("config/{}", key.ok_or(Reason::NoId)?)
        }
        // A profile's id is that of its user.
        None | Some(Value::Null) if table == Table::Profiles => {
            let user = row.get("user_id").and_then(Value::as_str);
            user.ok_or(Reason::NoId)?.to_owned()
        }
        _ => return Err(Reason::NoId),
    };
    if id.len() > LONGEST_ID {
        return Err(Reason::LongId);
    }
    Ok(id)
}

/// Reads a row.
pub(crate) fn convert(
    table: Table,
    old_id: &str,
    row: &mut Map<String, Value>,
) -> Result<Converted, Reason> {
    let mut notes = Vec::new();
    prepare::prepare(table, row, &mut notes);
    let mut converted = Converted {
        cells: Vec::with_capacity(table.columns().len()),
        references: [None; 3],
        number: 0,
        key: None,
        created: None,
        updated: None,
        notes,
    };
    let mut reference = 0;
    for column in table.columns() {
        let given = take(row, column);
        let cell = match column.kind {
            Kind::Owner(..) => {
                converted.references[reference] = reference_of(column, &given)?;
                reference += 1;
                Cell::Null
            }
            Kind::Created => {
                converted.created = converted.time(column, &given);
                Cell::Null
            }
            Kind::Updated => {
                converted.updated = converted.time(column, &given);
                Cell::Null
            }
            _ => value::cell(column, given, &mut converted.notes)?,
        };
        converted.cells.push(cell);
    }
    converted.created = converted
        .created
        .or_else(|| Moment::of_id(old_id))
        .or(converted.updated);
    converted.updated = converted.updated.or(converted.created);
    converted.judge(table)?;
    Ok(converted)
}

impl Converted {
    fn time(&mut self, column: &Column, given: &Value) -> Option<Moment> {
        match told(given) {
            Told::Nothing => None,
            Told::Instant(moment) => Some(moment),
            Told::Local(moment) => {
                self.notes.push(Note::Zone(column.name));
                Some(moment)
            }
            Told::Nonsense => {
                self.notes.push(Note::Clock(column.name));
                None
            }
        }
    }

    /// The text of a column.
    fn text(&self, table: Table, name: &str) -> Option<&str> {
        let mut columns = table.columns().iter();
        let at = columns.position(|column| column.name == name)?;
        match &self.cells[at] {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What no column alone can tell.
    fn judge(&mut self, table: Table) -> Result<(), Reason> {
        let text = |name| self.text(table, name).unwrap_or_default();
        match table {
            Table::ResourceShares
                if self.references[1].is_some() == self.references[2].is_some() =>
            {
                return Err(Reason::NotOneTarget);
            }
            Table::ResourceComments if text("content").is_empty() => {
                return Err(Reason::Empty("content"));
            }
            Table::ResourceVersions => {
                self.number = text("version_number").parse().unwrap_or_default();
            }
            Table::UserRoles | Table::GroupMembers => {
                self.number = i64::from(text("role") == "admin");
            }
            Table::Suggestions => {
                self.key = Some(format!("{}\u{1f}{}", text("type"), text("name")));
            }
            Table::AdminConfigs => self.key = Some(text("key").to_owned()),
            _ => {}
        }
        Ok(())
    }
}

/// The value under the first name that there is.
fn take(row: &mut Map<String, Value>, column: &Column) -> Value {
    // `order` and `order_index` stand for each other, so that neither is taken away.
    let mut names = std::iter::once(&column.name).chain(column.aliases);
    let found = names.find(|name| row.get(**name).is_some_and(|value| !value.is_null()));
    match found {
        Some(name) if name.starts_with("order") => row[*name].clone(),
        Some(name) if matches!(column.kind, Kind::Created) => row[*name].clone(),
        Some(name) => row.remove(*name).unwrap_or_default(),
        None => Value::Null,
    }
}

fn reference_of(column: &Column, given: &Value) -> Result<Option<Uuid>, Reason> {
    let id = match given {
        Value::Null => None,
        Value::String(id) => Some(id.clone()).filter(|id| !id.is_empty()),
        Value::Number(id) => Some(id.to_string()),
        _ => return Err(Reason::Wrong(column.name, "an id")),
    };
    match id {
        Some(id) if id.len() > LONGEST_ID => Err(Reason::Wrong(column.name, "an id")),
        Some(id) => Ok(Some(id_of(&id))),
        None if matches!(column.need, Need::Must) => Err(Reason::Missing(column.name)),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests;
