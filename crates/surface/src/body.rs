//! The body of a request, read to its end before anything is asked of the database.

use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::rt::time::timeout;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use thiserror::Error;

/// Most that is reserved because a client says so.
const MAX_RESERVED: usize = 1 << 20;

/// How long a client may pause within a body.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Why a body could not be read.
#[derive(Debug, Error)]
pub enum BodyError {
    /// It is longer than allowed.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// It ended early, or its encoding is broken.
    #[error("the body is incomplete")]
    Incomplete(#[source] PayloadError),
    /// Nothing of it came for too long.
    #[error("the body does not arrive")]
    Late,
}

/// Reads at most `limit` bytes, waiting for each piece no longer than `patience`.
pub async fn read(
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    headers: &HeaderMap,
    limit: u64,
    patience: Duration,
) -> Result<Bytes, BodyError> {
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    let declared = declared
        .and_then(|value| value.parse::<usize>().ok())
        .unwrap_or(0);
    let Some(first) = next(&mut payload, patience).await? else {
        return Ok(Bytes::new());
    };
    if first.len() as u64 > limit {
        return Err(BodyError::TooLarge { limit });
    }
    // Most bodies come in one piece, which needs no copy.
    if first.len() == declared {
        return Ok(first);
    }
    let mut body = BytesMut::with_capacity(declared.min(MAX_RESERVED).max(first.len()));
    body.extend_from_slice(&first);
    while let Some(chunk) = next(&mut payload, patience).await? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(BodyError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

async fn next(
    payload: &mut (impl Stream<Item = Result<Bytes, PayloadError>> + Unpin),
    patience: Duration,
) -> Result<Option<Bytes>, BodyError> {
    let piece = timeout(patience, payload.next());
    let piece = piece.await.map_err(|_| BodyError::Late)?;
    piece.transpose().map_err(BodyError::Incomplete)
}

#[cfg(test)]
mod tests {
    use futures_util::stream::{iter, pending};

    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    #[actix_web::test]
    async fn pieces_become_one() {
        let pieces = ["ab", "", "c"].map(|piece| Ok(Bytes::from(piece)));
        let body = read(iter(pieces), &HeaderMap::new(), 3, PATIENCE).await;
        assert_eq!(body.unwrap(), "abc");
        let pieces = ["ab", "cd"].map(|piece| Ok(Bytes::from(piece)));
        let body = read(iter(pieces), &HeaderMap::new(), 3, PATIENCE).await;
        assert!(matches!(body, Err(BodyError::TooLarge { limit: 3 })));
    }

    #[actix_web::test]
    async fn nobody_waits_for_a_body_that_does_not_arrive() {
        let begun = iter([Ok(Bytes::from("ab"))]).chain(pending());
        let body = read(begun, &HeaderMap::new(), 100, SOON).await;
        assert!(matches!(body, Err(BodyError::Late)));
        let body = read(pending(), &HeaderMap::new(), 100, SOON).await;
        assert!(matches!(body, Err(BodyError::Late)));
    }
}
