//! Reads the answer to a flight out of the receive buffer, up to `ReadyForQuery`.
//! It never reads the socket and never keeps a row that nobody asked for.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{self, Header, Message};

use crate::error::{Origin, ServerError, WireError};
use crate::result::{Cell, Column, ResultSet};

/// The receive buffer's size, in bytes, between flights.
pub(crate) const INITIAL_CAPACITY: usize = 8 * 1024;
/// Up to this many bytes a result is copied, which is cheaper than giving the buffer away.
const COPIED: usize = 4 * 1024;
/// The bytes of a message's tag and length.
const HEADER: usize = 5;

/// How many statements a flight has in front of those whose rows are wanted, and how many these
/// are. What comes behind them ends the transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// An explicit `BEGIN` comes first.
    pub(crate) begin: bool,
    /// The statements of the prelude.
    pub(crate) prelude: usize,
    /// The statements whose rows are kept.
    pub(crate) kept: usize,
    /// The statements behind these.
    pub(crate) unkept: usize,
    /// The statements behind those, of which the row of the last is kept apart.
    pub(crate) closing: usize,
}

impl Shape {
    pub(crate) const ALONE: Self = Self {
        begin: false,
        prelude: 0,
        kept: 1,
        unkept: 0,
        closing: 0,
    };

    fn main(self) -> usize {
        usize::from(self.begin) + self.prelude
    }

    /// Which of the kept statements runs when this many have completed.
    fn kept(self, completed: usize) -> Option<usize> {
        completed
            .checked_sub(self.main())
            .filter(|index| *index < self.kept)
    }

    /// Whether the statement runs whose row is kept apart when this many have completed.
    fn is_closing(self, completed: usize) -> bool {
        self.closing > 0 && completed + 1 == self.main() + self.kept + self.unkept + self.closing
    }

    fn origin(self, completed: usize) -> Origin {
        if self.begin && completed == 0 {
            return Origin::Begin;
        }
        if completed < self.main() {
            Origin::Prelude(completed - usize::from(self.begin))
        } else if self.kept(completed).is_some() {
            Origin::Statement
        } else {
            Origin::End
        }
    }
}

/// The state of the session that `ReadyForQuery` reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Idle,
    InTransaction,
    Failed,
}

/// What a message means for who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing yet.
    Within,
    /// One of the statements whose rows are kept is complete.
    Complete,
    /// The answer has ended.
    Ended(Status),
}

/// What has been understood of the answer so far.
#[derive(Debug)]
pub(crate) struct Reply {
    shape: Shape,
    /// Where the next message starts.
    cursor: usize,
    /// How many statements have completed.
    completed: usize,
    /// How many `Bind` messages have succeeded.
    bound: usize,
    /// How many `Parse` messages have succeeded.
    pub(crate) parsed: usize,
    rows: usize,
    width: usize,
    cells: Vec<Cell>,
    tag: Cell,
    columns: Vec<Column>,
    /// The values of the row that is kept apart.
    closing: Vec<Cell>,
    /// Where the bytes of the result start.
    kept_from: Option<usize>,
    pub(crate) error: Option<Box<ServerError>>,
}

