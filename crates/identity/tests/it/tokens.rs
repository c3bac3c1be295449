//! Tokens and verifiers for the other modules.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use passerelle_identity::{IdentitySettings, Principal, Secret, TokenError, UnixTime, Verifier};
use serde_json::{Value, json};

use crate::key_material::{ED25519_PRIVATE, P256_PRIVATE, P384_PRIVATE, RSA_PRIVATE};

/// The shared secret of these tests.
pub(crate) const SECRET: &str = "a shared secret made for these tests";

/// The moment the tests take place at.
pub(crate) const NOW: UnixTime = UnixTime(1_700_000_000);

/// The settings of a deployment with [`SECRET`] and the anonymous role `anon`, no cache.
pub(crate) fn settings() -> IdentitySettings {
    IdentitySettings {
        secret: Some(Secret::from(SECRET)),
        anon_role: Some(Arc::from("anon")),
        cache_max_entries: 0,
        ..IdentitySettings::default()
    }
}

/// A verifier for [`settings`].
pub(crate) fn verifier() -> Verifier {
    Verifier::new(&settings()).unwrap()
}

/// A verifier for [`settings`] with another `jwt-secret`.
pub(crate) fn verifier_of(secret: &Value) -> Verifier {
    let secret = Some(Secret::from(secret.to_string()));
    Verifier::new(&IdentitySettings {
        secret,
        ..settings()
    })
    .unwrap()
}

/// What [`verifier`] makes of claims signed with its own secret.
pub(crate) fn verify_claims(claims: &Value) -> Result<Principal, TokenError> {
    verifier().verify(hs256(claims).as_bytes(), NOW)
}

/// The claims signed with [`SECRET`].
pub(crate) fn hs256(claims: &Value) -> String {
    signed(
        &json!({"alg": "HS256", "typ": "JWT"}),
        claims,
        &shared(SECRET),
        Algorithm::HS256,
    )
}

/// A token with this header and these claims, signed whatever the header says.
pub(crate) fn signed(
    header: &Value,
    claims: &Value,
    key: &EncodingKey,
    algorithm: Algorithm,
) -> String {
    signed_text(&header.to_string(), &claims.to_string(), key, algorithm)
}

/// A token with this header and payload text.
pub(crate) fn signed_text(
    header: &str,
    payload: &str,
    key: &EncodingKey,
    algorithm: Algorithm,
) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An HMAC key.
pub(crate) fn shared(secret: &str) -> EncodingKey {
    EncodingKey::from_secret(secret.as_bytes())
}

/// The private test key an algorithm signs with.
pub(crate) fn private_key(algorithm: Algorithm) -> EncodingKey {
    let der = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => shared(SECRET),
        Algorithm::ES256 => EncodingKey::from_ec_der(&der(P256_PRIVATE)),
        Algorithm::ES384 => EncodingKey::from_ec_der(&der(P384_PRIVATE)),
        Algorithm::EdDSA => EncodingKey::from_ed_der(&der(ED25519_PRIVATE)),
        _ => EncodingKey::from_rsa_der(&der(RSA_PRIVATE)),
    }
}
