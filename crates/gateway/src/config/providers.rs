//! `[[auth.providers]]`: where one may sign in instead.

use passerelle_auth::ProviderKind;
use serde::{Deserialize, Serialize};

use super::{ConfigError, secret};

const GITHUB: &str = "https://github.com";
const GITHUB_API: &str = "https://api.github.com";
const GOOGLE: &str = "https://accounts.google.com";
const APPLE: &str = "https://appleid.apple.com";

/// `[[auth.providers]]`
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderSettings {
    pub(crate) name: String,
    pub(crate) client_id: String,
    #[serde(default)]
    pub(crate) other_client_ids: Vec<String>,
    #[serde(default)]
    pub(crate) client_secret: String,
    #[serde(default)]
    pub(crate) issuer: String,
    #[serde(default)]
    pub(crate) site_url: String,
    #[serde(default)]
    pub(crate) api_url: String,
    #[serde(default)]
    pub(crate) scopes: String,
}

// The secret is not shown.
impl std::fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderSettings")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The providers that settings describe.
///
/// # Errors
/// [`ConfigError::Value`] for the first that cannot be meant.
pub(crate) fn providers(
    all: &[ProviderSettings],
) -> Result<Vec<passerelle_auth::ProviderSettings>, ConfigError> {
    let value = |key, expected: &str| ConfigError::Value {
        key,
        expected: expected.to_owned(),
    };
    let mut found: Vec<passerelle_auth::ProviderSettings> = Vec::new();
    for one in all {
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_:".contains(c);
        let is_name = (1..=40).contains(&one.name.len()) && one.name.chars().all(is_letter);
        let is_new = found.iter().all(|other| other.name != one.name);
        if !is_name || !is_new || matches!(one.name.as_str(), "email" | "phone") {
            let expected = "one of its own of 1 to 40 lower-case letters, digits, -, _ and :";
            return Err(value("auth.providers.name", expected));
        }
        if one.client_id.is_empty() {
            return Err(value(
                "auth.providers.client_id",
                "the name of the application there",
            ));
        }
        let or = |text: &str, default: &str| match text.trim_end_matches('/') {
            "" => default.to_owned(),
            text => text.to_owned(),
        };
        let (kind, scopes) = if one.name == "github" {
            let (site, api) = (or(&one.site_url, GITHUB), or(&one.api_url, GITHUB_API));
            (ProviderKind::GitHub { site, api }, "read:user user:email")
        } else {
            let issuer = match one.name.as_str() {
                "google" => or(&one.issuer, GOOGLE),
                "apple" => or(&one.issuer, APPLE),
                _ => or(&one.issuer, ""),
            };
            let scopes = match one.name.as_str() {
                "apple" => "openid email name",
                _ => "openid email profile",
            };
            (ProviderKind::OpenId { issuer }, scopes)
        };
        let url = match &kind {
            ProviderKind::OpenId { issuer } => issuer,
            ProviderKind::GitHub { site, .. } => site,
        };
        if !is_trusted(url) {
            return Err(value(
                "auth.providers.issuer",
                "a URL that begins with https://",
            ));
        }
        found.push(passerelle_auth::ProviderSettings {
            name: one.name.clone(),
            kind,
            client_id: one.client_id.clone(),
            other_client_ids: one.other_client_ids.clone(),
            client_secret: secret(&one.client_secret)
                .unwrap_or_else(|| passerelle_identity::Secret::from(String::new())),
            scopes: or(&one.scopes, scopes),
            returns_by_form: one.name == "apple",
        });
    }
    Ok(found)
}

/// Whether nobody else answers at a URL: it is encrypted, or on this machine.
pub(crate) fn is_trusted(url: &str) -> bool {
    let host = url.strip_prefix("http://").unwrap_or_default();
    let is_local = ["localhost", "127.0.0.1"].iter().any(|local| {
        host.strip_prefix(local)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    url.starts_with("https://") || is_local
}
