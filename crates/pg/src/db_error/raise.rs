//! `raise sqlstate 'PGRST'`: SQL that writes the whole reply as JSON in message and detail.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use super::{ErrorReply, SqlError, challenge};

/// Why the JSON of a raise is not understood (PGRST121).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RaiseError {
    /// The message is not the JSON it should be.
    #[error("Invalid JSON value for MESSAGE: '{0}'")]
    Message(String),
    /// The detail is not the JSON it should be.
    #[error("Invalid JSON value for DETAIL: '{0}'")]
    Detail(String),
    /// There is no detail.
    #[error("DETAIL is missing in the RAISE statement")]
    NoDetail,
}

impl RaiseError {
    fn hint(&self) -> &'static str {
        match self {
            Self::Message(_) => {
                "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and \
                 optional keys: 'details', 'hint'."
            }
            Self::Detail(_) | Self::NoDetail => {
                "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and \
                 optional key: 'status_text'."
            }
        }
    }
}

#[derive(Deserialize)]
struct Body {
    code: String,
    message: String,
    details: Option<String>,
    hint: Option<String>,
}

#[derive(Deserialize)]
struct Detail {
    status: u16,
    status_text: Option<String>,
    headers: BTreeMap<String, String>,
}

pub(super) fn reply(error: &SqlError) -> ErrorReply {
    match parse(error) {
        Ok((body, detail)) => ErrorReply {
            status: detail.status,
            reason: detail.status_text,
            code: body.code,
            message: body.message,
            details: body.details,
            hint: body.hint,
            headers: detail.headers.into_iter().collect(),
        },
        Err(error) => ErrorReply {
            status: 500,
            code: "PGRST121".to_owned(),
            message: "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error".to_owned(),
            details: Some(error.to_string()),
            hint: Some(error.hint().to_owned()),
            headers: challenge(500),
            reason: None,
        },
    }
}

fn parse(error: &SqlError) -> Result<(Body, Detail), RaiseError> {
    let body = serde_json::from_str(&error.message)
        .map_err(|_| RaiseError::Message(error.message.clone()))?;
    let text = error.detail.as_deref().ok_or(RaiseError::NoDetail)?;
    let detail: Detail =
        serde_json::from_str(text).map_err(|_| RaiseError::Detail(text.to_owned()))?;
    if (100..=999).contains(&detail.status) {
        Ok((body, detail))
    } else {
        Err(RaiseError::Detail(text.to_owned()))
    }
}
