//! Rows as `COPY` reads them, and what happens to those that the database refuses.

use bytes::Bytes;
use futures_util::SinkExt as _;
use passerelle_pg::{ControlError, ControlTransaction};

use crate::database::DatabaseError;
use crate::spool::Cell;

const SAVE: &str = "savepoint rows";
const BACK: &str = "rollback to savepoint rows";
const GO_ON: &str = "release savepoint rows";

/// A row on its way: which one it is, and its line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) row: usize,
    pub(crate) text: Bytes,
}

/// A row that the database refuses, and what it says.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) row: usize,
    pub(crate) why: String,
}

/// Writes rows; those that the database refuses are told, and the others stay.
pub(crate) async fn copy(
    transaction: &ControlTransaction<'_>,
    into: &str,
    lines: &[Line],
) -> Result<Vec<Refused>, DatabaseError> {
    let mut refused = Vec::new();
    let mut open = vec![lines];
    while let Some(some) = open.pop() {
        if some.is_empty() {
            continue;
        }
        transaction.execute(SAVE, &[]).await?;
        let Err(error) = send(transaction, into, some).await else {
            transaction.execute(GO_ON, &[]).await?;
            continue;
        };
        let Some(why) = of_a_row(&error) else {
            return Err(error.into());
        };
        transaction.execute(BACK, &[]).await?;
        transaction.execute(GO_ON, &[]).await?;
        if let [line] = some {
            refused.push(Refused { row: line.row, why });
        } else {
            let (first, second) = some.split_at(some.len() / 2);
            open.push(second);
            open.push(first);
        }
    }
    Ok(refused)
}

async fn send(
    transaction: &ControlTransaction<'_>,
    into: &str,
    lines: &[Line],
) -> Result<(), ControlError> {
    let statement = format!("copy {into} from stdin");
    let sink = transaction.copy_in::<_, Bytes>(&statement).await?;
    let mut sink = std::pin::pin!(sink);
    for line in lines {
        sink.feed(line.text.clone()).await?;
    }
    sink.finish().await?;
    Ok(())
}

/// What the database says, if it is about a value or a constraint.
fn of_a_row(error: &ControlError) -> Option<String> {
    let said = error.as_db_error()?;
    let class = said.code().code().get(..2)?;
    matches!(class, "22" | "23" | "54").then(|| said.message().to_owned())
}

/// Adds a row to a text in the format of `COPY`.
pub(crate) fn line(cells: &[Cell]) -> Bytes {
    let size = cells.iter().map(|cell| match cell {
        Cell::Null => 3,
        Cell::Text(text) => text.len() + 1,
        Cell::List(items) => items.iter().map(|item| item.len() + 4).sum::<usize>() + 3,
    });
    let mut line = String::with_capacity(size.sum());
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push('\t');
        }
        match cell {
            Cell::Null => line.push_str("\\N"),
            Cell::Text(text) => escape(text, &mut line),
            Cell::List(items) => escape(&array(items), &mut line),
        }
    }
    line.push('\n');
    line.into()
}

fn escape(text: &str, line: &mut String) {
    for part in text.split_inclusive(['\\', '\t', '\n', '\r']) {
        let Some(last) = part.chars().next_back() else {
            continue;
        };
        let written = match last {
            '\\' => "\\\\",
            '\t' => "\\t",
            '\n' => "\\n",
            '\r' => "\\r",
            _ => {
                line.push_str(part);
                continue;
            }
        };
        line.push_str(&part[..part.len() - 1]);
        line.push_str(written);
    }
}

/// A list as PostgreSQL writes arrays.
fn array(items: &[String]) -> String {
    let mut array = String::from("{");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            array.push(',');
        }
        array.push('"');
        array.push_str(&item.replace('\\', "\\\\").replace('"', "\\\""));
        array.push('"');
    }
    array.push('}');
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn a_line_holds_any_text() {
        let cells = [
            text("a\tb\nc\r\\N"),
            Cell::Null,
            text(""),
            Cell::List(vec!["x,\"y\"".to_owned(), "\\".to_owned(), String::new()]),
            text("é\\"),
        ];
        let expected = "a\\tb\\nc\\r\\\\N\t\\N\t\t{\"x,\\\\\"y\\\\\"\",\"\\\\\\\\\",\"\"}\té\\\\\n";
        assert_eq!(line(&cells), expected);
        assert_eq!(line(&[Cell::List(Vec::new())]), "{}\n");
    }
}
