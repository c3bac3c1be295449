//! A reply as bytes, for a store that several gateways share.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::dependencies::Dependencies;
use crate::freshness::Moment;
use crate::shelf::Kept;

/// Bodies of fewer bytes are not compressed.
const COMPRESSED: usize = 1024;

/// All but the body, as JSON on the first line.
#[derive(Debug, Deserialize, Serialize)]
struct Head {
    as_of: u64,
    ttl_milliseconds: u64,
    status: u16,
    etag: Box<str>,
    headers: Vec<(Box<str>, Box<str>)>,
    /// Bytes of the body.
    length: usize,
    /// The body is compressed with LZ4.
    is_compressed: bool,
}

impl Kept {
    /// The reply as bytes; none if a header is not text.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let compressed = (self.body.len() >= COMPRESSED)
            .then(|| lz4_flex::block::compress(&self.body))
            .filter(|compressed| compressed.len() < self.body.len());
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| {
            let value = std::str::from_utf8(value).ok()?;
            Some((name.clone(), value.into()))
        });
        let head = Head {
            as_of: self.as_of(),
            ttl_milliseconds: u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX),
            status: self.status,
            etag: self.etag.clone(),
            headers: headers.collect::<Option<_>>()?,
            length: self.body.len(),
            is_compressed: compressed.is_some(),
        };
        let mut bytes = serde_json::to_vec(&head).ok()?;
        bytes.push(b'\n');
        bytes.extend_from_slice(compressed.as_deref().unwrap_or(&self.body));
        Some(bytes)
    }

    /// Reads what [`Self::encode`] has written, of which this much of its time is left. `found` is
    /// asked for the moment that a position of the WAL stands for, if what was found then still
    /// holds. Bodies of more bytes than `most` are not taken.
    pub fn decode(
        bytes: &[u8],
        left: Duration,
        most: usize,
        on: Dependencies,
        found: impl FnOnce(u64, &Dependencies) -> Option<Moment>,
    ) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        if head.length > most {
            return None;
        }
        let found = found(head.as_of, &on)?;
        let body = &bytes[end + 1..];
        let body = if head.is_compressed {
            Bytes::from(lz4_flex::block::decompress(body, head.length).ok()?)
        } else {
            Bytes::copy_from_slice(body)
        };
        if body.len() != head.length {
            return None;
        }
        let ttl = Duration::from_millis(head.ttl_milliseconds);
        let age = ttl.saturating_sub(left);
        let headers = head.headers.into_iter();
        Some(Self {
            status: head.status,
            headers: headers
                .map(|(name, value)| (name, Bytes::from(value.into_string())))
                .collect(),
            etag: head.etag,
            body,
            found,
            on,
            at: Instant::now().checked_sub(age)?,
            ttl,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: &[u8]) -> Kept {
        Kept {
            status: 206,
            headers: vec![("content-range".into(), Bytes::from_static(b"0-1/2"))],
            etag: "\"a\"".into(),
            body: Bytes::copy_from_slice(body),
            found: Moment {
                session: 3,
                as_of: 77,
            },
            on: Dependencies::default(),
            at: Instant::now(),
            ttl: Duration::from_mins(1),
        }
    }

    fn decoded(bytes: &[u8], most: usize) -> Option<Kept> {
        let left = Duration::from_secs(50);
        Kept::decode(bytes, left, most, Dependencies::default(), |as_of, _| {
            (as_of == 77).then_some(Moment { session: 5, as_of })
        })
    }

    #[test]
    fn comes_back_as_it_was() {
        for body in [&b"[]"[..], &b"[{\"id\":1}]".repeat(1000), b"line\nline"] {
            let bytes = kept(body).encode().expect("bytes");
            assert!(bytes.len() < 2048);
            let back = decoded(&bytes, 1 << 20).expect("a reply");
            assert_eq!(
                (back.status, &*back.etag, &*back.body),
                (206, "\"a\"", body)
            );
            assert_eq!(back.headers, kept(body).headers);
            assert_eq!(back.found.session, 5);
            let age = back.age(Instant::now());
            assert!(age >= Duration::from_secs(10), "{age:?}");
            assert!(decoded(&bytes, body.len() - 1).is_none());
            for end in 0..bytes.len() {
                assert!(decoded(&bytes[..end], 1 << 20).is_none());
            }
        }
        assert!(decoded(b"nonsense\n", 100).is_none());
    }
}
