//! Accounts and sessions, as `passerelle serve` is configured.

use std::sync::Arc;
use std::time::Duration;

use passerelle_auth::{AuthSettings, PasswordRules, SessionRules};
use passerelle_identity::Verifier;
use passerelle_surface::{HttpLimits, RateLimitSettings};

use crate::config::{SessionCheck, Settings};

/// Where supabase-js looks for the surface.
const AUTH_PREFIX: &str = "/auth/v1";

/// The surface `/auth/v1`.
pub(crate) struct AuthParts {
    pub(crate) settings: AuthSettings,
    /// Passwords that are hashed at a time.
    pub(crate) passwords_at_once: usize,
    /// Whether access tokens of ended sessions are refused.
    pub(crate) checks_sessions: bool,
}

/// None where tokens are verified that nobody here can sign.
pub(super) fn auth(
    settings: &Settings,
    verifier: Arc<Verifier>,
    http_limits: HttpLimits,
    rate_limits: Option<RateLimitSettings>,
    public_url: &str,
) -> Option<AuthParts> {
    let auth = &settings.auth;
    let seconds = Duration::from_secs;
    let processors = || std::thread::available_parallelism().map_or(1, Into::into);
    let settings = AuthSettings {
        prefix: AUTH_PREFIX.to_owned(),
        verifier,
        secret: auth.identity(&settings.database).shared_secret()?,
        issuer: format!("{public_url}{AUTH_PREFIX}"),
        access_token: seconds(auth.access_token_seconds),
        allows_sign_up: auth.sign_up,
        allows_anonymous: auth.anonymous_users,
        autoconfirm: auth.email_autoconfirm,
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
        http_limits,
        rate_limits,
    };
    Some(AuthParts {
        settings,
        passwords_at_once: match auth.password_workers {
            0 => (processors() / 2).max(1),
            workers => workers,
        },
        checks_sessions: auth.session_check == SessionCheck::Strict,
    })
}
