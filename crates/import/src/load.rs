//! Writes what is to be imported.

mod accounts;
mod counters;

use std::collections::HashMap;

use passerelle_pg::ControlTransaction;

use crate::ImportError;
use crate::collect::{Collected, Fate, Place, Remark, Row};
use crate::copy::{Line, copy, line};
use crate::database::{DatabaseError, tags};
use crate::decide::Decisions;
use crate::decide::parents_first;
use crate::moment::Moment;
use crate::outcome::{Note, Reason};
use crate::people::People;
use crate::progress::{Progress, Stage};
use crate::spool::{Cell, Spooled};
use crate::table::{Kind, Table};

/// So many rows, or bytes, are written at a time.
const MOST_LINES: usize = 2_000;
const MOST_BYTES: usize = 4 << 20;
const NOW: &str = "select (extract(epoch from now()) * 1000)::bigint";
const SETTING: &str = "update public.admin_configs set value = $2::text::jsonb, value_text = $3, \
    description = coalesce($4, description), updated_at = $5::text::timestamptz where id = $1::text::uuid";

/// What rows are written from, and to.
pub(crate) struct Load<'a, 'c> {
    transaction: &'a ControlTransaction<'c>,
    spooled: &'a Spooled,
    /// How approved tags are spelled.
    tags: HashMap<String, String>,
    now: Option<Moment>,
    progress: &'a mut dyn Progress,
    total: u64,
    written: u64,
}

impl<'a, 'c> Load<'a, 'c> {
    pub(crate) async fn new(
        transaction: &'a ControlTransaction<'c>,
        spooled: &'a Spooled,
        all: &Collected,
        progress: &'a mut dyn Progress,
    ) -> Result<Self, DatabaseError> {
        let now: i64 = transaction.query_one(NOW, &[]).await?.try_get(0)?;
        let new = all.rows.iter().filter(|row| row.fate == Fate::New);
        Ok(Self {
            transaction,
            spooled,
            tags: tags(transaction).await?,
            now: Moment::new(now),
            progress,
            total: new.count() as u64,
            written: 0,
        })
    }

    /// Writes everything, and brings the counters up to date.
    pub(crate) async fn all(
        mut self,
        all: &mut Collected,
        people: &People,
        decisions: &Decisions,
    ) -> Result<(), ImportError> {
        self.people(all, people).await?;
        let settings: HashMap<usize, uuid::Uuid> = decisions
            .settings
            .iter()
            .map(|(id, at)| (*at, *id))
            .collect();
        for table in Table::plain() {
            let new: Vec<usize> = (0..all.rows.len())
                .filter(|at| all.rows[*at].table == table && all.rows[*at].fate == Fate::New)
                .collect();
            let (old, new): (Vec<usize>, Vec<usize>) =
                new.into_iter().partition(|at| settings.contains_key(at));
            for at in old {
                self.setting(all, at, settings[&at]).await?;
            }
            let new = if table.is_tree() {
                parents_first(all, table, &new)
            } else {
                new
            };
            self.rows(all, table, &new).await?;
        }
        counters::recount(self.transaction, all).await?;
        Ok(())
    }

    async fn rows(
        &mut self,
        all: &mut Collected,
        table: Table,
        rows: &[usize],
    ) -> Result<(), ImportError> {
        let columns = table
            .columns()
            .iter()
            .map(|column| format!("\"{}\"", column.name));
        let columns: Vec<String> = std::iter::once("id".to_owned()).chain(columns).collect();
        let into = format!("public.{} ({})", table.name(), columns.join(", "));
        let mut lines = Vec::new();
        let mut bytes = 0;
        for (number, at) in rows.iter().enumerate() {
            let text = line(&self.cells(all, *at)?);
            bytes += text.len();
            lines.push(Line { row: *at, text });
            let is_last = number + 1 == rows.len();
            if is_last || lines.len() >= MOST_LINES || bytes >= MOST_BYTES {
                self.write(all, &into, &lines).await?;
                lines.clear();
                bytes = 0;
            }
        }
        Ok(())
    }

    async fn write(
        &mut self,
        all: &mut Collected,
        into: &str,
        lines: &[Line],
    ) -> Result<(), DatabaseError> {
        for refused in copy(self.transaction, into, lines).await? {
            all.rows[refused.row].fate = Fate::Kept(Reason::Refused(refused.why));
        }
        self.written += lines.len() as u64;
        self.progress.at(Stage::Writing, self.written, self.total);
        Ok(())
    }

