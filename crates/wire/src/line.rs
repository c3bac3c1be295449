//! The line to the server: the socket, what has been received, and one exchange at a time.
//! It never decides what an answer means for the session.

use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};

use crate::endpoint::{Endpoint, Place};
use crate::error::WireError;
use crate::inbound::{self, Reply, Shape, Status};
use crate::startup::{self, Session};
use crate::stream::Stream;

/// No read is offered less room than this, in bytes.
const SMALLEST_READ: usize = 4 * 1024;

#[derive(Debug)]
pub(crate) struct Line {
    stream: Stream,
    /// What has been received and not been taken.
    pub(crate) inbound: BytesMut,
    /// The largest answer, in bytes.
    limit: usize,
    /// Whether the server may be at work for an exchange that has not ended.
    in_flight: bool,
}

impl Line {
    /// Opens a socket and a session.
    pub(crate) async fn open(
        endpoint: &Endpoint,
        place: &Place,
        limit: usize,
    ) -> Result<(Self, Session), WireError> {
        let mut stream = Stream::open(endpoint, place).await?;
        let mut inbound = BytesMut::with_capacity(inbound::INITIAL_CAPACITY);
        let session = startup::start(endpoint, &[], &mut stream, &mut inbound).await?;
        // Values are found by 32-bit offsets.
        let limit = limit.min(u32::MAX as usize - 1);
        let line = Self {
            stream,
            inbound,
            limit,
            in_flight: false,
        };
        Ok((line, session))
    }

    /// Writes `messages` and reads the answer up to `ReadyForQuery`. The answer stays in the
    /// buffer until it is taken or released.
    pub(crate) async fn round_trip(
        &mut self,
        messages: &[u8],
        shape: Shape,
    ) -> Result<(Reply, Status), WireError> {
        self.begin(messages).await?;
        let mut reply = Reply::new(shape);
        loop {
            if let Some(status) = reply.advance(&self.inbound)? {
                self.end();
                return Ok((reply, status));
            }
            self.receive(&mut reply, SMALLEST_READ).await?;
        }
    }

    /// Writes `messages`, to which an answer is going to be read.
    pub(crate) async fn begin(&mut self, messages: &[u8]) -> Result<(), WireError> {
        self.in_flight = true;
        self.send(messages).await
    }

    /// The answer has been read up to `ReadyForQuery`.
    pub(crate) fn end(&mut self) {
        self.in_flight = false;
    }

    /// Reads more of the answer, at least `least` bytes at once if the server has them. Loses
    /// nothing when it is dropped.
    pub(crate) async fn receive(
        &mut self,
        reply: &mut Reply,
        least: usize,
    ) -> Result<(), WireError> {
        let missing = reply.missing(&self.inbound)?;
        inbound::check_limit(self.inbound.len(), missing, self.limit)?;
        self.reserve(missing, least);
        let ended = match self.stream.read_buf(&mut self.inbound).await {
            Ok(0) => inbound::closed(),
            Ok(_) => return Ok(()),
            Err(error) => error.into(),
        };
        // A farewell such as "terminating connection" is a better answer than none.
        Err(reply.error.take().map_or(ended, WireError::Server))
    }

    /// Room for the rest of the current message.
    fn reserve(&mut self, missing: usize, least: usize) {
        if self.inbound.capacity() - self.inbound.len() < missing.max(least) {
            self.inbound.reserve(missing.max(2 * least));
        }
    }

    /// Writes, and reads meanwhile: a server that cannot get rid of its notices stops reading.
    async fn send(&mut self, messages: &[u8]) -> Result<(), WireError> {
        let mut rest = messages;
        while !rest.is_empty() {
            inbound::check_limit(self.inbound.len(), 0, self.limit)?;
            let written = poll_fn(|context| self.poll_send(context, rest)).await?;
            rest = &rest[written..];
        }
        self.stream.flush().await?;
        Ok(())
    }

    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        rest: &[u8],
    ) -> Poll<Result<usize, WireError>> {
        match Pin::new(&mut self.stream).poll_write(context, rest) {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(inbound::closed())),
            Poll::Ready(result) => Poll::Ready(result.map_err(WireError::from)),
            Poll::Pending => match pin!(self.stream.read_buf(&mut self.inbound)).poll(context) {
                Poll::Ready(Ok(0)) => Poll::Ready(Err(inbound::closed())),
                Poll::Ready(Ok(_)) => Poll::Ready(Ok(0)),
                Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.stream.is_quiet()
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        self.in_flight
    }

    /// Ends the session, so that the server does not have to notice.
    pub(crate) fn say_goodbye(&self) {
        let mut farewell = BytesMut::with_capacity(8);
        frontend::terminate(&mut farewell);
        self.stream.write_now(&farewell);
    }
}
