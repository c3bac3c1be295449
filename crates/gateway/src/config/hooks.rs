//! Hooks of `[auth]`: functions of the database, or servers.

use passerelle_auth::{Hook, Hooks};
use passerelle_webhook::Secret;

use super::{AuthSettings, ConfigError, is_trusted, qualified};

/// The hooks.
///
/// # Errors
/// [`ConfigError::Value`] for the first that cannot be meant.
pub(crate) fn hooks(auth: &AuthSettings) -> Result<Hooks, ConfigError> {
    let secrets: Result<Vec<Secret>, _> =
        auth.hook_secrets.iter().map(|text| text.parse()).collect();
    let secrets = secrets.map_err(|_| ConfigError::Value {
        key: "auth.hook_secrets",
        expected: "a list of whsec_ and 24 to 64 random bytes in base64".to_owned(),
    })?;
    let read = |key: &'static str, text: &str| {
        let wrong = |expected: &str| ConfigError::Value {
            key,
            expected: expected.to_owned(),
        };
        if text.is_empty() {
            return Ok(None);
        }
        if text.contains("://") {
            if !is_trusted(text) {
                return Err(wrong("a URL that begins with https://"));
            }
            if secrets.is_empty() {
                return Err(wrong("given together with auth.hook_secrets"));
            }
            return Ok(Some(Hook::Http {
                url: text.to_owned(),
                secrets: secrets.clone(),
            }));
        }
        let function = qualified(text).ok_or_else(|| {
            wrong("a function with its schema, such as public.claims, or an https URL")
        })?;
        Ok(Some(Hook::function(&function.schema, &function.name)))
    };
    Ok(Hooks {
        access_token: read("auth.custom_access_token", &auth.custom_access_token)?,
        before_user_created: read("auth.before_user_created", &auth.before_user_created)?,
        password_verification: read("auth.password_verification", &auth.password_verification)?,
        send_email: read("auth.send_email", &auth.send_email)?,
        send_sms: read("auth.send_sms", &auth.send_sms)?,
    })
}
