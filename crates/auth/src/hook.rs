//! Functions of the database and servers that have a word in what happens, as Supabase Auth calls them.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat};
use passerelle_pg::chain;
use passerelle_webhook::{Answer, CallError, Message, Secret};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::database::{optional, text};
use crate::error::AuthError;
use crate::exchange::Exchange;
use crate::grant::{Grant, Session};
use crate::one_time::random_id;
use crate::password::Weakness;
use crate::settings::Hook;
use crate::state::AuthState;

/// How long a function may take.
const FUNCTION: Duration = Duration::from_secs(2);
/// How long a server may take, with all attempts.
const SERVER: Duration = Duration::from_secs(5);
/// How often a server is asked that cannot be reached or asks to come again.
const ATTEMPTS: u32 = 3;
/// The pause before it is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest answer of a server, in bytes.
const LONGEST: usize = 200 * 1024;
/// Claims that are there whatever a hook does, with the values that they had.
const FIXED: [&str; 4] = ["sub", "session_id", "iat", "exp"];

const NEWCOMER: &str = "select passerelle.newcomer($1, $2, $3, $4::pg_catalog.jsonb) \
    where not exists (select from auth.identities i where i.provider = $3 and i.provider_id = $5)";
const SIGN_OUT: &str = "delete from auth.sessions where user_id = $1::uuid";

/// Somebody who is about to get an account.
#[derive(Clone, Copy, Default)]
pub(crate) struct Newcomer<'a> {
    pub(crate) email: Option<&'a str>,
    pub(crate) phone: Option<&'a str>,
    /// `email`, `phone` or the provider; absent for those who do not say who they are.
    pub(crate) way: Option<&'a str>,
    /// Who they are at the provider.
    pub(crate) subject: Option<&'a str>,
    /// Metadata as JSON.
    pub(crate) data: &'a str,
}

impl AuthState {
    /// Asks a hook. An event that may be sent again has the same id each time; `address` is that of the client, where there is
    /// one. What it answers is an object.
    pub(crate) async fn ask_hook(
        &self,
        hook: &Hook,
        (name, id): (&str, Uuid),
        address: Option<String>,
        mut event: Map<String, Value>,
    ) -> Result<Map<String, Value>, AuthError> {
        let now = (self.shared.clock)().seconds();
        let time = DateTime::from_timestamp(now, 0).unwrap_or_default();
        let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut metadata = json!({ "uuid": id, "time": time, "name": name });
        if let Some(address) = address {
            metadata["ip_address"] = address.into();
        }
        event.insert("metadata".to_owned(), metadata);
        let event = Value::Object(event).to_string();
        let answer = match hook {
            Hook::Function(statement) => {
                let asked = self.call(statement.clone(), vec![text(event)]);
                let answer = timeout(FUNCTION, asked)
                    .await
                    .map_err(|_| AuthError::HookTimeout(FUNCTION))??;
                answer.text(0, 0).unwrap_or("{}").as_bytes().to_vec()
            }
            Hook::Http { url, secrets } => {
                let id = id.to_string();
                let asked = self.ask_server(url, secrets, &id, &event);
                timeout(SERVER, asked)
                    .await
                    .map_err(|_| AuthError::HookTimeout(SERVER))??
            }
        };
        let answer = match serde_json::from_slice(&answer) {
            Ok(Value::Object(answer)) => answer,
            Ok(Value::Null) => Map::new(),
            _ => return Err(AuthError::HookAnswer),
        };
        if let Some(error) = answer.get("error").filter(|error| error.is_object()) {
            let status = error["http_code"]
                .as_u64()
                .and_then(|code| u16::try_from(code).ok());
            let message = error["message"].as_str().unwrap_or("refused").to_owned();
            return Err(AuthError::HookRefused {
                status: status
                    .filter(|status| (400..500).contains(status))
                    .unwrap_or(403),
                message,
            });
        }
        Ok(answer)
    }

    async fn ask_server(
        &self,
        url: &str,
        secrets: &[Secret],
        id: &str,
        event: &str,
    ) -> Result<Vec<u8>, AuthError> {
        let caller = self.shared.caller.as_ref();
        let caller = caller.ok_or(AuthError::Answer("no HTTP client"))?;
        let end = Instant::now() + SERVER;
        for attempt in 1..=ATTEMPTS {
            let message = Message {
                id,
                seconds: (self.shared.clock)().seconds(),
                body: event,
            };
            let left = end.saturating_duration_since(Instant::now());
            match caller.call(url, secrets, message, left, LONGEST).await {
                Ok(answer) if matches!(answer.status, 429 | 503) => {}
                Ok(answer) => return read(answer),
                Err(CallError::Late) => return Err(AuthError::HookTimeout(SERVER)),
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, attempt, "a hook cannot be reached");
                }
            }
            if attempt < ATTEMPTS {
                sleep(PAUSE).await;
            }
        }
        Err(AuthError::HookAway)
    }
}

/// What a server has answered.
fn read(answer: Answer) -> Result<Vec<u8>, AuthError> {
    match answer.status {
        204 => Ok(b"{}".to_vec()),
        200 | 202 if answer.is_cut => Err(AuthError::HookTooLong(LONGEST)),
        200 | 202 if answer.media_type != "application/json" => Err(AuthError::HookMediaType),
        200 | 202 => Ok(answer.body),
        status => {
            tracing::warn!(status, "a hook answers with an error");
            Err(AuthError::HookAnswer)
        }
    }
}

