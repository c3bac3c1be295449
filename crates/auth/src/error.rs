//! What goes wrong, and what clients are told: the codes of Supabase Auth, in the form that the version
//! of the client's API asks for.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use passerelle_identity::TokenError;
use passerelle_surface::body::BodyError;
use passerelle_surface::{ErrorBody, RequestId, SessionRefusal};
use passerelle_wire::{PoolError, WireError};
use serde_json::{Value, json};
use thiserror::Error;

use crate::password::Weakness;
use crate::provider::ProviderError;

/// The version of the API from which on errors have `code` and `message`.
pub(crate) const API_VERSION: &str = "2024-01-01";
pub(crate) const X_API_VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
const X_ERROR_CODE: HeaderName = HeaderName::from_static("x-sb-error-code");

/// Why a request fails.
#[derive(Debug, Error)]
pub(crate) enum AuthError {
    #[error("no endpoint has this path")]
    NoRoute,
    #[error("the endpoint has other methods")]
    Method,
    #[error("the caller has made too many requests")]
    RateLimited(Box<ErrorBody>),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("the body is no JSON of this form")]
    Json(#[source] serde_json::Error),
    #[error("the request is incomplete or contradicts itself: {0}")]
    Invalid(&'static str),
    #[error("the grant is not known")]
    Grant(String),
    #[error("there is no token")]
    NoToken,
    #[error("the token is no good")]
    Token(#[from] TokenError),
    #[error("the token names no user")]
    NoSubject,
    #[error("the token's user is gone")]
    NoUser,
    #[error("the token's session is gone")]
    NoSession,
    #[error("it cannot be told whether the session goes on")]
    SessionUnknown,
    #[error("strangers cannot sign up")]
    SignUpDisabled,
    #[error("nobody signs in without saying who they are")]
    AnonymousDisabled,
    #[error("phone numbers are not taken")]
    PhoneDisabled,
    #[error("there is such an account")]
    UserExists,
    #[error("another account has this address")]
    EmailExists,
    #[error("the password is too weak")]
    WeakPassword(Weakness),
    #[error("the password is the one that it was")]
    SamePassword,
    #[error("unknown account, or wrong password")]
    Credentials,
    #[error("the account is banned")]
    Banned { refreshing: bool },
    #[error("the address or the number is not confirmed")]
    NotConfirmed { phone: bool },
    #[error("the password is not changed without showing once more who it is")]
    ReauthenticationNeeded,
    #[error("the code of the reauthentication is wrong or old")]
    ReauthenticationNotValid,
    #[error("the password before is missing or wrong")]
    CurrentPassword { given: bool },
    #[error("there is a factor with this number")]
    FactorExists,
    #[error("too many SMS")]
    SmsLimited(Box<ErrorBody>),
    #[error("another account has this number")]
    PhoneExists,
    #[error("there is no such account")]
    UnknownUser,
    #[error("the id is none")]
    NoSuchId,
    #[error("the caller is no administrator")]
    NotAllowed,
    #[error("only administrators may change this")]
    NotAdmin,
    #[error("the second factor is missing")]
    LowLevel,
    #[error("this kind of factor is not taken")]
    FactorDisabled(&'static str),
    #[error("there is no such factor")]
    FactorNotFound,
    #[error("there are too many factors")]
    TooManyFactors,
    #[error("another factor has this name")]
    FactorName(String),
    #[error("the challenge is over")]
    ChallengeExpired(uuid::Uuid),
    #[error("the code is wrong")]
    WrongCode { phone: bool },
    #[error("the second factor is missing, to enrol another")]
    LowLevelToEnroll,
    #[error("the second factor is missing, to remove one")]
    LowLevelToRemove,
    #[error("a hook took too long")]
    HookTimeout(std::time::Duration),
    #[error("a hook cannot be reached")]
    HookAway,
    #[error("a hook does not answer in JSON")]
    HookMediaType,
    #[error("a hook answers at too great length")]
    HookTooLong(usize),
    #[error("a hook refuses the password")]
    PasswordRefused(String),
    #[error("a hook did not answer as it should")]
    HookAnswer,
    #[error("a hook refuses")]
    HookRefused { status: u16, message: String },
    #[error("nobody signs in with a wallet")]
    Web3Disabled,
    #[error("nobody signs in by SAML")]
    SamlDisabled,
    #[error("there is no such provider")]
    NoProvider(String),
    #[error("the provider is of no use")]
    Provider(#[from] ProviderError),
    #[error("the provider refuses: {0}")]
    ProviderRefused(String),
    #[error("the state is of another browser, or old")]
    BadState,
    #[error("the provider sent no code")]
    BadCallback,
    #[error("identities cannot be added")]
    LinkingDisabled,
    #[error("the identity belongs to somebody else")]
    IdentityExists,
    #[error("there is no such identity")]
    IdentityNotFound,
    #[error("it is the only identity")]
    LastIdentity,
    #[error("the provider tells no address")]
    NoEmailAtProvider,
    #[error("the provider has not verified the address")]
    EmailNotVerifiedAtProvider,
    #[error("the refresh token is missing")]
    NoRefreshToken,
    #[error("the refresh token is not known")]
    RefreshTokenNotFound,
    #[error("the refresh token was used before")]
    RefreshTokenUsed,
    #[error("the code is wrong or old")]
    OtpExpired,
    #[error("the link was used before, or is old")]
    LinkExpired,
    #[error("too many mails")]
    MailLimited(Box<ErrorBody>),
    #[error("the flow is not known")]
    FlowNotFound,
    #[error("the flow is too old")]
    FlowExpired,
    #[error("the verifier does not answer the challenge")]
    BadVerifier,
    #[error("the session is over")]
    SessionExpired { inactive: bool },
    #[error("something that is not there yet: {0}")]
    Missing(&'static str),
    #[error("too many passwords are being looked at")]
    Busy,
    #[error("no connection to the database")]
    Pool(#[from] PoolError),
    #[error("the database refused or failed")]
    Flight(#[from] WireError),
    #[error("the database did not answer as expected: {0}")]
    Answer(&'static str),
    #[error("no token could be made")]
    Mint(#[from] passerelle_identity::MintError),
}

/// The SQLSTATE of an error.
fn code(error: &WireError) -> Option<&str> {
    error.server().map(|error| error.code.as_str())
}

/// The class of an SQLSTATE.
fn class(error: &WireError) -> Option<&str> {
    error.server().and_then(|error| error.code.get(..2))
}

impl From<SessionRefusal> for AuthError {
    fn from(refusal: SessionRefusal) -> Self {
        match refusal {
            SessionRefusal::Ended => Self::NoSession,
            SessionRefusal::Unknown => Self::SessionUnknown,
        }
    }
}

/// Status, code and text.
struct Told {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
}

fn told(status: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Told {
    Told {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        code,
        message: message.into(),
    }
}

impl AuthError {
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    fn told(&self, request_id: &RequestId) -> Told {
        match self {
            Self::NoRoute => told(404, "not_found", "No endpoint of /auth/v1 has this path"),
            Self::Method => told(405, "validation_failed", "The endpoint has other methods"),
            Self::RateLimited(_) => {
                told(429, "over_request_rate_limit", "Request rate limit reached")
            }
            Self::Body(BodyError::TooLarge { limit }) => told(
                413,
                "request_entity_too_large",
                format!("The body is longer than {limit} bytes"),
            ),
            Self::Body(BodyError::Late) => {
                told(408, "request_timeout", "The body did not arrive in time")
            }
            Self::Body(BodyError::Incomplete(_)) => told(400, "bad_json", "The body is incomplete"),
            Self::Json(error) => told(
                400,
                "bad_json",
                format!("Could not parse request body as JSON: {error}"),
            ),
            Self::Invalid(what) => told(400, "validation_failed", *what),
            Self::Grant(_) => told(400, "unsupported_grant_type", ""),
            Self::NoToken => told(
                401,
                "no_authorization",
                "This endpoint requires a valid Bearer token",
            ),
            Self::Token(TokenError::SecretMissing) => told(500, "unexpected_failure", ""),
            Self::Token(error) => told(403, "bad_jwt", format!("invalid JWT: {error}")),
            Self::NoSubject => told(403, "bad_jwt", "invalid claim: missing sub claim"),
            Self::NoUser => told(
                403,
                "user_not_found",
                "User from sub claim in JWT does not exist",
            ),
            Self::NoSession => told(
                403,
                "session_not_found",
                "Session from session_id claim in JWT does not exist",
            ),
            Self::SignUpDisabled => told(
                422,
                "signup_disabled",
                "Signups not allowed for this instance",
            ),
            Self::AnonymousDisabled => told(
                422,
                "anonymous_provider_disabled",
                "Anonymous sign-ins are disabled",
            ),
            Self::PhoneDisabled => told(
                400,
                "phone_provider_disabled",
                "Phone numbers are not taken: no SMS can be sent",
            ),
            Self::UserExists => told(422, "user_already_exists", "User already registered"),
            Self::EmailExists => told(
                422,
                "email_exists",
                "A user with this email address has already been registered",
            ),
            Self::WeakPassword(weakness) => told(422, "weak_password", weakness.message.clone()),
            Self::SamePassword => told(
                422,
                "same_password",
                "New password should be different from the old password.",
            ),
            Self::Credentials => told(400, "invalid_credentials", "Invalid login credentials"),
            Self::Banned { refreshing: false } => told(400, "user_banned", "User is banned"),
            Self::Banned { refreshing: true } => {
                told(400, "user_banned", "Invalid Refresh Token: User Banned")
            }
            Self::NotConfirmed { phone: false } => {
                told(400, "email_not_confirmed", "Email not confirmed")
            }
            Self::NotConfirmed { phone: true } => {
                told(400, "phone_not_confirmed", "Phone not confirmed")
            }
            Self::ReauthenticationNeeded => told(
                400,
                "reauthentication_needed",
                "Password update requires reauthentication",
            ),
            Self::ReauthenticationNotValid => told(
                422,
                "reauthentication_not_valid",
                "Nonce has expired or is invalid",
            ),
            Self::CurrentPassword { given: false } => told(
                400,
                "current_password_required",
                "Current password required when setting new password.",
            ),
            Self::CurrentPassword { given: true } => told(
                400,
                "current_password_invalid",
                "The current password is wrong.",
            ),
            Self::FactorExists => told(
                422,
                "mfa_verified_factor_exists",
                "A verified phone factor already exists, unenroll the existing factor to continue",
            ),
            Self::SmsLimited(_) => told(429, "over_sms_send_rate_limit", "SMS rate limit exceeded"),
            Self::PhoneExists => told(
                422,
                "phone_exists",
                "A user with this phone number has already been registered",
            ),
            Self::UnknownUser => told(404, "user_not_found", "User not found"),
            Self::NoSuchId => told(404, "validation_failed", "The id must be a UUID"),
            Self::NotAllowed => told(403, "not_admin", "User not allowed"),
            Self::NotAdmin => told(
                403,
                "not_admin",
                "Updating app_metadata requires admin privileges",
            ),
            Self::LowLevel => told(
                401,
                "insufficient_aal",
                "AAL2 session is required to update email or password when MFA is enabled.",
            ),
            Self::HookTimeout(patience) => told(
                422,
                "hook_timeout",
                format!(
                    "Failed to reach hook within maximum time of {:.6} seconds",
                    patience.as_secs_f64()
                ),
            ),
            Self::HookAway => told(
                422,
                "hook_timeout_after_retry",
                "Failed to reach hook after maximum retries",
            ),
            Self::HookMediaType => told(
                400,
                "hook_payload_invalid_content_type",
                "Invalid JSON response: the hook's Content-Type is not application/json",
            ),
            Self::HookTooLong(limit) => told(
                422,
                "hook_payload_over_size_limit",
                format!("Payload size exceeded size limit of {limit} bytes"),
            ),
            Self::PasswordRefused(message) => told(400, "invalid_credentials", message.clone()),
            Self::HookRefused { status, message } => {
                told(*status, "unexpected_failure", message.clone())
            }
            Self::Web3Disabled => told(422, "web3_provider_disabled", "Web3 provider is disabled"),
            Self::SamlDisabled => told(404, "saml_provider_disabled", "SAML 2.0 is disabled"),
            Self::NoProvider(name) => told(
                400,
                "validation_failed",
                format!("Unsupported provider: provider {name:?} is not enabled"),
            ),
            Self::Provider(ProviderError::Token(why)) => {
                told(400, "bad_jwt", format!("Bad ID token: {why}"))
            }
            Self::Provider(_) => told(
                400,
                "bad_oauth_callback",
                "The provider could not be asked who has signed in",
            ),
            Self::ProviderRefused(why) => told(
                400,
                "bad_oauth_callback",
                why.chars().take(200).collect::<String>(),
            ),
            Self::BadState => told(400, "bad_oauth_state", "OAuth state not found or expired"),
            Self::BadCallback => told(400, "bad_oauth_callback", "OAuth code is missing"),
            Self::LinkingDisabled => {
                told(404, "manual_linking_disabled", "Manual linking is disabled")
            }
            Self::IdentityExists => told(
                422,
                "identity_already_exists",
                "Identity is already linked to another user",
            ),
            Self::IdentityNotFound => told(404, "identity_not_found", "Identity doesn't exist"),
            Self::LastIdentity => told(
                422,
                "single_identity_not_deletable",
                "User must have at least 1 identity after unlinking",
            ),
            Self::NoEmailAtProvider => told(
                400,
                "email_address_not_provided",
                "The provider does not tell an email address",
            ),
            Self::EmailNotVerifiedAtProvider => told(
                403,
                "provider_email_needs_verification",
                "The provider has not verified the email address",
            ),
            Self::FactorDisabled(code) => told(422, code, "MFA enroll is disabled for this type"),
            Self::FactorNotFound => told(404, "mfa_factor_not_found", "Factor not found"),
            Self::TooManyFactors => told(
                422,
                "too_many_enrolled_mfa_factors",
                "Maximum number of verified factors reached, unenroll to continue",
            ),
            Self::FactorName(name) => told(
                422,
                "mfa_factor_name_conflict",
                format!("A factor with the friendly name {name:?} for this user already exists"),
            ),
            Self::ChallengeExpired(challenge) => told(
                422,
                "mfa_challenge_expired",
                format!(
                    "MFA challenge {challenge} has expired, verify against another challenge or create a new challenge."
                ),
            ),
            Self::WrongCode { phone: false } => {
                told(422, "mfa_verification_failed", "Invalid TOTP code entered")
            }
            Self::WrongCode { phone: true } => told(
                422,
                "mfa_verification_failed",
                "Invalid MFA Phone code entered",
            ),
            Self::LowLevelToEnroll => told(
                403,
                "insufficient_aal",
                "AAL2 required to enroll a new factor",
            ),
            Self::LowLevelToRemove => told(
                422,
                "insufficient_aal",
                "AAL2 required to unenroll verified factor",
            ),
            Self::NoRefreshToken => told(400, "validation_failed", "refresh_token required"),
            Self::RefreshTokenNotFound => told(
                400,
                "refresh_token_not_found",
                "Invalid Refresh Token: Refresh Token Not Found",
            ),
            Self::RefreshTokenUsed => told(
                400,
                "refresh_token_already_used",
                "Invalid Refresh Token: Already Used",
            ),
            Self::SessionExpired { inactive } => told(
                400,
                "session_expired",
                if *inactive {
                    "Invalid Refresh Token: Session Expired (Inactivity)"
                } else {
                    "Invalid Refresh Token: Session Expired"
                },
            ),
            Self::OtpExpired => told(403, "otp_expired", "Token has expired or is invalid"),
            Self::LinkExpired => told(403, "otp_expired", "Email link is invalid or has expired"),
            Self::MailLimited(_) => told(
                429,
                "over_email_send_rate_limit",
                "email rate limit exceeded",
            ),
            Self::FlowNotFound => told(
                404,
                "flow_state_not_found",
                "invalid flow state, no valid flow state found",
            ),
            Self::FlowExpired => told(
                422,
                "flow_state_expired",
                "invalid flow state, flow state has expired",
            ),
            Self::BadVerifier => told(
                400,
                "bad_code_verifier",
                "code challenge does not match previously saved code verifier",
            ),
            Self::Missing(what) => told(501, "feature_disabled", *what),
            Self::Busy => told(
                429,
                "over_request_rate_limit",
                "Too many passwords are being checked, try again in a moment",
            ),
            Self::Pool(_) | Self::SessionUnknown => told(
                503,
                "request_timeout",
                format!(
                    "The database cannot be reached (request {})",
                    request_id.as_str()
                ),
            ),
            Self::Flight(error) if code(error) == Some("23505") => told(
                409,
                "conflict",
                "Somebody else has done the same at this moment; try again",
            ),
            // Text that the database cannot keep, such as a NUL.
            Self::Flight(error) if class(error) == Some("22") => told(
                400,
                "validation_failed",
                "The request holds text that cannot be kept",
            ),
            Self::Flight(_) | Self::Answer(_) | Self::Mint(_) | Self::HookAnswer => told(
                500,
                "unexpected_failure",
                format!("Internal server error (request {})", request_id.as_str()),
            ),
        }
    }

    /// The answer, in the form that the client's version of the API has.
    pub(crate) fn response(&self, request_id: &RequestId, is_versioned: bool) -> HttpResponse {
        let Told {
            status,
            code,
            message,
        } = self.told(request_id);
        let mut body = match self {
            Self::Grant(grant) => json!({
                "error": code,
                "error_description": format!("The grant_type {grant:?} is not supported"),
            }),
            Self::NoRefreshToken => {
                json!({ "error": "invalid_request", "error_description": message })
            }
            _ if is_versioned => json!({ "code": code, "message": message }),
            _ => json!({ "code": status.as_u16(), "error_code": code, "msg": message }),
        };
        if let (Self::WeakPassword(weakness), Value::Object(body)) = (self, &mut body) {
            let reasons = json!({ "reasons": weakness.reasons });
            body.insert("weak_password".to_owned(), reasons);
        }
        let mut response = HttpResponse::build(status).json(body);
        let headers = response.headers_mut();
        headers.insert(X_ERROR_CODE, HeaderValue::from_static(code));
        match self {
            Self::RateLimited(limited) | Self::MailLimited(limited) | Self::SmsLimited(limited) => {
                for (name, value) in &limited.headers {
                    headers.insert(name.clone(), value.clone());
                }
            }
            Self::Busy | Self::Pool(_) | Self::SessionUnknown => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }

    /// Parameters for a browser that is sent on (RFC 6749, section 4.1.2.1).
    ///
    /// # Errors
    /// The error itself, if it is a failure of ours.
    pub(crate) fn for_browsers(self) -> Result<[(&'static str, Cow<'static, str>); 3], Self> {
        let request_id = RequestId::accept(None);
        if self.is_internal(&request_id) {
            return Err(self);
        }
        let told = self.told(&request_id);
        Ok([
            ("error", "access_denied".into()),
            ("error_code", told.code.into()),
            ("error_description", told.message),
        ])
    }

    /// Whether it is a failure of ours.
    pub(crate) fn is_internal(&self, request_id: &RequestId) -> bool {
        self.told(request_id).status.is_server_error() && !matches!(self, Self::Missing(_))
    }
}
