//! The body of a request, read to its end before anything is asked of the database.

use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use thiserror::Error;

/// Most that is reserved because a client says so.
const MAX_RESERVED: usize = 1 << 20;

/// Why a body could not be read.
#[derive(Debug, Error)]
pub(crate) enum BodyError {
    /// It is longer than allowed.
    #[error("the body is longer than allowed")]
    TooLarge,
    /// It ended early, or its encoding is broken.
    #[error("the body is incomplete")]
    Incomplete(#[source] actix_web::error::PayloadError),
}

/// Reads at most `limit` bytes.
pub(crate) async fn read(
    mut payload: Payload,
    headers: &HeaderMap,
    limit: u64,
) -> Result<Bytes, BodyError> {
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    let declared = declared
        .and_then(|value| value.parse::<usize>().ok())
        .unwrap_or(0);
    let Some(first) = payload
        .next()
        .await
        .transpose()
        .map_err(BodyError::Incomplete)?
    else {
        return Ok(Bytes::new());
    };
    if first.len() as u64 > limit {
        return Err(BodyError::TooLarge);
    }
    // Most bodies come in one piece, which needs no copy.
    if first.len() == declared {
        return Ok(first);
    }
    let mut body = BytesMut::with_capacity(declared.min(MAX_RESERVED).max(first.len()));
    body.extend_from_slice(&first);
    while let Some(chunk) = payload
        .next()
        .await
        .transpose()
        .map_err(BodyError::Incomplete)?
    {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
