//! The body of an export: lines go from PostgreSQL to the client as fast as the slower of them.
//!
//! A task of its own reads the rows, so that a client that does not read, or is gone, does not
//! keep a connection longer than the configuration lets it.

mod permits;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::rt;
use bytes::Bytes;
use passerelle_pg::chain;
use passerelle_surface::RequestId;
use passerelle_wire::WireError;
use thiserror::Error;
use tokio::sync::mpsc;

pub(crate) use self::permits::{ExportPermit, ExportPermits};
use crate::run::Flow;

/// What the configuration says about exports: replies whose rows are sent on while they arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportSettings {
    /// How many may run at the same time; each keeps a connection. Further ones are replies like
    /// any other, held until they are complete.
    pub at_once: usize,
    /// How long its client may take nothing of one.
    pub stall: Duration,
    /// How long one may take.
    pub longest: Duration,
}

/// The body ends before its rows do: the client is not told that it is complete.
#[derive(Debug, Error)]
#[error("the export was cut off")]
pub(crate) struct Cut;

/// Why an export ends before its last row.
#[derive(Debug, Error)]
enum Interruption {
    #[error("the database failed")]
    Database(#[source] WireError),
    #[error("it took too long")]
    Late,
    #[error("the client takes nothing")]
    Stalled,
    #[error("the client is gone")]
    Abandoned,
}

enum Piece {
    Lines(Bytes),
    /// After the last line; a body without it was cut off.
    End,
}

/// The body of an export.
pub(crate) struct ExportBody {
    pieces: mpsc::Receiver<Piece>,
    ended: bool,
}

impl MessageBody for ExportBody {
    type Error = Cut;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Cut>>> {
        let body = self.get_mut();
        if body.ended {
            return Poll::Ready(None);
        }
        body.pieces.poll_recv(context).map(|piece| match piece {
            Some(Piece::Lines(lines)) => Some(Ok(lines)),
            Some(Piece::End) => {
                body.ended = true;
                None
            }
            None => Some(Err(Cut)),
        })
    }
}

/// Lets an export flow into the body that is returned. The permit is given back with the
/// connection.
pub(crate) fn body(
    mut flow: Box<Flow>,
    permit: ExportPermit,
    settings: ExportSettings,
    request_id: RequestId,
) -> ExportBody {
    let (sender, pieces) = mpsc::channel(1);
    rt::spawn(async move {
        flow.without_limit();
        let outcome = tokio::select! {
            outcome = rt::time::timeout(settings.longest, pump(&mut flow, &sender, settings.stall)) => {
                outcome.unwrap_or(Err(Interruption::Late))
            }
            () = sender.closed() => Err(Interruption::Abandoned),
        };
        drop((flow, permit));
        match outcome {
            Ok(()) => {
                // A client that is gone does not need to be told the end.
                let _ = sender.send(Piece::End).await;
            }
            Err(interruption) => report(&interruption, &request_id),
        }
    });
    ExportBody {
        pieces,
        ended: false,
    }
}

async fn pump(
    flow: &mut Flow,
    sender: &mpsc::Sender<Piece>,
    stall: Duration,
) -> Result<(), Interruption> {
    while let Some(lines) = flow.next().await.map_err(Interruption::Database)? {
        let sent = rt::time::timeout(stall, sender.send(Piece::Lines(lines))).await;
        sent.map_err(|_| Interruption::Stalled)?
            .map_err(|_| Interruption::Abandoned)?;
    }
    Ok(())
}

fn report(interruption: &Interruption, request_id: &RequestId) {
    let (request_id, error) = (request_id.as_str(), chain(interruption));
    match interruption {
        Interruption::Database(_) => tracing::error!(request_id, error, "an export was cut off"),
        Interruption::Late | Interruption::Stalled => {
            tracing::warn!(request_id, error, "an export was cut off");
        }
        Interruption::Abandoned => tracing::debug!(request_id, error, "an export was cut off"),
    }
}
