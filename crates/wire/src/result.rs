//! The rows of one statement as slices of the bytes that PostgreSQL sent.
//! It never decodes a value: all values are PostgreSQL's text format.

use bytes::Bytes;

/// The rows and the command tag of a flight's statement.
#[derive(Clone, Debug, Default)]
pub struct ResultSet {
    pub(crate) bytes: Bytes,
    pub(crate) cells: Vec<Cell>,
    pub(crate) width: usize,
    pub(crate) rows: usize,
    pub(crate) tag: Cell,
    pub(crate) columns: Vec<Column>,
    pub(crate) closing: Vec<Cell>,
}

/// Where a value lies in the bytes of the reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) start: u32,
    /// The length in bytes, or [`Cell::NULL`].
    pub(crate) len: u32,
}

impl Cell {
    /// No value reaches this length: a reply is bounded below it.
    pub(crate) const NULL: u32 = u32::MAX;

    fn range(self) -> Option<std::ops::Range<usize>> {
        (self.len != Self::NULL).then(|| {
            let start = self.start as usize;
            start..start + self.len as usize
        })
    }
}

impl Default for Cell {
    fn default() -> Self {
        Self {
            start: 0,
            len: Self::NULL,
        }
    }
}

/// The description of one column, present when the flight asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The column's name or alias.
    pub name: String,
    /// The OID of its type.
    pub type_oid: u32,
    /// The type modifier, -1 where the type has none.
    pub type_modifier: i32,
}

impl ResultSet {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The number of values in each row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The columns, empty unless the flight asked for them.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The value at this place, sharing the memory of the reply; `None` for `NULL` and for a place
    /// outside the result.
    pub fn bytes(&self, row: usize, column: usize) -> Option<Bytes> {
        self.value(row, column)
            .map(|value| self.bytes.slice_ref(value))
    }

    /// The value at this place; `None` for `NULL` and for a place outside the result.
    pub fn value(&self, row: usize, column: usize) -> Option<&[u8]> {
        self.range(row, column)
            .and_then(|range| self.bytes.get(range))
    }

    /// The value at this place as text; `None` for `NULL`, for a place outside the result and for
    /// bytes that are not UTF-8 (which a server with `client_encoding` UTF8 does not send).
    pub fn text(&self, row: usize, column: usize) -> Option<&str> {
        self.value(row, column)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The rows in order, each as its values.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.rows).map(move |row| Row { result: self, row })
    }

    /// The command tag, such as `SELECT 1` or `INSERT 0 2`; empty for an empty statement.
    pub fn command_tag(&self) -> &str {
        self.tag
            .range()
            .and_then(|range| self.bytes.get(range))
            .and_then(|tag| std::str::from_utf8(tag).ok())
            .unwrap_or_default()
    }

    /// A value of the row that [`Flight::closing`](crate::Flight::closing) answered; `None` for
    /// `NULL` and where there is no such row.
    pub fn closing(&self, column: usize) -> Option<&str> {
        let range = self.closing.get(column).copied().and_then(Cell::range)?;
        std::str::from_utf8(self.bytes.get(range)?).ok()
    }

    /// The number of rows that the command tag reports, for commands that report one.
    pub fn affected(&self) -> Option<u64> {
        self.command_tag()
            .rsplit(' ')
            .next()
            .and_then(|count| count.parse().ok())
    }

    /// Counts all offsets from `start`, where the kept bytes begin.
    pub(crate) fn rebase(&mut self, start: usize) {
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let cells = self.cells.iter_mut().chain(&mut self.closing);
        for cell in cells.chain([&mut self.tag]) {
            cell.start = cell.start.saturating_sub(start);
        }
    }

    fn range(&self, row: usize, column: usize) -> Option<std::ops::Range<usize>> {
        if row >= self.rows || column >= self.width {
            return None;
        }
        self.cells
            .get(row * self.width + column)
            .copied()
            .and_then(Cell::range)
    }
}

/// One row of a [`ResultSet`].
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    result: &'a ResultSet,
    row: usize,
}

impl<'a> Row<'a> {
    /// The number of values.
    pub fn len(self) -> usize {
        self.result.width
    }

    /// Whether there are no values, as in a row of a table without columns.
    pub fn is_empty(self) -> bool {
        self.result.width == 0
    }

    /// See [`ResultSet::bytes`].
    pub fn bytes(self, column: usize) -> Option<Bytes> {
        self.result.bytes(self.row, column)
    }

    /// See [`ResultSet::value`].
    pub fn value(self, column: usize) -> Option<&'a [u8]> {
        self.result.value(self.row, column)
    }

    /// See [`ResultSet::text`].
    pub fn text(self, column: usize) -> Option<&'a str> {
        self.result.text(self.row, column)
    }
}
