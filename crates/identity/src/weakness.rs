//! Credentials that should not guard a deployment: short ones, and ones the whole world knows.

use std::sync::Arc;

/// The least number of bytes a shared HMAC secret should have (RFC 7518 section 3.2 for HS256).
pub const MIN_SECRET_BYTES: usize = 32;

/// Shared secrets printed in the documentation, example files and default configurations of the
/// ecosystem. They are compared without regard to case.
const KNOWN_SECRETS: [&str; 8] = [
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
    "reallyreallyreallyreallyverysafe",
    "secret_with_at_least_32_characters",
    "test_secret_that_is_at_least_32_characters_long",
    "37c304f8-51aa-419a-a1af-06154e63707a",
    "f023d3db-39dc-4ac9-87b2-b2be72e9162b",
    "dc447559-996d-4761-a306-f47a5eab1623",
];

/// The `x` of public keys whose private half is printed in the source of development tools.
const KNOWN_SIGNING_KEYS: [&str; 1] = ["M5Sjqn5zwC9Kl1zVfUUGvv9boQjCGd45G8sdopBExB4"];

/// The opaque keys every local development stack has.
const KNOWN_API_KEYS: [&str; 2] = [
    "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH",
    "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz",
];

/// Why a credential should not guard a deployment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer than [`MIN_SECRET_BYTES`] bytes.
    #[error("the JWT secret has {bytes} bytes, fewer than {MIN_SECRET_BYTES}")]
    ShortSecret {
        /// The number of bytes found.
        bytes: usize,
    },
    /// The shared secret is printed in public documentation or example files.
    #[error("the JWT secret is publicly known")]
    KnownSecret,
    /// The private half of this public key is printed in public sources.
    #[error("the private half of the JWT key is publicly known")]
    KnownSigningKey,
    /// The opaque key is a default of development tools.
    #[error("the API key for role {role:?} is publicly known")]
    KnownApiKey {
        /// The role of the key.
        role: Arc<str>,
    },
}

/// What speaks against these bytes as a shared HMAC secret.
pub(crate) fn of_secret(secret: &[u8]) -> Option<Weakness> {
    if secret.len() < MIN_SECRET_BYTES {
        return Some(Weakness::ShortSecret {
            bytes: secret.len(),
        });
    }
    KNOWN_SECRETS
        .iter()
        .any(|known| known.as_bytes().eq_ignore_ascii_case(secret))
        .then_some(Weakness::KnownSecret)
}

/// What speaks against a public key, told by the `x` of its JWK.
pub(crate) fn of_public_key(x: &str) -> Option<Weakness> {
    KNOWN_SIGNING_KEYS
        .contains(&x)
        .then_some(Weakness::KnownSigningKey)
}

/// What speaks against an opaque key for `role`.
pub(crate) fn of_api_key(key: &[u8], role: &Arc<str>) -> Option<Weakness> {
    let known = KNOWN_API_KEYS.iter().any(|text| text.as_bytes() == key);
    known.then(|| Weakness::KnownApiKey {
        role: Arc::clone(role),
    })
}
