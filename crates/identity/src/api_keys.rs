//! Opaque API keys and the principals they stand for.

use subtle::ConstantTimeEq;

use crate::principal::{Credential, Principal};
use crate::secret::Secret;
use crate::settings::{IdentitySettings, SettingsError};
use crate::weakness::{self, Weakness};

/// The configured opaque keys. There are a handful, so a lookup visits each of them.
pub(crate) struct ApiKeys(Vec<(Secret, Principal)>);

impl ApiKeys {
    pub(crate) fn new(settings: &IdentitySettings) -> Result<Self, SettingsError> {
        let anon_role = settings.anon_role.as_deref();
        let keys = settings.api_keys.iter().map(|entry| {
            if entry.key.is_empty() || !is_opaque(entry.key.expose()) {
                return Err(SettingsError::ApiKey {
                    role: entry.role.clone(),
                });
            }
            let principal = Principal::of_role(entry.role.clone(), Credential::ApiKey, anon_role);
            Ok((entry.key.clone(), principal))
        });
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// What speaks against the configured keys.
    pub(crate) fn weaknesses(&self) -> impl Iterator<Item = Weakness> {
        let weakness = |(key, principal): &(Secret, Principal)| {
            weakness::of_api_key(key.expose(), principal.role())
        };
        self.0.iter().filter_map(weakness)
    }

    /// The principal of `key`. Takes the same time whichever key matches, and however closely.
    pub(crate) fn find(&self, key: &[u8]) -> Option<&Principal> {
        let mut found = None;
        for (secret, principal) in &self.0 {
            if bool::from(secret.expose().ct_eq(key)) {
                found = Some(principal);
            }
        }
        found
    }
}

/// Whether a credential is an opaque key: a token has full stops between its parts.
pub(crate) fn is_opaque(credential: &[u8]) -> bool {
    !credential.contains(&b'.')
}