impl Reply {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            cursor: 0,
            completed: 0,
            bound: 0,
            parsed: 0,
            rows: 0,
            width: 0,
            cells: Vec::new(),
            tag: Cell::default(),
            columns: Vec::new(),
            closing: Vec::new(),
            kept_from: None,
            error: None,
        }
    }

    /// Understands every whole message in the buffer; the status once `ReadyForQuery` is there.
    pub(crate) fn advance(&mut self, buffer: &[u8]) -> Result<Option<Status>, WireError> {
        loop {
            match self.step(buffer)? {
                Some(Progress::Ended(status)) => return Ok(Some(status)),
                Some(Progress::Within | Progress::Complete) => {}
                None => return Ok(None),
            }
        }
    }

    /// Understands the next message, if it is there as a whole.
    #[inline]
    pub(crate) fn step(&mut self, buffer: &[u8]) -> Result<Option<Progress>, WireError> {
        let Some(header) = Header::parse(&buffer[self.cursor..])? else {
            return Ok(None);
        };
        let Some(body) = buffer.get(self.cursor + HEADER..self.cursor + message_len(header)) else {
            return Ok(None);
        };
        let start = self.cursor;
        self.cursor += message_len(header);
        match header.tag() {
            backend::CLOSE_COMPLETE_TAG | backend::NO_DATA_TAG => {}
            backend::BIND_COMPLETE_TAG => self.bound += 1,
            backend::PARSE_COMPLETE_TAG => self.parsed += 1,
            backend::DATA_ROW_TAG => self.row(start + HEADER, body)?,
            backend::COMMAND_COMPLETE_TAG => {
                return Ok(Some(self.complete(start + HEADER, body.len())));
            }
            backend::EMPTY_QUERY_RESPONSE_TAG => self.completed += 1,
            backend::READY_FOR_QUERY_TAG => return Ok(Some(Progress::Ended(status(body)?))),
            _ => self.rare(&buffer[start..self.cursor])?,
        }
        Ok(Some(Progress::Within))
    }

    /// Which of the statements whose rows are kept runs, as far as is known.
    pub(crate) fn kept_statement(&self) -> Option<usize> {
        self.shape.kept(self.completed)
    }

    /// Whether rows have come that were not taken.
    pub(crate) fn has_rows(&self) -> bool {
        self.rows > 0
    }

    /// Takes what has come, which makes room in the buffer.
    pub(crate) fn take(&mut self, buffer: &mut BytesMut) -> ResultSet {
        let bytes = buffer.split_to(std::mem::take(&mut self.cursor)).freeze();
        self.kept_from = None;
        ResultSet {
            bytes,
            cells: std::mem::take(&mut self.cells),
            width: self.width,
            rows: std::mem::take(&mut self.rows),
            tag: std::mem::take(&mut self.tag),
            columns: std::mem::take(&mut self.columns),
            closing: Vec::new(),
        }
    }

    /// How many more bytes the message at the end of the buffer needs, as far as that is known.
    pub(crate) fn missing(&self, buffer: &[u8]) -> Result<usize, WireError> {
        let available = buffer.len() - self.cursor;
        let whole = Header::parse(&buffer[self.cursor..])?.map_or(HEADER, message_len);
        Ok(whole.saturating_sub(available))
    }

    fn row(&mut self, start: usize, body: &[u8]) -> Result<(), WireError> {
        if self.kept_statement().is_some() {
            self.kept_from.get_or_insert(start);
            self.rows += 1;
            self.width = cells(start, body, &mut self.cells)?;
        } else if self.shape.is_closing(self.completed) {
            self.kept_from.get_or_insert(start);
            self.closing.clear();
            cells(start, body, &mut self.closing)?;
        }
        Ok(())
    }

    fn complete(&mut self, start: usize, len: usize) -> Progress {
        let kept = self.kept_statement().is_some();
        if kept {
            self.kept_from.get_or_insert(start);
            // The tag ends with a NUL.
            if let (Ok(start), Ok(len)) = (u32::try_from(start), u32::try_from(len)) {
                self.tag = Cell {
                    start,
                    len: len.saturating_sub(1),
                };
            }
        }
        self.completed += 1;
        if kept {
            Progress::Complete
        } else {
            Progress::Within
        }
    }

    fn rare(&mut self, message: &[u8]) -> Result<(), WireError> {
        match Message::parse(&mut BytesMut::from(message))? {
            Some(Message::ErrorResponse(body)) => {
                let error = ServerError::read(&body, self.shape.origin(self.completed))?;
                // The first error is the cause; what follows a FATAL one is its consequence.
                self.error.get_or_insert(Box::new(error));
                Ok(())
            }
            Some(Message::NoticeResponse(body)) => {
                trace_notice(&ServerError::read_notice(&body)?);
                Ok(())
            }
            Some(Message::RowDescription(body)) => {
                self.columns = body
                    .fields()
                    .map(|field| {
                        Ok(Column {
                            name: field.name().to_owned(),
                            type_oid: field.type_oid(),
                            type_modifier: field.type_modifier(),
                        })
                    })
                    .collect()?;
                Ok(())
            }
            Some(Message::ParameterStatus(_) | Message::NotificationResponse(_)) => Ok(()),
            Some(
                Message::CopyInResponse(_) | Message::CopyOutResponse(_) | Message::CopyData(_),
            ) => Err(WireError::Protocol("COPY has no place in a flight")),
            _ => Err(WireError::Protocol(
                "a message that has no place in a flight",
            )),
        }
    }

    /// Whether the statement that failed did so before it could run.
    pub(crate) fn failed_at_bind(&self) -> bool {
        self.bound == self.completed
    }

    /// Leaves the buffer ready for the next flight, without the answer to this one.
    pub(crate) fn release(&self, buffer: &mut BytesMut) {
        if self.cursor < buffer.len() {
            // What the server says on its own account, such as a changed parameter, may have
            // arrived in part, and belongs to the next flight.
            buffer.advance(self.cursor);
        } else if buffer.capacity() > INITIAL_CAPACITY * 8 {
            *buffer = BytesMut::with_capacity(INITIAL_CAPACITY);
        } else {
            buffer.clear();
        }
    }

    /// The result, and the buffer ready for the next flight.
    pub(crate) fn into_result(self, buffer: &mut BytesMut) -> ResultSet {
        let end = if self.tag.len == Cell::NULL {
            self.kept_from.unwrap_or(0)
        } else {
            (self.tag.start + self.tag.len) as usize
        };
        let end = self.closing.iter().fold(end, |end, cell| match cell.len {
            Cell::NULL => end,
            len => end.max((cell.start + len) as usize),
        });
        let start = self.kept_from.unwrap_or(end);
        let bytes = if end - start <= COPIED {
            let copy = Bytes::copy_from_slice(&buffer[start..end]);
            self.release(buffer);
            copy
        } else {
            let whole = std::mem::replace(buffer, BytesMut::with_capacity(INITIAL_CAPACITY));
            buffer.extend_from_slice(&whole[self.cursor..]);
            whole.freeze().slice(start..end)
        };
        let mut result = ResultSet {
            bytes,
            cells: self.cells,
            width: self.width,
            rows: self.rows,
            tag: self.tag,
            columns: self.columns,
            closing: self.closing,
        };
        result.rebase(start);
        result
    }
}

