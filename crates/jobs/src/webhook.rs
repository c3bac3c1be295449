//! Sending a payload, signed (Standard Webhooks 1.0).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::redirect::Policy;
use sha2::Sha256;
use thiserror::Error;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Of an answer that is no success so many bytes are kept.
const SHOWN: usize = 200;

/// A secret of `whsec_` and 24 to 64 bytes in base64. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// The text is no secret. It is not repeated.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a secret is whsec_ and 24 to 64 bytes in base64")]
pub struct BadSecret;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl FromStr for Secret {
    type Err = BadSecret;

    fn from_str(text: &str) -> Result<Self, BadSecret> {
        let text = text.strip_prefix(PREFIX).ok_or(BadSecret)?;
        let bytes = STANDARD.decode(text).map_err(|_| BadSecret)?;
        if (24..=64).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(BadSecret)
        }
    }
}

impl Secret {
    /// The signature of a message.
    fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            // Keys of any length are taken.
            return String::new();
        };
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// A client for all webhooks.
#[derive(Clone, Debug)]
pub(crate) struct Sender(reqwest::Client);

/// Why a message does not count as delivered.
#[derive(Debug, Error)]
pub(crate) enum SendError {
    #[error("it could not be sent: {0}")]
    Sent(#[source] reqwest::Error),
    #[error("the answer was {status}: {shown}")]
    Answer { status: u16, shown: String },
}

impl Sender {
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        // Where a redirect leads is not where the payload was meant to go.
        let client = reqwest::Client::builder().redirect(Policy::none());
        client.build().map(Self)
    }

    /// Sends a payload; any answer between 200 and 299 is a success.
    pub(crate) async fn send(
        &self,
        (url, secret): (&str, &Secret),
        (id, seconds): (&str, i64),
        body: String,
        timeout: Duration,
    ) -> Result<(), SendError> {
        let signature = secret.sign(id, seconds, body.as_bytes());
        let request = self
            .0
            .post(url)
            .timeout(timeout)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signature)
            .body(body);
        let mut answer = request.send().await.map_err(SendError::Sent)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let mut shown = Vec::new();
        while shown.len() < SHOWN {
            match answer.chunk().await {
                Ok(Some(chunk)) => shown.extend_from_slice(&chunk),
                Ok(None) | Err(_) => break,
            }
        }
        shown.truncate(SHOWN);
        Err(SendError::Answer {
            status: status.as_u16(),
            shown: String::from_utf8_lossy(&shown).into_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn signs_as_the_specification_says() {
        let secret: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
            .parse()
            .expect("a secret");
        let signed = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        for wrong in [
            "",
            "whsec_",
            "whsec_AAAA",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert_eq!(wrong.parse::<Secret>(), Err(BadSecret));
        }
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
