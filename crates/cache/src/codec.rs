//! A reply as bytes, for a store that several gateways share.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::dependencies::Dependencies;
use crate::freshness::Moment;
use crate::grace::Grace;
use crate::shelf::Kept;

/// Bodies of fewer bytes are not compressed.
const COMPRESSED: usize = 1024;

/// The form of what follows. Numbers are big-endian, and texts have their length before them.
const FORM: u8 = 2;

/// Bytes that most heads take.
const HEAD: usize = 512;

impl Kept {
    /// The reply as bytes; none if a header is longer than 64 KiB, or the body than 4 GiB.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let compressed = (self.body.len() >= COMPRESSED)
            .then(|| lz4_flex::block::compress(&self.body))
            .filter(|compressed| compressed.len() < self.body.len());
        let body = compressed.as_deref().unwrap_or(&self.body);
        let mut bytes = Vec::with_capacity(HEAD + body.len());
        bytes.push(FORM);
        bytes.push(u8::from(compressed.is_some()));
        bytes.extend_from_slice(&self.as_of().to_be_bytes());
        let ttl = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        bytes.extend_from_slice(&ttl.to_be_bytes());
        bytes.extend_from_slice(&self.status.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(self.body.len()).ok()?.to_be_bytes());
        push_text(&mut bytes, self.etag.as_bytes())?;
        bytes.extend_from_slice(&u16::try_from(self.headers.len()).ok()?.to_be_bytes());
        for (name, value) in &self.headers {
            push_text(&mut bytes, name.as_bytes())?;
            push_text(&mut bytes, value)?;
        }
        bytes.extend_from_slice(body);
        Some(bytes)
    }

    /// Reads what [`Self::encode`] has written, of which this much of its time is left. `found` is
    /// asked for the moment that a position of the WAL stands for, if what was found then still
    /// holds. Bodies of more bytes than `most` are not taken. It may be handed out for
    /// its `grace` after it was right.
    pub fn decode(
        bytes: &[u8],
        left: Duration,
        most: usize,
        on: Dependencies,
        grace: Duration,
        found: impl FnOnce(u64, &Dependencies) -> Option<Moment>,
    ) -> Option<Self> {
        let mut rest = Rest(bytes);
        if rest.number::<1>()? != [FORM] {
            return None;
        }
        let is_compressed = rest.number::<1>()? != [0];
        let as_of = u64::from_be_bytes(rest.number()?);
        let ttl = Duration::from_millis(u64::from_be_bytes(rest.number()?));
        let status = u16::from_be_bytes(rest.number()?);
        let length = usize::try_from(u32::from_be_bytes(rest.number()?)).ok()?;
        if length > most {
            return None;
        }
        let found = found(as_of, &on)?;
        let etag = rest.text()?.into();
        let count = usize::from(u16::from_be_bytes(rest.number()?));
        // Each takes four bytes at least, so what is reserved is bounded by what came.
        let mut headers = Vec::with_capacity(count.min(rest.0.len() / 4));
        for _ in 0..count {
            let name = rest.text()?.into();
            headers.push((name, Bytes::copy_from_slice(rest.bytes()?)));
        }
        let body = if is_compressed {
            Bytes::from(lz4_flex::block::decompress(rest.0, length).ok()?)
        } else {
            Bytes::copy_from_slice(rest.0)
        };
        if body.len() != length {
            return None;
        }
        let now = Instant::now();
        let age = ttl.saturating_sub(left);
        Some(Self {
            status,
            headers,
            etag,
            body,
            found,
            on,
            at: now.checked_sub(age)?,
            ttl,
            grace: Grace::new(grace, now),
        })
    }
}

fn push_text(out: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    out.extend_from_slice(&u16::try_from(text.len()).ok()?.to_be_bytes());
    out.extend_from_slice(text);
    Some(())
}

/// What has not been read yet.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (number, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*number)
    }

    fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = u16::from_be_bytes(self.number()?);
        let (text, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        Some(text)
    }

    fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.bytes()?).ok()
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
            grace: Grace::new(Duration::ZERO, Instant::now()),
        }
    }

    fn decoded(bytes: &[u8], most: usize) -> Option<Kept> {
        let left = Duration::from_secs(50);
        let on = Dependencies::default();
        Kept::decode(bytes, left, most, on, Duration::ZERO, |as_of, _| {
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
