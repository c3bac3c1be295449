//! Functions of the database that have a word in what happens, as Supabase Auth calls them.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::database::text;
use crate::error::AuthError;
use crate::exchange::Exchange;
use crate::grant::{Grant, Session};
use crate::password::Weakness;

/// How long a function may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Claims that are there whatever a function does, with the values that they had.
const FIXED: [&str; 4] = ["sub", "session_id", "iat", "exp"];

impl Exchange<'_> {
    /// The session that somebody gets, with the claims that the function for access tokens lets them have.
    pub(crate) async fn issue(
        &self,
        grant: &Grant<'_>,
        method: &str,
        weak: Option<&Weakness>,
    ) -> Result<Session, AuthError> {
        let mut claims = grant.claims(self.ready, self.now())?;
        if let Some(hook) = &self.ready.settings.access_token_hook {
            let event = json!({
                "user_id": claims.get("sub"), "claims": claims, "authentication_method": method,
            });
            let asked = self.state.ask_hook(hook, vec![text(event.to_string())]);
            let answer = timeout(PATIENCE, asked)
                .await
                .map_err(|_| AuthError::HookTimeout)??;
            let answer = answer.text(0, 0).unwrap_or("null");
            let answer: Value = serde_json::from_str(answer).map_err(|_| AuthError::HookAnswer)?;
            claims = changed(claims, answer)?;
        }
        grant.session(self.ready, &claims, self.now(), weak)
    }
}

/// The claims that a function has answered.
fn changed(claims: Map<String, Value>, mut answer: Value) -> Result<Map<String, Value>, AuthError> {
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

    #[test]
    fn what_a_function_may_change() {
        let claims = || {
            let claims = json!({ "sub": "a", "role": "authenticated", "exp": 7 });
            claims.as_object().cloned().unwrap()
        };
        let answer = json!({ "claims": { "sub": "b", "role": "editor", "plan": "pro", "exp": 9 } });
        let given = changed(claims(), answer).unwrap();
        let expected = json!({ "sub": "a", "role": "editor", "plan": "pro", "exp": 7 });
        assert_eq!(Value::Object(given), expected);
        for answer in [
            json!(null),
            json!({}),
            json!({ "claims": 1 }),
            json!({ "claims": { "sub": "a" } }),
        ] {
            assert!(matches!(
                changed(claims(), answer),
                Err(AuthError::HookAnswer)
            ));
        }
        let refused = json!({ "error": { "http_code": 418, "message": "no" } });
        let error = changed(claims(), refused).unwrap_err();
        assert!(
            matches!(error, AuthError::HookRefused { status: 418, message } if message == "no")
        );
        let odd = json!({ "error": { "http_code": 200 } });
        assert!(matches!(
            changed(claims(), odd),
            Err(AuthError::HookRefused { status: 403, .. })
        ));
    }
}