/// Finds the values of a row that starts at `start`; tells how many there are.
#[inline]
fn cells(start: usize, body: &[u8], cells: &mut Vec<Cell>) -> Result<usize, WireError> {
    let malformed = || WireError::Protocol("a malformed row");
    let (width, _) = body.split_first_chunk::<2>().ok_or_else(malformed)?;
    let width = usize::from(u16::from_be_bytes(*width));
    let mut at = 2;
    for _ in 0..width {
        let len = body.get(at..).and_then(|rest| rest.first_chunk::<4>());
        let len = i32::from_be_bytes(*len.ok_or_else(malformed)?);
        at += 4;
        // A negative length is NULL.
        let Ok(len) = u32::try_from(len) else {
            cells.push(Cell::default());
            continue;
        };
        let cell = Cell {
            start: offset(start + at)?,
            len,
        };
        at += len as usize;
        if at > body.len() {
            return Err(malformed());
        }
        cells.push(cell);
    }
    Ok(width)
}

fn message_len(header: Header) -> usize {
    // The length counts itself but not the tag, and has been checked to be four at least.
    usize::try_from(header.len()).unwrap_or(usize::MAX - 1) + 1
}

fn offset(at: usize) -> Result<u32, WireError> {
    u32::try_from(at).map_err(|_| WireError::Protocol("a reply beyond four gigabytes"))
}

fn status(body: &[u8]) -> Result<Status, WireError> {
    match body {
        b"I" => Ok(Status::Idle),
        b"T" => Ok(Status::InTransaction),
        b"E" => Ok(Status::Failed),
        _ => Err(WireError::Protocol("an unknown transaction status")),
    }
}

/// Notices may quote data, so only their kind is traced.
pub(crate) fn trace_notice(notice: &ServerError) {
    tracing::debug!(severity = %notice.severity, code = %notice.code, "notice from PostgreSQL");
}

/// Fails when more than `limit` bytes would have to be held.
pub(crate) fn check_limit(held: usize, missing: usize, limit: usize) -> Result<(), WireError> {
    if held.saturating_add(missing) > limit {
        return Err(WireError::ReplyTooLarge { limit });
    }
    Ok(())
}

/// An end of the stream where a message was expected.
pub(crate) fn closed() -> WireError {
    io::Error::from(io::ErrorKind::UnexpectedEof).into()
}

#[cfg(test)]
mod tests;
