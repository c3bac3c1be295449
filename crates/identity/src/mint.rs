//! Issuing tokens: API keys in the form of tokens, and access tokens of users.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde::Serialize;

use crate::secret::Secret;
use crate::time::UnixTime;

/// Random bytes [`generate_secret`] asks for.
pub const RANDOM_SECRET_BYTES: usize = 48;

/// Ten years of 365 days, how long an API key in the form of a token lasts.
const API_KEY_LIFETIME: i64 = 10 * 365 * 24 * 60 * 60;

/// A key tokens are signed with.
pub struct SigningKey {
    algorithm: Algorithm,
    encoding: EncodingKey,
}

impl SigningKey {
    /// A shared secret for HS256.
    pub fn hs256(secret: &Secret) -> Self {
        let encoding = EncodingKey::from_secret(secret.expose());
        Self {
            algorithm: Algorithm::HS256,
            encoding,
        }
    }
}

/// The header of every token made here.
#[derive(Serialize)]
struct Header {
    alg: Algorithm,
    typ: &'static str,
}

/// A token that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The claims have no JSON form.
    #[error("could not write the token as JSON")]
    Json(#[from] serde_json::Error),
    /// The key cannot sign.
    #[error("could not sign the token")]
    Key(#[source] jsonwebtoken::errors::Error),
    /// The signature could not be computed.
    #[error("could not sign the token")]
    Sign,
}

/// The claims of an `anon` or `service_role` key in the form of a token.
#[derive(Clone, Debug, Serialize)]
pub struct ApiKeyClaims {
    /// Who issues the key.
    pub iss: String,
    /// The project the key belongs to.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The database role the key stands for.
    pub role: String,
    /// When it was issued, Unix seconds.
    pub iat: i64,
    /// When it ends, Unix seconds.
    pub exp: i64,
}

impl ApiKeyClaims {
    /// Claims for `role`, issued at `now` and good for ten years.
    pub fn new(issuer: &str, role: &str, now: UnixTime) -> Self {
        Self {
            iss: issuer.to_owned(),
            reference: None,
            role: role.to_owned(),
            iat: now.seconds(),
            exp: now.seconds().saturating_add(API_KEY_LIFETIME),
        }
    }
}

/// Signs `claims` into a compact token.
///
/// # Errors
///
/// [`MintError`] if the claims have no JSON form or the key cannot sign.
pub fn mint(claims: &impl Serialize, key: &SigningKey) -> Result<String, MintError> {
    let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&Header {
        alg: key.algorithm,
        typ: "JWT",
    })?);
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?);
    let mut token = format!("{header}.{claims}");
    let signer =
        (DEFAULT_PROVIDER.signer_factory)(&key.algorithm, &key.encoding).map_err(MintError::Key)?;
    let signature = signer
        .try_sign(token.as_bytes())
        .map_err(|_| MintError::Sign)?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// A shared secret of 64 printable characters out of random bytes.
pub fn generate_secret(random: &[u8; RANDOM_SECRET_BYTES]) -> Secret {
    Secret::from(URL_SAFE_NO_PAD.encode(random))
}
