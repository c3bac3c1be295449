//! What the HTTP parser makes of a connection, to hold the scanner against.
//!
//! The parser is asked about the same bytes with every byte that it refuses in a target replaced by
//! a letter. Where it then sees a head or a body, that is where the head or the body is; the
//! scanner has to have left everything as it was but for the targets of those heads.

use actix_codec::Decoder as _;
use actix_http::HttpMessage as _;
use actix_http::h1::{Codec, Message};
use bytes::BytesMut;
use tokio::task::LocalSet;

/// A head that the parser took, as places in what was sent.
struct Taken {
    head: std::ops::Range<usize>,
    /// What follows the head belongs to nothing that the scanner follows.
    is_last_followed: bool,
}

/// Panics unless `given` is what the scanner may make of `sent`: as far as the parser takes it, the
/// same bytes, but encoded in targets. Says how many heads were taken.
pub(super) fn check(sent: &[u8], given: &[u8]) -> usize {
    let (taken, end) = taken(sent);
    let mut expected = Vec::new();
    let mut done = 0;
    let mut is_followed = true;
    for Taken {
        head,
        is_last_followed,
    } in &taken
    {
        let target = target(sent, head.start);
        expected.extend_from_slice(&sent[done..target.start]);
        if is_followed {
            for byte in &sent[target.clone()] {
                match byte {
                    b'"' | b'<' | b'>' | b'`' | 0x7f.. => {
                        expected.extend_from_slice(format!("%{byte:02X}").as_bytes());
                    }
                    _ => expected.push(*byte),
                }
            }
        } else {
            expected.extend_from_slice(&sent[target.clone()]);
        }
        done = target.end;
        is_followed &= !is_last_followed;
    }
    expected.extend_from_slice(&sent[done..end]);
    assert!(
        given.starts_with(&expected),
        "sent {}\n\nexpected {}\n\ngiven {}",
        sent.escape_ascii(),
        expected.escape_ascii(),
        given.escape_ascii()
    );
    taken.len()
}

/// The heads that the parser takes, and where it stops.
fn taken(sent: &[u8]) -> (Vec<Taken>, usize) {
    let plain: Vec<u8> = sent
        .iter()
        .map(|byte| match byte {
            b'"' | b'<' | b'>' | b'`' | 0x7f.. => b'x',
            _ => *byte,
        })
        .collect();
    let mut left = BytesMut::from(&plain[..]);
    // The codec has a clock, which wants to be a task.
    let tasks = LocalSet::new();
    let _entered = tasks.enter();
    let mut codec = Codec::default();
    let mut taken = Vec::new();
    let mut end = 0;
    loop {
        match codec.decode(&mut left) {
            Ok(Some(Message::Item(request))) => {
                let headers = request.headers();
                let is_last_followed = headers.contains_key("transfer-encoding")
                    || headers.contains_key("upgrade")
                    || request.method().as_str().eq_ignore_ascii_case("connect");
                let head = end..sent.len() - left.len();
                taken.push(Taken {
                    head,
                    is_last_followed,
                });
            }
            Ok(Some(Message::Chunk(_))) => {}
            Ok(None) | Err(_) => return (taken, end),
        }
        end = sent.len() - left.len();
    }
}

/// Where the target of the head stands that begins here.
fn target(sent: &[u8], head: usize) -> std::ops::Range<usize> {
    let blank = |from: usize| from + sent[from..].iter().position(|byte| *byte == b' ').unwrap();
    let start = blank(head) + 1;
    start..blank(start)
}
