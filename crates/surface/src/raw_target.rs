//! Connections whose clients write into a URL what they should have percent-encoded.
//!
//! `PostgREST` takes `select=a->>b` and `name=eq.é` as they are, its documentation writes them, and
//! curl sends them so; RFC 3986 allows neither, and the HTTP parser refuses them. Here they are
//! encoded on their way to it. A head that is too large for the parser is cut, so that it can be
//! answered as other errors are. Nothing else is ever changed: bodies of a declared length are passed
//! over, and a connection on which anything else may follow (chunks, an upgrade) is left alone from
//! there on.

mod edit;
mod length;
mod scanner;

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::scanner::Scanner;
pub(crate) use self::scanner::{EXCESS, EXCESS_HEADERS, EXCESS_TARGET};

/// A connection that encodes what request targets must not hold.
#[derive(Debug)]
pub struct RawTargets<T> {
    io: T,
    scanner: Scanner,
    /// What was read and encoded, but not asked for yet: at most thrice the reader's buffer.
    pending: Vec<u8>,
}

impl<T> RawTargets<T> {
    /// Reads requests from `io`, from the first byte on.
    pub fn new(io: T) -> Self {
        Self {
            io,
            scanner: Scanner::default(),
            pending: Vec::new(),
        }
    }

    fn give(&mut self, out: &mut ReadBuf<'_>) {
        let bytes = self.pending.len().min(out.remaining());
        out.put_slice(&self.pending[..bytes]);
        self.pending.drain(..bytes);
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for RawTargets<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = self.get_mut();
        if !this.pending.is_empty() {
            this.give(out);
            return Poll::Ready(Ok(()));
        }
        let before = out.filled().len();
        loop {
            ready!(Pin::new(&mut this.io).poll_read(context, out))?;
            let Some(edited) = this.scanner.scan(&out.filled()[before..]) else {
                return Poll::Ready(Ok(()));
            };
            out.set_filled(before);
            // Nothing read would mean that the client is done.
            if !edited.is_empty() {
                this.pending = edited;
                this.give(out);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for RawTargets<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
