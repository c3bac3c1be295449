//! The bytes of a connection: only targets of what the HTTP parser takes for heads are changed.

#![no_main]

use std::io::Result;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use passerelle_surface::RawTargets;
use tokio::io::{AsyncRead, ReadBuf};

#[path = "../../crates/surface/src/raw_target/oracle.rs"]
mod oracle;

/// What was sent, in pieces of at most this size.
struct Pieces<'b>(&'b [u8], usize);

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let size = self.0.len().min(self.1).min(out.remaining());
        let (piece, rest) = self.0.split_at(size);
        out.put_slice(piece);
        self.0 = rest;
        Poll::Ready(Ok(()))
    }
}

fn given(sent: &[u8], size: usize) -> Vec<u8> {
    let mut targets = RawTargets::new(Pieces(sent, size));
    let mut context = Context::from_waker(Waker::noop());
    let mut given = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let mut out = ReadBuf::new(&mut buffer);
        match Pin::new(&mut targets).poll_read(&mut context, &mut out) {
            Poll::Ready(Ok(())) if out.filled().is_empty() => return given,
            Poll::Ready(Ok(())) => given.extend_from_slice(out.filled()),
            Poll::Ready(Err(_)) | Poll::Pending => unreachable!("bytes are there"),
        }
    }
}

/// Whether nothing is cut or renamed, which the oracle does not know of.
fn is_small(sent: &[u8]) -> bool {
    let lines = sent.iter().filter(|byte| **byte == b'\n').count();
    let lower = sent.to_ascii_lowercase();
    lines < 90
        && sent.len() < 32_768
        && !lower
            .windows(22)
            .any(|name| name == b"passerelle-head-excess")
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, sent) = input;
    if is_small(sent) {
        oracle::check(sent, &given(sent, usize::from(size) + 1));
    }
});
