//! Issuing tokens: API keys in the form of tokens, and access tokens of users.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
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
    kid: Option<String>,
    material: Material,
}

enum Material {
    Shared(EncodingKey),
    Ecdsa(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

impl SigningKey {
    /// A shared secret for HS256.
    pub fn hs256(secret: &Secret) -> Self {
        Self {
            kid: None,
            material: Material::Shared(EncodingKey::from_secret(secret.expose())),
        }
    }

    /// A key pair for ES256, with its name.
    pub(crate) fn es256(kid: &str, pair: EcdsaKeyPair) -> Self {
        Self {
            kid: Some(kid.to_owned()),
            material: Material::Ecdsa(Box::new(pair)),
        }
    }

    /// A key pair for RS256, with its name.
    pub(crate) fn rs256(kid: &str, pair: RsaKeyPair) -> Self {
        Self {
            kid: Some(kid.to_owned()),
            material: Material::Rsa(Box::new(pair)),
        }
    }

    fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Shared(_) => Algorithm::HS256,
            Material::Ecdsa(_) => Algorithm::ES256,
            Material::Rsa(_) => Algorithm::RS256,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, MintError> {
        let random = SystemRandom::new();
        match &self.material {
            Material::Shared(encoding) => {
                let signer = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::HS256, encoding)
                    .map_err(MintError::Key)?;
                signer.try_sign(message).map_err(|_| MintError::Sign)
            }
            Material::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| MintError::Sign)?;
                Ok(signature.as_ref().to_vec())
            }
            Material::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| MintError::Sign)?;
                Ok(signature)
            }
        }
    }
}

/// The header of every token made here.
#[derive(Serialize)]
struct Header<'a> {
    alg: Algorithm,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
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
        alg: key.algorithm(),
        kid: key.kid.as_deref(),
        typ: "JWT",
    })?);
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?);
    let mut token = format!("{header}.{claims}");
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// A shared secret of 64 printable characters out of random bytes.
pub fn generate_secret(random: &[u8; RANDOM_SECRET_BYTES]) -> Secret {
    Secret::from(URL_SAFE_NO_PAD.encode(random))
}
