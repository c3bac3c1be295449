//! Secrets of the configuration, kept out of logs.

use std::fmt;

use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine as _};

use crate::weakness::{self, Weakness};

/// Secret bytes from the configuration. Its `Debug` never shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// The secret itself.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What speaks against these bytes as a shared HMAC secret.
    pub fn weakness(&self) -> Option<Weakness> {
        weakness::of_secret(&self.0)
    }

    /// The bytes behind base64 text: standard or URL-safe alphabet, `.` standing for `=`, padding
    /// optional, surrounding white space ignored.
    pub(crate) fn decode_base64(&self) -> Option<Self> {
        const CONFIG: GeneralPurposeConfig =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        const ENGINE: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);
        let text: Vec<u8> = self
            .0
            .trim_ascii()
            .iter()
            .map(|byte| match byte {
                b'-' => b'+',
                b'_' => b'/',
                b'.' => b'=',
                other => *other,
            })
            .collect();
        ENGINE.decode(text).ok().map(Self::from)
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into_boxed_slice())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes().to_vec())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret([redacted])")
    }
}
