//! What the configuration says about accounts.

use std::sync::Arc;
use std::time::Duration;

use passerelle_identity::{Secret, SigningKey, Verifier};
use passerelle_surface::{HttpLimits, RateLimitSettings, TrustedProxies};

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
    /// Who has a word in what happens.
    pub hooks: Hooks,
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
    /// Whether SMS get anywhere.
    pub has_sms: bool,
    /// Whether a telephone number counts as confirmed without an SMS.
    pub phone_autoconfirm: bool,
    /// Whether both addresses have to confirm when one takes the place of the other.
    pub confirms_twice: bool,
    /// What passwords must have.
    pub passwords: PasswordRules,
    /// Whether a password is changed only within a day of signing in, or with the code of a reauthentication.
    pub secure_password_change: bool,
    /// Whether a password is changed only by those who say the one before.
    pub current_password_required: bool,
    /// How long sessions last.
    pub sessions: SessionRules,
    /// Whose word on a client's address is taken.
    pub trusted_proxies: TrustedProxies,
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

/// Who has a word in what happens; nobody unless named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// May change the claims of access tokens.
    pub access_token: Option<Hook>,
    /// May refuse that somebody gets an account.
    pub before_user_created: Option<Hook>,
    /// May refuse a password, right or wrong.
    pub password_verification: Option<Hook>,
    /// Sends mails.
    pub send_email: Option<Hook>,
    /// Sends SMS.
    pub send_sms: Option<Hook>,
}

/// Somebody who takes an event and returns what becomes of it, both as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hook {
    /// A function of the database, with `jsonb`; the statement that calls it with `$1`.
    Function(String),
    /// A server, asked by signed POST (Standard Webhooks).
    Http {
        /// Where.
        url: String,
        /// What events are signed with: each, so that secrets can be changed.
        secrets: Vec<passerelle_webhook::Secret>,
    },
}

impl Hook {
    /// A function, by its schema and name.
    pub fn function(schema: &str, name: &str) -> Self {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        Self::Function(format!(
            "select {}.{}($1::pg_catalog.jsonb)",
            quoted(schema),
            quoted(name)
        ))
    }
}

impl AuthSettings {
    /// Whether people may be known by a telephone number.
    pub(crate) fn allows_phones(&self) -> bool {
        self.has_sms || self.phone_autoconfirm
    }

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
