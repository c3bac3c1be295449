//! Where rows wait on disk between being read and being written, so that memory holds only what is decided by.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;

use serde::{Deserialize, Serialize};

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Cell {
    Null,
    Text(String),
    List(Vec<String>),
}

/// Where a row lies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: u64,
    bytes: u32,
}

/// Rows that are written one after the other to a file without a name.
#[derive(Debug)]
pub(crate) struct Spool {
    file: BufWriter<File>,
    end: u64,
}

/// The same rows, once all are there.
#[derive(Debug)]
pub(crate) struct Spooled(File);

impl Spool {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(1 << 16, tempfile::tempfile()?),
            end: 0,
        })
    }

    /// Adds what [`encode`] has made.
    pub(crate) fn add(&mut self, row: &[u8]) -> io::Result<Span> {
        let bytes = u32::try_from(row.len()).map_err(io::Error::other)?;
        self.file.write_all(row)?;
        let start = self.end;
        self.end += u64::from(bytes);
        Ok(Span { start, bytes })
    }

    pub(crate) fn finish(self) -> io::Result<Spooled> {
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok(Spooled(file))
    }
}

impl Spooled {
    pub(crate) fn read(&self, span: Span) -> io::Result<Vec<Cell>> {
        let mut row = vec![0; span.bytes as usize];
        self.0.read_exact_at(&mut row, span.start)?;
        Ok(serde_json::from_slice(&row)?)
    }
}

/// A row as the spool keeps it.
pub(crate) fn encode(cells: &[Cell]) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(cells)?)
}
