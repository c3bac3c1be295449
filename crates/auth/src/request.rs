//! What clients send. Unknown members are ignored; what is missing and what is null are the same.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::AuthError;

/// `POST /signup`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SignUp {
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) data: Option<Map<String, Value>>,
    #[serde(flatten)]
    pub(crate) challenge: Challenge,
}

/// `POST /token?grant_type=password`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PasswordGrant {
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) password: Option<String>,
}

/// `POST /token?grant_type=refresh_token`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RefreshGrant {
    pub(crate) refresh_token: Option<String>,
}

/// `PUT /user`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct UserUpdate {
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) current_password: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) data: Option<Map<String, Value>>,
    pub(crate) app_metadata: Option<Map<String, Value>>,
    #[serde(flatten)]
    pub(crate) challenge: Challenge,
}

/// `POST /token?grant_type=pkce`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FlowGrant {
    pub(crate) auth_code: Option<String>,
    pub(crate) code_verifier: Option<String>,
}

/// `POST /otp`, `/magiclink`, `/recover`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Otp {
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) data: Option<Map<String, Value>>,
    pub(crate) create_user: Option<bool>,
    pub(crate) channel: Option<String>,
    #[serde(flatten)]
    pub(crate) challenge: Challenge,
}

/// `POST /resend`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Resend {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    #[serde(flatten)]
    pub(crate) challenge: Challenge,
}

/// `POST /verify`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Verify {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) token_hash: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
}

/// `POST /admin/users`, `PUT /admin/users/{id}`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AdminUser {
    pub(crate) id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) password_hash: Option<String>,
    pub(crate) email_confirm: Option<bool>,
    pub(crate) phone_confirm: Option<bool>,
    pub(crate) user_metadata: Option<Map<String, Value>>,
    pub(crate) app_metadata: Option<Map<String, Value>>,
    pub(crate) role: Option<String>,
    pub(crate) aud: Option<String>,
    pub(crate) ban_duration: Option<String>,
}

/// `DELETE /admin/users/{id}`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Deletion {
    pub(crate) should_soft_delete: Option<bool>,
}

/// `POST /invite`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Invitation {
    pub(crate) email: Option<String>,
    pub(crate) data: Option<Map<String, Value>>,
}

/// `POST /admin/generate_link`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LinkRequest {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) new_email: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) data: Option<Map<String, Value>>,
    pub(crate) redirect_to: Option<String>,
}

/// `POST /factors`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Enrolment {
    pub(crate) factor_type: Option<String>,
    pub(crate) friendly_name: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) phone: Option<String>,
}

/// `POST /factors/{id}/challenge`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ChallengeRequest {
    pub(crate) channel: Option<String>,
}

/// `POST /factors/{id}/verify`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Code {
    pub(crate) challenge_id: Option<String>,
    pub(crate) code: Option<String>,
}

/// What a client wants a link to be answered with (RFC 7636, section 4.3).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Challenge {
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// `POST /token?grant_type=id_token`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct IdTokenGrant {
    pub(crate) provider: Option<String>,
    pub(crate) id_token: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) link_identity: Option<bool>,
}

impl Challenge {
    pub(crate) fn of(challenge: Option<String>, method: Option<String>) -> Self {
        Self {
            code_challenge: challenge,
            code_challenge_method: method,
        }
    }

    /// The challenge and its method, if there is one.
    pub(crate) fn read(&self) -> Result<(Option<&str>, Option<&str>), AuthError> {
        let not_empty = |text: &&str| !text.is_empty();
        let challenge = self.code_challenge.as_deref().filter(not_empty);
        let method = self.code_challenge_method.as_deref().filter(not_empty);
        match (challenge, method) {
            (None, None) => Ok((None, None)),
            (Some(challenge), Some(method)) => {
                let is_letter = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
                if !(43..=128).contains(&challenge.len()) || !challenge.chars().all(is_letter) {
                    return Err(AuthError::Invalid(
                        "code challenge has to be between 43 and 128 characters of [a-zA-Z0-9-._~]",
                    ));
                }
                match method.to_ascii_lowercase().as_str() {
                    "s256" => Ok((Some(challenge), Some("s256"))),
                    "plain" => Ok((Some(challenge), Some("plain"))),
                    _ => Err(AuthError::Invalid(
                        "code_challenge_method is not s256 or plain",
                    )),
                }
            }
            _ => Err(AuthError::Invalid(
                "PKCE flow requires code_challenge_method and code_challenge",
            )),
        }
    }
}

/// Bytes of an account's metadata as JSON: tokens hold them, and have to fit into a header.
const METADATA: usize = 32 * 1024;

/// Metadata as JSON, if they are not too many beside so many bytes that are there. Those that only take away always are.
pub(crate) fn metadata(data: Option<Map<String, Value>>, kept: usize) -> Result<String, AuthError> {
    let data = data.unwrap_or_default();
    let only_takes = data.values().all(Value::is_null);
    let text = Value::Object(data).to_string();
    if text.len() > METADATA || (!only_takes && text.len() + kept > METADATA) {
        return Err(AuthError::Invalid(
            "The metadata are too large: an account has 32 KiB of them",
        ));
    }
    Ok(text)
}

/// Text that says something.
pub(crate) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
