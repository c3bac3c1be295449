//! Runs a read whose rows become CSV while they arrive.
//!
//! As long as they are few, they are an answer like any other. From then on there is no end to wait
//! for: the reply begins, and its body follows.

use bytes::{Bytes, BytesMut};
use passerelle_planner::CountSpec;
use passerelle_sql::{ExportStatements, export_column};
use passerelle_statement::Statement;
use passerelle_syntax::Count;
use passerelle_wire::{Pool, ResultSet, RowStream, StreamedFlight, WireError};

use super::{Answer, RunError, estimated_total, needs_estimate};
use crate::course::Course;
use crate::csv;

/// A body up to this many bytes is sent as a whole.
pub(crate) const HELD: usize = 256 * 1024;

/// Bytes of the lines that usually come at once.
const PIECE: usize = 64 * 1024;

/// What an export has come to.
pub(crate) enum Export {
    /// All of it is here.
    Whole(Answer),
    /// There is more to come.
    Flowing(Box<Flow>),
}

/// An export of which more than [`HELD`] bytes have come.
pub(crate) struct Flow {
    rows: RowStream,
    /// What has come.
    begun: Bytes,
    pub(crate) head: FlowHead,
}

/// What is known of an export whose rows are still arriving.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlowHead {
    /// Rows there are without the window, where it was asked for and is known.
    pub(crate) total: Option<u64>,
    /// The total is that of the snapshot that the rows are read from, not an estimate.
    pub(crate) exact: bool,
    /// Rows of the window at most.
    pub(crate) most: Option<u64>,
    /// `response.headers`
    pub(crate) response_headers: Option<Bytes>,
    /// `response.status`
    pub(crate) response_status: Option<Bytes>,
}

/// Runs an export until it is whole or too large to be held.
pub(crate) async fn export(
    pool: &Pool,
    course: &Course,
    statements: &ExportStatements,
    count: Option<CountSpec>,
    most: Option<u64>,
) -> Result<Export, RunError> {
    let before: Vec<Statement> = std::iter::once(&statements.head)
        .chain(&statements.explain)
        .cloned()
        .collect();
    let flight = StreamedFlight {
        flight: course.flight(&statements.rows).describe(),
        before: &before,
        after: std::slice::from_ref(&statements.tail),
    };
    let connection = pool.acquire(course.scope.role()).await?;
    let mut rows = connection.stream(&flight).await?;
    let mut body = BytesMut::new();
    let mut page_count = 0;
    while let Some(piece) = rows.next().await? {
        if page_count == 0 {
            csv::write_header(&mut body, rows.columns());
        }
        page_count += piece.len() as u64;
        csv::write_lines(&mut body, &piece);
        if body.len() > HELD {
            return Ok(Export::Flowing(Box::new(Flow {
                head: FlowHead {
                    most,
                    ..head(&rows, count, statements.total_counts_rows)
                },
                begun: body.freeze(),
                rows,
            })));
        }
    }
    if page_count == 0 {
        csv::write_nothing(&mut body);
    }
    let setting = |column| rows.after().first().and_then(|tail| tail.bytes(0, column));
    Ok(Export::Whole(Answer {
        total: total(&rows, count, Some(page_count)),
        page_count,
        body: body.freeze(),
        response_headers: setting(export_column::RESPONSE_HEADERS),
        response_status: setting(export_column::RESPONSE_STATUS),
    }))
}

fn head(rows: &RowStream, count: Option<CountSpec>, total_counts_rows: bool) -> FlowHead {
    let head = rows.before().first();
    let setting = |column| head.and_then(|head| head.bytes(0, column));
    let estimated = count.is_none_or(|count| match count.kind {
        Count::Exact => false,
        Count::Planned => true,
        Count::Estimated => needs_estimate(Some(count), counted(head)),
    });
    FlowHead {
        total: total(rows, count, None),
        exact: total_counts_rows && !estimated,
        most: None,
        response_headers: setting(export_column::RESPONSE_HEADERS),
        response_status: setting(export_column::RESPONSE_STATUS),
    }
}

/// The total as a read finds it; `rows` are those of the page, once all have come.
fn total(stream: &RowStream, count: Option<CountSpec>, rows: Option<u64>) -> Option<u64> {
    let count = count?;
    let mut before = stream.before().iter();
    let counted = counted(before.next());
    let counted = match count.kind {
        Count::Exact | Count::Estimated if !count.separate => rows.or(counted),
        _ => counted,
    };
    if !needs_estimate(Some(count), counted) {
        return counted;
    }
    match before.next() {
        Some(estimated) => estimated_total(Some(count), counted, estimated),
        None => counted,
    }
}

fn counted(head: Option<&ResultSet>) -> Option<u64> {
    head?.text(0, export_column::TOTAL)?.parse().ok()
}

impl Flow {
    /// The lines that have come and were not taken; `None` after the last one, when the transaction
    /// has ended well.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, WireError> {
        if !self.begun.is_empty() {
            return Ok(Some(std::mem::take(&mut self.begun)));
        }
        let Some(piece) = self.rows.next().await? else {
            return Ok(None);
        };
        let mut lines = BytesMut::with_capacity(PIECE);
        csv::write_lines(&mut lines, &piece);
        Ok(Some(lines.freeze()))
    }

    /// Lifts the time limit of flights: who lets the export flow has another one.
    pub(crate) fn without_limit(&mut self) {
        self.rows.limit_to(None);
    }
}
