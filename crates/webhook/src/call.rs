//! Sending a message and reading the answer.

use std::time::Duration;

use reqwest::redirect::Policy;
use thiserror::Error;

use crate::secret::Secret;

/// A client for all receivers.
#[derive(Clone, Debug)]
pub struct Caller(reqwest::Client);

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its own id; the same when it is sent again.
    pub id: &'a str,
    /// When it is sent, in seconds since 1970: receivers refuse what was sent too long ago.
    pub seconds: i64,
    /// JSON.
    pub body: &'a str,
}

/// What came back, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The media type, without parameters; empty if there is none.
    pub media_type: String,
    /// The body, as far as it was to be read.
    pub body: Vec<u8>,
    /// Whether the body goes on.
    pub is_cut: bool,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum CallError {
    /// It took too long.
    #[error("there was no answer in time")]
    Late,
    /// The receiver could not be reached, or broke off.
    #[error("it could not be sent: {0}")]
    Sent(#[source] reqwest::Error),
}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Late;
        }
        // A URL may hold a secret.
        Self::Sent(error.without_url())
    }
}

impl Caller {
    /// A client.
    ///
    /// # Errors
    /// [`CallError::Sent`] where there can be none.
    pub fn new() -> Result<Self, CallError> {
        // Where a redirect leads is not where the message was meant to go.
        let client = reqwest::Client::builder().redirect(Policy::none());
        Ok(Self(client.build()?))
    }

    /// Sends a message with a signature by each secret, so that receivers may change theirs. Of the answer at most
    /// `longest` bytes are read.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn call(
        &self,
        url: &str,
        secrets: &[Secret],
        message: Message<'_>,
        timeout: Duration,
        longest: usize,
    ) -> Result<Answer, CallError> {
        let Message { id, seconds, body } = message;
        let signatures: Vec<String> = secrets
            .iter()
            .map(|secret| secret.sign(id, seconds, body.as_bytes()))
            .collect();
        let request = self
            .0
            .post(url)
            .timeout(timeout)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signatures.join(" "))
            .body(body.to_owned());
        let mut answer = request.send().await?;
        let media_type = answer.headers().get("content-type");
        let media_type = media_type.and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|value| value.split(';').next());
        let media_type = media_type.unwrap_or_default().trim().to_ascii_lowercase();
        let mut read = Vec::new();
        while read.len() <= longest {
            match answer.chunk().await? {
                Some(chunk) => read.extend_from_slice(&chunk),
                None => break,
            }
        }
        let is_cut = read.len() > longest;
        read.truncate(longest);
        Ok(Answer {
            status: answer.status().as_u16(),
            media_type,
            body: read,
            is_cut,
        })
    }
}
