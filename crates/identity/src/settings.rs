//! What the configuration says about identity.

use std::sync::Arc;

use crate::jwk::JwkError;
use crate::role_path::RolePathError;
use crate::secret::Secret;

/// Everything a [`Verifier`](crate::Verifier) is built from.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// `jwt-secret`: a plain shared secret, a JWK or a JWKS, read from its file already if the
    /// configuration named one. Absent: no token can be verified.
    pub secret: Option<Secret>,
    /// `jwt-secret-is-base64`: `secret` is base64 text of the real one.
    pub secret_is_base64: bool,
    /// Public keys that tokens are verified with besides, as JWKs.
    pub public_keys: Vec<serde_json::Value>,
    /// `jwt-aud`: the audience this deployment answers to. Absent: every audience.
    pub audience: Option<String>,
    /// `jwt-role-claim-key`: where the role stands in the claims.
    pub role_claim_key: String,
    /// `db-anon-role`: the role of requests that name none. Absent: such requests are refused.
    pub anon_role: Option<Arc<str>>,
    /// `jwt-cache-max-entries`: how many verified tokens are remembered; 0 turns the cache off.
    pub cache_max_entries: usize,
    /// Opaque API keys with the roles they stand for.
    pub api_keys: Vec<ApiKey>,
}

impl IdentitySettings {
    /// The secret, if it is one that tokens can be signed with as well: text, and no set of keys.
    pub fn shared_secret(&self) -> Option<Secret> {
        let secret = self.secret.as_ref()?;
        let secret = if self.secret_is_base64 {
            secret.decode_base64()?
        } else {
            secret.clone()
        };
        let is_key = serde_json::from_slice::<serde_json::Value>(secret.expose())
            .is_ok_and(|json| json.is_object());
        (!is_key).then_some(secret)
    }
}

impl Default for IdentitySettings {
    fn default() -> Self {
        Self {
            secret: None,
            secret_is_base64: false,
            public_keys: Vec::new(),
            audience: None,
            role_claim_key: "$.role".to_owned(),
            anon_role: None,
            cache_max_entries: 1000,
            api_keys: Vec::new(),
        }
    }
}

/// One opaque API key (`sb_publishable_…`, `sb_secret_…`) and its role.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The key as clients send it.
    pub key: Secret,
    /// The role it stands for, `anon` or `service_role` by convention.
    pub role: Arc<str>,
}

/// Settings that cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// `jwt-secret-is-base64` is on, but the secret is not base64.
    #[error("the JWT secret is not valid base64")]
    SecretNotBase64,
    /// The secret is a JWK or JWKS with a key that cannot be used.
    #[error("could not read the JWT secret as a key or key set")]
    Jwk(#[from] JwkError),
    /// An audience with a colon that is not a URI (RFC 7519 section 2, `StringOrURI`).
    #[error("jwt-aud should be a string or a valid URI, got {audience:?}")]
    Audience {
        /// The configured audience.
        audience: String,
    },
    /// The role path is in neither of the two accepted syntaxes.
    #[error(transparent)]
    RolePath(#[from] RolePathError),
    /// An opaque API key that could not be told from a token or from no key at all.
    #[error("the API key for role {role:?} is empty or contains a full stop")]
    ApiKey {
        /// The role of the offending key.
        role: Arc<str>,
    },
}

/// Whether `audience` is a plain string, or a URI if it has a colon.
pub(crate) fn is_string_or_uri(audience: &str) -> bool {
    let Some((scheme, rest)) = audience.split_once(':') else {
        return true;
    };
    let scheme_fits = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    scheme_fits && is_uri_text(rest.as_bytes())
}

/// Only characters RFC 3986 allows, and every `%` followed by two hexadecimal digits.
fn is_uri_text(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => text
            .get(at + 1..at + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        other => other.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(other),
    })
}
