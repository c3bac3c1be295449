//! The keys tokens are verified with, and which of them fits a token.

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use crate::error::DecodeError;
use crate::jwk;
use crate::secret::Secret;
use crate::settings::SettingsError;
use crate::weakness::Weakness;

/// The verification keys read from `jwt-secret`.
#[derive(Default)]
pub struct KeySet {
    keys: Vec<Key>,
    unusable: usize,
}

/// One verification key: what it is called, what it may verify, and with what.
pub(crate) struct Key {
    pub(crate) id: Option<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) decoding: DecodingKey,
    pub(crate) weakness: Option<Weakness>,
}

impl KeySet {
    /// Reads `jwt-secret`: a JWKS (`{"keys": […]}`), a JWK, or else a plain secret for HS256 only.
    ///
    /// # Errors
    ///
    /// [`SettingsError::SecretNotBase64`] and [`SettingsError::Jwk`].
    pub fn parse(secret: &Secret, is_base64: bool) -> Result<Self, SettingsError> {
        if is_base64 {
            let decoded = secret
                .decode_base64()
                .ok_or(SettingsError::SecretNotBase64)?;
            return Self::parse(&decoded, false);
        }
        let json = match serde_json::from_slice::<Value>(secret.expose()) {
            Ok(json) if json.is_object() => json,
            _ => return Ok(Self::plain(secret)),
        };
        let jwks = match json.get("keys") {
            Some(Value::Array(keys)) => keys.as_slice(),
            _ => std::slice::from_ref(&json),
        };
        let mut keys = Vec::with_capacity(jwks.len());
        for jwk in jwks {
            keys.extend(jwk::read(jwk)?);
        }
        let unusable = jwks.len() - keys.len();
        Ok(Self { keys, unusable })
    }

    /// The same with these public keys.
    pub(crate) fn with(mut self, public_keys: &[Value]) -> Result<Self, SettingsError> {
        for key in public_keys {
            self.keys.extend(jwk::read(key)?);
        }
        Ok(self)
    }

    /// How many keys of a JWKS were left out because their type, curve, use or algorithm is not
    /// one tokens can be verified with here.
    pub fn unusable(&self) -> usize {
        self.unusable
    }

    /// What speaks against the keys of the set, at most one reason each.
    pub fn weaknesses(&self) -> impl Iterator<Item = &Weakness> {
        self.keys.iter().filter_map(|key| key.weakness.as_ref())
    }

    /// Verifies `signature` over `message` with the keys that fit `kid` and `algorithm`.
    pub(crate) fn verify(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> Result<(), DecodeError> {
        let mut verdict = Err(DecodeError::NoSuitableKey);
        for key in self.keys.iter().filter(|key| key.fits(algorithm, kid)) {
            if key.verifies(algorithm, message, signature) {
                return Ok(());
            }
            verdict = Err(DecodeError::BadSignature);
        }
        verdict
    }

    fn plain(secret: &Secret) -> Self {
        let key = Key {
            id: None,
            algorithms: vec![Algorithm::HS256],
            decoding: DecodingKey::from_secret(secret.expose()),
            weakness: secret.weakness(),
        };
        Self {
            keys: vec![key],
            unusable: 0,
        }
    }
}

impl Key {
    /// A token without `kid` may try every key; one with `kid` only the key of that name.
    fn fits(&self, algorithm: Algorithm, kid: Option<&str>) -> bool {
        self.algorithms.contains(&algorithm) && (kid.is_none() || kid == self.id.as_deref())
    }

    fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &Vec<u8>) -> bool {
        (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &self.decoding)
            .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
    }
}