    /// The values of a row, id first.
    fn cells(&self, all: &mut Collected, at: usize) -> Result<Vec<Cell>, ImportError> {
        let row = &all.rows[at];
        let table = row.table;
        let mut read = self.spooled.read(row.span)?;
        self.embed(all, row, &mut read)?;
        let mut references = row.references.iter();
        let mut cells = vec![Cell::Text(row.id.to_string())];
        let mut is_spelled = false;
        for (column, cell) in table.columns().iter().zip(read) {
            cells.push(match column.kind {
                Kind::Owner(..) => match references.next().copied().flatten() {
                    Some(id) => Cell::Text(id.to_string()),
                    None => Cell::Null,
                },
                Kind::Created => self.time(all, row.place, row.created),
                Kind::Updated => self.time(all, row.place, row.updated),
                Kind::Texts if column.name == "tags" => {
                    let (cell, has_changed) = self.spelled(cell);
                    is_spelled = has_changed;
                    cell
                }
                Kind::Choice(_) if column.name == "role" => Cell::Text(role(row).to_owned()),
                _ => cell,
            });
        }
        if is_spelled {
            let note = Remark {
                table,
                place: row.place,
                id: row.old_id.clone(),
                what: Note::Spelling,
            };
            all.notes.push(note);
        }
        Ok(cells)
    }

    /// Times that no row tells are those of the export, or now.
    fn time(&self, all: &Collected, place: Place, told: Option<Moment>) -> Cell {
        let moment = told
            .or_else(|| all.exported.get(&place.file).copied())
            .or(self.now);
        moment.map_or(Cell::Null, |moment| Cell::Text(moment.text()))
    }

    /// Puts files in the place of the keys under which browsers kept them.
    fn embed(&self, all: &Collected, row: &Row, cells: &mut [Cell]) -> Result<(), ImportError> {
        let file = row.place.file;
        let columns = row.table.columns();
        let position = |name: &str| columns.iter().position(|column| column.name == name);
        let url = |cell: &Cell| -> Result<Option<Cell>, ImportError> {
            let Cell::Text(key) = cell else {
                return Ok(None);
            };
            let Some(embedded) = all.embedded.get(&(file, key.clone())) else {
                return Ok(None);
            };
            Ok(self.spooled.read(embedded.span)?.into_iter().next())
        };
        for (column, at) in columns.iter().zip(0..) {
            if matches!(column.kind, Kind::Link)
                && let Some(url) = url(&cells[at])?
            {
                cells[at] = url;
            }
        }
        if let (Some(path), Some(target)) = (position("file_path"), position("file_url")) {
            let is_empty = match &cells[target] {
                Cell::Text(text) => text.is_empty(),
                _ => true,
            };
            if is_empty && let Some(url) = url(&cells[path])? {
                cells[target] = url;
            }
        }
        Ok(())
    }

    /// Tags as suggestions spell them, each once; whether that changed any.
    fn spelled(&self, cell: Cell) -> (Cell, bool) {
        let Cell::List(items) = cell else {
            return (cell, false);
        };
        let mut list: Vec<String> = Vec::with_capacity(items.len());
        for item in &items {
            let spelled = self.tags.get(&item.to_lowercase()).unwrap_or(item);
            if !list.contains(spelled) {
                list.push(spelled.clone());
            }
        }
        let has_changed = list != items;
        (Cell::List(list), has_changed)
    }

    /// Gives a setting that the application began with another value.
    async fn setting(
        &mut self,
        all: &mut Collected,
        at: usize,
        id: uuid::Uuid,
    ) -> Result<(), ImportError> {
        let cells = self.cells(all, at)?;
        let texts: Vec<Option<&str>> = cells
            .iter()
            .map(|cell| match cell {
                Cell::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        // id, key, value, value_text, description, created_at, updated_at
        let [_, _, value, text, description, _, updated] = texts.as_slice() else {
            return Ok(());
        };
        let id = id.to_string();
        self.transaction
            .execute(SETTING, &[&id, value, text, description, updated])
            .await
            .map_err(DatabaseError::Failed)?;
        Ok(())
    }
}

/// The role that a row gives, as it was decided.
fn role(row: &Row) -> &'static str {
    match (row.table, row.number) {
        (_, 1) => "admin",
        (Table::UserRoles, _) => "user",
        _ => "member",
    }
}