impl Exchange<'_> {
    /// The session that somebody gets, with the claims that the hook for access tokens lets them have.
    pub(crate) async fn issue(
        &self,
        grant: &Grant<'_>,
        method: &str,
        weak: Option<&Weakness>,
    ) -> Result<Session, AuthError> {
        let mut claims = grant.claims(self.ready, self.now())?;
        if let Some(hook) = &self.ready.settings.hooks.access_token {
            let event = json!({
                "user_id": claims.get("sub"), "claims": claims, "authentication_method": method,
            });
            let answer = self.ask(hook, "customize-access-token", event).await?;
            claims = changed(claims, answer)?;
        }
        self.state.shared.ended.changed(grant.session);
        grant.session(self.ready, &claims, self.now(), weak)
    }

    /// Asks whether somebody may get an account, unless they have one.
    pub(crate) async fn announce(&self, newcomer: Newcomer<'_>) -> Result<(), AuthError> {
        let Some(hook) = &self.ready.settings.hooks.before_user_created else {
            return Ok(());
        };
        let params = vec![
            optional(newcomer.email),
            optional(newcomer.phone),
            optional(newcomer.way),
            text(newcomer.data),
            optional(newcomer.subject),
        ];
        let found = self.state.read(NEWCOMER, params).await?;
        let Some(user) = found.text(0, 0) else {
            return Ok(());
        };
        let user: Value =
            serde_json::from_str(user).map_err(|_| AuthError::Answer("no account"))?;
        let event = json!({ "user": user });
        self.ask(hook, "before-user-created", event).await?;
        Ok(())
    }

    /// Tells that somebody has tried a password, and whether it was right; that may be refused all the same.
    pub(crate) async fn report_password(
        &self,
        account: &str,
        is_right: bool,
    ) -> Result<(), AuthError> {
        let Some(hook) = &self.ready.settings.hooks.password_verification else {
            return Ok(());
        };
        let event = json!({ "user_id": account, "valid": is_right });
        let answer = self.ask(hook, "password-verification", event).await?;
        match answer.get("decision").and_then(Value::as_str) {
            Some("continue") => return Ok(()),
            Some("reject") => {}
            _ => return Err(AuthError::HookAnswer),
        }
        if answer.get("should_logout_user") == Some(&Value::Bool(true)) {
            self.state.write(SIGN_OUT, vec![text(account)]).await?;
            self.state.shared.ended.settle().await;
        }
        let message = answer.get("message").and_then(Value::as_str);
        let message = message.filter(|message| !message.is_empty());
        let message = message.unwrap_or("Further password verification attempts will be rejected.");
        Err(AuthError::PasswordRefused(message.to_owned()))
    }

    async fn ask(
        &self,
        hook: &Hook,
        name: &str,
        event: Value,
    ) -> Result<Map<String, Value>, AuthError> {
        let Value::Object(event) = event else {
            return Err(AuthError::Answer("no event"));
        };
        let name = (name, random_id()?);
        self.state.ask_hook(hook, name, self.address(), event).await
    }
}

/// The claims that a hook has answered.
fn changed(
    claims: Map<String, Value>,
    mut answer: Map<String, Value>,
) -> Result<Map<String, Value>, AuthError> {
    let Some(Value::Object(mut given)) = answer.get_mut("claims").map(Value::take) else {
        return Err(AuthError::HookAnswer);
    };
    if given
        .get("role")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        return Err(AuthError::HookAnswer);
    }
    for (name, value) in claims {
        if FIXED.contains(&name.as_str()) {
            given.insert(name, value);
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn what_a_hook_may_change() {
        let claims = || object(&json!({ "sub": "a", "role": "authenticated", "exp": 7 }));
        let answer = json!({ "claims": { "sub": "b", "role": "editor", "plan": "pro", "exp": 9 } });
        let given = changed(claims(), object(&answer)).unwrap();
        let expected = json!({ "sub": "a", "role": "editor", "plan": "pro", "exp": 7 });
        assert_eq!(Value::Object(given), expected);
        for answer in [
            json!({}),
            json!({ "claims": 1 }),
            json!({ "claims": { "sub": "a" } }),
        ] {
            assert!(matches!(
                changed(claims(), object(&answer)),
                Err(AuthError::HookAnswer)
            ));
        }
    }

    #[test]
    fn what_a_server_may_answer() {
        let answer = |status, media_type: &str, is_cut| Answer {
            status,
            media_type: media_type.to_owned(),
            body: b"{\"a\":1}".to_vec(),
            is_cut,
        };
        let json = "application/json";
        assert_eq!(read(answer(204, "", false)).unwrap(), b"{}");
        assert_eq!(read(answer(202, json, false)).unwrap(), b"{\"a\":1}");
        let wrong = read(answer(200, "text/html", false)).unwrap_err();
        assert!(matches!(wrong, AuthError::HookMediaType));
        let long = read(answer(200, json, true)).unwrap_err();
        assert!(matches!(long, AuthError::HookTooLong(_)));
        for status in [301, 400, 401, 500] {
            let refused = read(answer(status, json, false)).unwrap_err();
            assert!(matches!(refused, AuthError::HookAnswer));
        }
    }
}
