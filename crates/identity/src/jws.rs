//! The compact serialisation of a JWS (RFC 7515 section 7.1): from token bytes to payload bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::DecodeError;
use crate::keys::KeySet;

/// The header members that decide how a token is verified.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Its presence makes the token an encrypted one (RFC 7516), which is not accepted.
    enc: Option<IgnoredAny>,
    /// Extensions that must be understood (RFC 7515 section 4.1.11); none is.
    crit: Option<IgnoredAny>,
}

/// The payload of a token whose signature one of the keys verifies.
pub(crate) fn open(token: &[u8], keys: &KeySet) -> Result<Vec<u8>, DecodeError> {
    let (message, [header, payload, signature]) = split(token)?;
    let header: Header =
        serde_json::from_slice(&decode(header)?).map_err(|_| DecodeError::Malformed)?;
    let payload = decode(payload)?;
    if header.alg == "none" {
        return Err(DecodeError::Unsecured);
    }
    if header.enc.is_some() || header.crit.is_some() {
        return Err(DecodeError::Malformed);
    }
    let signature = decode(signature)?;
    let algorithm = algorithm(&header.alg)?;
    keys.verify(algorithm, header.kid.as_deref(), message, &signature)?;
    Ok(payload)
}

/// The signed text and the three parts of a token.
fn split(token: &[u8]) -> Result<(&[u8], [&[u8]; 3]), DecodeError> {
    if token.is_empty() {
        return Err(DecodeError::Empty);
    }
    let mut parts = token.split(|byte| *byte == b'.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => {
            let message = &token[..header.len() + 1 + payload.len()];
            Ok((message, [header, payload, signature]))
        }
        _ => Err(DecodeError::UnexpectedParts(
            token.split(|byte| *byte == b'.').count(),
        )),
    }
}

fn decode(part: &[u8]) -> Result<Vec<u8>, DecodeError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| DecodeError::Malformed)
}

fn algorithm(name: &str) -> Result<Algorithm, DecodeError> {
    match name {
        // A registered algorithm no key here can have, as opposed to an invented name.
        "ES512" => Err(DecodeError::NoSuitableKey),
        _ => name.parse().map_err(|_| DecodeError::Malformed),
    }
}
