//! From the credentials of a request to its principal.

use std::sync::Arc;

use crate::api_keys::{ApiKeys, is_opaque};
use crate::bearer::bearer_token;
use crate::cache::{Cache, CacheCounts};
use crate::claims::{self, Validity};
use crate::error::{DecodeError, TokenError};
use crate::jws;
use crate::keys::KeySet;
use crate::principal::{Credential, Principal};
use crate::role_path::RolePath;
use crate::settings::{IdentitySettings, SettingsError, is_string_or_uri};
use crate::time::UnixTime;
use crate::weakness::Weakness;

/// Knows the keys, the audience, the role path and the API keys of a deployment. Shared by all
/// threads; a new configuration means a new one, with an empty cache.
pub struct Verifier {
    keys: Option<KeySet>,
    audience: Option<String>,
    role_path: RolePath,
    anon_role: Option<Arc<str>>,
    anonymous: Result<Principal, TokenError>,
    api_keys: ApiKeys,
    cache: Cache<Verified>,
}

/// What is true of a token whose signature verified, for as long as the configuration stands.
struct Verified {
    validity: Validity,
    principal: Result<Principal, TokenError>,
}

impl Verifier {
    /// Builds a verifier.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if the secret, the audience, the role path or an API key is unusable. A
    /// weak secret is not an error here: see [`weaknesses`](Self::weaknesses).
    pub fn new(settings: &IdentitySettings) -> Result<Self, SettingsError> {
        if let Some(audience) = settings
            .audience
            .as_ref()
            .filter(|it| !is_string_or_uri(it))
        {
            return Err(SettingsError::Audience {
                audience: audience.clone(),
            });
        }
        let keys = settings
            .secret
            .as_ref()
            .map(|secret| KeySet::parse(secret, settings.secret_is_base64))
            .transpose()?;
        let keys = match keys {
            keys if settings.public_keys.is_empty() => keys,
            keys => Some(keys.unwrap_or_default().with(&settings.public_keys)?),
        };
        let anon_role = settings.anon_role.clone();
        let anonymous = anon_role
            .clone()
            .map(|role| Principal::of_role(role, Credential::None, anon_role.as_deref()))
            .ok_or(TokenError::AnonymousDisabled);
        Ok(Self {
            keys,
            audience: settings.audience.clone(),
            role_path: RolePath::parse(&settings.role_claim_key)?,
            anonymous,
            anon_role,
            api_keys: ApiKeys::new(settings)?,
            cache: Cache::new(settings.cache_max_entries),
        })
    }

    /// How the cache of verified tokens did.
    pub fn cache_counts(&self) -> CacheCounts {
        self.cache.counts()
    }

    /// The keys tokens are verified with, if any are configured.
    pub fn keys(&self) -> Option<&KeySet> {
        self.keys.as_ref()
    }

    /// What speaks against the configured secret, keys and API keys. Empty when all is well; what
    /// to do about the rest is for the caller to decide.
    pub fn weaknesses(&self) -> Vec<Weakness> {
        let keys = self.keys.iter().flat_map(KeySet::weaknesses).cloned();
        keys.chain(self.api_keys.weaknesses()).collect()
    }

    /// Where the role is looked for.
    pub fn role_path(&self) -> &RolePath {
        &self.role_path
    }

    /// The principal of a request without credentials.
    ///
    /// # Errors
    ///
    /// [`TokenError::AnonymousDisabled`] if no anonymous role is configured.
    pub fn anonymous(&self) -> Result<Principal, TokenError> {
        self.anonymous.clone()
    }

    /// The principal of a signed token at `now`.
    ///
    /// # Errors
    ///
    /// Any [`TokenError`] but [`TokenError::UnknownApiKey`].
    pub fn verify(&self, token: &[u8], now: UnixTime) -> Result<Principal, TokenError> {
        let keys = self.keys.as_ref().ok_or(TokenError::SecretMissing)?;
        let verified = match self.cache.get(token) {
            Some(remembered) => remembered,
            None => self.verify_anew(token, keys)?,
        };
        verified.validity.check(now)?;
        verified.principal.clone()
    }

    /// The principal of a PostgREST request: its Bearer token, or else nobody. Other
    /// `Authorization` schemes count as no credential.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify) and [`anonymous`](Self::anonymous).
    pub fn authenticate_bearer(
        &self,
        authorization: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<Principal, TokenError> {
        match authorization.and_then(bearer_token) {
            Some(token) => self.verify(token, now),
            None => self.anonymous(),
        }
    }

    /// The principal of a supabase-js request. The Bearer value decides if there is one (opaque
    /// keys are accepted there too, for the client repeats its key in both places); else `apikey`
    /// does; a request with neither is anonymous.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify) and [`anonymous`](Self::anonymous), and
    /// [`TokenError::UnknownApiKey`].
    pub fn authenticate(
        &self,
        apikey: Option<&[u8]>,
        authorization: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<Principal, TokenError> {
        match (authorization.and_then(bearer_token), apikey) {
            (Some([]), _) => Err(DecodeError::Empty.into()),
            (Some(credential), _) => self.key_or_token(credential, now),
            (None, Some(credential)) if !credential.is_empty() => {
                self.key_or_token(credential, now)
            }
            (None, _) => self.anonymous(),
        }
    }

    fn key_or_token(&self, credential: &[u8], now: UnixTime) -> Result<Principal, TokenError> {
        if is_opaque(credential) {
            let principal = self.api_keys.find(credential);
            return principal.cloned().ok_or(TokenError::UnknownApiKey);
        }
        self.verify(credential, now)
    }

    fn verify_anew(&self, token: &[u8], keys: &KeySet) -> Result<Arc<Verified>, TokenError> {
        let verified = Arc::new(self.read(&jws::open(token, keys)?)?);
        self.cache.insert(token, Arc::clone(&verified));
        Ok(verified)
    }

    fn read(&self, payload: &[u8]) -> Result<Verified, TokenError> {
        let claims = claims::read(payload)?;
        let validity = Validity::read(&claims, self.audience.as_deref());
        let role = self
            .role_path
            .role(&claims)
            .map(Arc::from)
            .or_else(|| self.anon_role.clone());
        let principal = match role {
            Some(role) => {
                let text = claims::text_with_role(payload, &role)?.into();
                let anon_role = self.anon_role.as_deref();
                Ok(Principal::new(
                    role,
                    text,
                    claims,
                    Credential::Token,
                    anon_role,
                ))
            }
            None => Err(TokenError::AnonymousDisabled),
        };
        Ok(Verified {
            validity,
            principal,
        })
    }
}
