//! Accounts and sessions, as `passerelle serve` is configured.

use std::sync::Arc;
use std::time::Duration;

use std::path::Path;

use passerelle_auth::{AuthSettings, Outbox, PasswordRules, Redirects, SessionRules};
use passerelle_identity::{Secret, SigningKey, SigningKeys, Verifier};
use passerelle_mail::{Inbox, Mailer, SmtpSettings, Templates};
use passerelle_surface::{HttpLimits, RateLimitSettings};

use super::DeploymentError;
use crate::config::{AuthSettings as AuthKeys, SessionCheck, Settings, hooks, providers};

/// Where supabase-js looks for the surface.
const AUTH_PREFIX: &str = "/auth/v1";

/// The surface `/auth/v1`.
pub(crate) struct AuthParts {
    pub(crate) settings: AuthSettings,
    pub(crate) outbox: Outbox,
    /// Whether the URLs of this server are to be those that it listens at.
    pub(crate) is_url_open: bool,
    /// Passwords that are hashed at a time.
    pub(crate) passwords_at_once: usize,
    /// Whether access tokens of ended sessions are refused.
    pub(crate) checks_sessions: bool,
    /// How long a session that is not used is noted.
    pub(crate) tracks_sessions: Duration,
}

/// The key pairs that access tokens are signed with, where there are any.
pub(super) fn signing_keys(auth: &AuthKeys) -> Result<Option<SigningKeys>, DeploymentError> {
    if auth.signing_keys_file.is_empty() {
        return Ok(None);
    }
    let path = Path::new(&auth.signing_keys_file);
    let text = std::fs::read(path).map_err(|source| DeploymentError::SigningKeysFile {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(SigningKeys::parse(&Secret::from(text))?))
}

/// None where tokens are verified that nobody here can sign.
pub(super) fn auth(
    settings: &Settings,
    signing: Option<SigningKeys>,
    verifier: Arc<Verifier>,
    http_limits: HttpLimits,
    rate_limits: Option<RateLimitSettings>,
    public_url: &str,
    inbox: Option<Arc<Inbox>>,
) -> Result<Option<AuthParts>, DeploymentError> {
    let mail = &settings.mail;
    let mailer = match inbox {
        Some(inbox) => Mailer::Inbox(inbox),
        None if mail.smtp_url.is_empty() => Mailer::Nowhere,
        None => Mailer::smtp(&SmtpSettings {
            url: mail.smtp_url.clone(),
            from: mail.from.clone(),
        })?,
    };
    let templates = match mail.templates.as_str() {
        "" => Templates::default(),
        folder => Templates::of_folder(Path::new(folder))?,
    };
    let hooks = hooks(&settings.auth)?;
    let is_url_open = settings.server.public_url.is_empty();
    let trusted_proxies = super::of_config::trusted_proxies(settings);
    let auth = &settings.auth;
    let seconds = Duration::from_secs;
    let processors = || std::thread::available_parallelism().map_or(1, Into::into);
    let Some(secret) = auth.identity(&settings.database).shared_secret() else {
        return Ok(None);
    };
    let settings = AuthSettings {
        prefix: AUTH_PREFIX.to_owned(),
        verifier,
        public_keys: signing
            .as_ref()
            .map_or_else(Vec::new, |keys| keys.public().to_vec()),
        key: Arc::new(match signing {
            Some(keys) => keys.into_current(),
            None => SigningKey::hs256(&secret),
        }),
        secret,
        issuer: format!("{public_url}{AUTH_PREFIX}"),
        access_token: seconds(auth.access_token_seconds),
        allows_sign_up: auth.sign_up,
        allows_anonymous: auth.anonymous_users,
        autoconfirm: auth.email_autoconfirm,
        has_mail: mailer.is_configured() || hooks.send_email.is_some(),
        has_sms: matches!(mailer, Mailer::Inbox(_)) || hooks.send_sms.is_some(),
        phone_autoconfirm: auth.phone_autoconfirm,
        secure_password_change: auth.secure_password_change,
        current_password_required: auth.current_password_required,
        hooks,
        providers: providers(&auth.providers)?,
        allows_linking: auth.manual_linking,
        redirects: Redirects {
            site_url: match auth.site_url.as_str() {
                "" => public_url.to_owned(),
                url => url.to_owned(),
            },
            allowed: auth.redirect_urls.clone(),
        },
        one_time: seconds(auth.one_time_seconds),
        confirms_twice: auth.email_change_twice,
        passwords: PasswordRules {
            min_length: auth.password_min_length,
            required: auth.password_required.clone(),
        },
        sessions: SessionRules {
            longest: seconds(auth.session_seconds),
            inactive: seconds(auth.session_inactive_seconds),
            is_single: auth.single_session,
            reuse: seconds(auth.refresh_reuse_seconds),
        },
        trusted_proxies,
        http_limits,
        rate_limits,
    };
    Ok(Some(AuthParts {
        settings,
        outbox: Outbox { mailer, templates },
        is_url_open,
        passwords_at_once: match auth.password_workers {
            0 => (processors() / 2).max(1),
            workers => workers,
        },
        checks_sessions: auth.session_check == SessionCheck::Strict,
        tracks_sessions: seconds(auth.session_tracking_seconds),
    }))
}
