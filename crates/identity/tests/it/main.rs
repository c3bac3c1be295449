//! What a verifier accepts, refuses and says, seen from outside.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up fails the test"
)]

mod algorithms;
mod caching;
mod claims;
mod confusion;
mod credentials;
mod key_material;
mod key_sets;
mod malformed;
mod minting;
mod refusals;
mod roles;
mod settings;
mod tokens;
