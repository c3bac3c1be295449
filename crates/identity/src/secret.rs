//! Configured secrets, and the checks that tell a weak one.

use std::fmt;

use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine as _};

/// The least number of bytes a shared HMAC secret should have (RFC 7518 section 3.2 for HS256).
pub const MIN_SECRET_BYTES: usize = 32;

/// Shared secrets printed in the documentation and example files of the ecosystem; whoever reads
/// those can sign tokens for a deployment that kept one.
const KNOWN_SECRETS: [&str; 8] = [
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
    "reallyreallyreallyreallyverysafe",
    "secret_with_at_least_32_characters",
    "37c304f8-51aa-419a-a1af-06154e63707a",
    "f023d3db-39dc-4ac9-87b2-b2be72e9162b",
    "dc447559-996d-4761-a306-f47a5eab1623",
    "your-256-bit-secret-your-256-bit-secret",
];

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
        if self.len() < MIN_SECRET_BYTES {
            return Some(Weakness::TooShort { bytes: self.len() });
        }
        KNOWN_SECRETS
            .iter()
            .any(|known| known.as_bytes() == self.expose())
            .then_some(Weakness::PubliclyKnown)
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

/// Why a secret should not guard a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer than [`MIN_SECRET_BYTES`] bytes.
    #[error("the JWT secret has {bytes} bytes, fewer than {MIN_SECRET_BYTES}")]
    TooShort {
        /// The number of bytes found.
        bytes: usize,
    },
    /// The secret is printed in public documentation or example files.
    #[error("the JWT secret is publicly known")]
    PubliclyKnown,
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
