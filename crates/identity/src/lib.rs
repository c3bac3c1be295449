//! Who is calling: verifies and issues tokens, claims, roles, API keys.
//!
//! A [`Verifier`] is built once from [`IdentitySettings`] and turns the credentials of a request
//! into a [`Principal`] or a [`TokenError`]. [`mint`](fn@mint) and [`ApiKeyClaims`] go the other way.
//!
//! This crate never reads a clock, a file, a socket or a source of randomness: the time is an
//! argument ([`UnixTime`]), random bytes are an argument, and configuration arrives as text.

mod api_keys;
mod bearer;
mod cache;
mod claims;
mod error;
mod jwk;
mod jws;
mod keys;
mod mint;
mod principal;
mod role_path;
mod secret;
mod settings;
mod signing;
mod time;
mod verifier;
mod weakness;

pub use bearer::bearer_token;
pub use cache::CacheCounts;
pub use error::{ClaimsError, DecodeError, TokenError};
pub use jwk::JwkError;
pub use keys::KeySet;
pub use mint::{ApiKeyClaims, MintError, RANDOM_SECRET_BYTES, SigningKey, generate_secret, mint};
pub use principal::{Credential, Principal};
pub use role_path::{RolePath, RolePathError};
pub use secret::Secret;
pub use settings::{ApiKey, IdentitySettings, SettingsError};
pub use signing::{SigningKeys, SigningKeysError};
pub use time::UnixTime;
pub use verifier::Verifier;
pub use weakness::{MIN_SECRET_BYTES, Weakness};
