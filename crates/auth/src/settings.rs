//! What the configuration says about accounts.

use std::sync::Arc;
use std::time::Duration;

use passerelle_identity::{Secret, SigningKey, Verifier};
use passerelle_surface::{HttpLimits, RateLimitSettings};

use crate::password::PasswordRules;
use crate::provider::ProviderSettings;
use crate::redirect::Redirects;

/// How the surface behaves.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub struct AuthSettings {
    /// The path of the surface.
    pub prefix: String,
    /// Who verifies access tokens.
    pub verifier: Arc<Verifier>,
    /// What refresh tokens, links and codes are computed with.
    pub secret: Secret,
    /// What access tokens are signed with.
    pub key: Arc<SigningKey>,
    /// Public keys that access tokens can be verified with, as JWKs; those of a shared secret are none.
    pub public_keys: Vec<serde_json::Value>,
    /// The claim `iss` of access tokens.
    pub issuer: String,
    /// How long an access token is good; whole seconds.
    pub access_token: Duration,
    /// Whether strangers may sign up.
    pub allows_sign_up: bool,
    /// Whether one may sign in without saying who one is.
    pub allows_anonymous: bool,
    /// Whether an address counts as confirmed without a mail.
    pub autoconfirm: bool,
    /// A function of the database that may change the claims of access tokens.
    pub access_token_hook: Option<Hook>,
    /// Where one may sign in instead.
    pub providers: Vec<ProviderSettings>,
    /// Whether people may add identities to their account, and take them away.
    pub allows_linking: bool,
    /// Where browsers may be sent.
    pub redirects: Redirects,
    /// How long links and codes are good; whole seconds.
    pub one_time: Duration,
    /// Whether mails get anywhere.
    pub has_mail: bool,
    /// Whether both addresses have to confirm when one takes the place of the other.
    pub confirms_twice: bool,
    /// What passwords must have.
    pub passwords: PasswordRules,
    /// How long sessions last.
    pub sessions: SessionRules,
    /// Bounds on requests.
    pub http_limits: HttpLimits,
    /// How many requests a caller may make.
    pub rate_limits: Option<RateLimitSettings>,
}

/// How long sessions last; zero sets no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// After which a session is over, whatever is done with it.
    pub longest: Duration,
    /// After which an unused session is over.
    pub inactive: Duration,
    /// Whether signing in ends all other sessions of the account.
    pub is_single: bool,
    /// How long a refresh token that was exchanged may be used again, for requests that crossed.
    pub reuse: Duration,
}

/// A function of the database that takes an event and returns what becomes of it, both as `jsonb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The statement that calls it with `$1`.
    pub(crate) statement: String,
}

impl Hook {
    /// A function, by its schema and name.
    pub fn new(schema: &str, name: &str) -> Self {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let statement = format!(
            "select {}.{}($1::pg_catalog.jsonb)",
            quoted(schema),
            quoted(name)
        );
        Self { statement }
    }
}

impl AuthSettings {
    /// Says where the server is, for settings that do not.
    pub fn locate(&mut self, url: &str) {
        let known = self.issuer.strip_suffix(&self.prefix).unwrap_or_default();
        if self.redirects.site_url == known {
            url.clone_into(&mut self.redirects.site_url);
        }
        self.issuer = format!("{url}{}", self.prefix);
    }
}

impl std::fmt::Debug for AuthSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthSettings")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
