//! Forms (`application/x-www-form-urlencoded`).

use super::{Payload, PayloadError};
use crate::decode::decode_form;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Names and values in their order. A name without an equals sign has the empty value.
pub(super) fn read(body: &[u8]) -> Result<Vec<(String, String)>, PayloadError> {
    let text = std::str::from_utf8(body).map_err(|_| PayloadError::InvalidForm)?;
    let text = text.strip_prefix('?').unwrap_or(text);
    if text.is_empty() {
        return Ok(Vec::new());
    }
    // A separator at the end opens no further pair.
    let text = text.strip_suffix(['&', ';']).unwrap_or(text);
    text.split(['&', ';']).map(pair).collect()
}

fn pair(piece: &str) -> Result<(String, String), PayloadError> {
    let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
    let decode = |text| match decode_form(text) {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(PayloadError::InvalidForm),
    };
    Ok((decode(name)?, decode(value)?))
}

/// One row of strings; of several values of one name the last counts.
pub(super) fn into_object(pairs: Vec<(String, String)>) -> Payload {
    let row: BTreeMap<String, String> = pairs.into_iter().collect();
    let mut bytes = Vec::new();
    bytes.push(b'{');
    for (name, value) in &row {
        if bytes.len() > 1 {
            bytes.push(b',');
        }
        super::push_string(&mut bytes, name);
        bytes.push(b':');
        super::push_string(&mut bytes, value);
    }
    bytes.push(b'}');
    Payload::Json {
        bytes: Bytes::from(bytes),
        is_object: true,
        keys: row.into_keys().collect(),
        operations: Vec::new(),
    }
}
