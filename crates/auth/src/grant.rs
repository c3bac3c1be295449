//! What somebody who signs in gets: a session, an access token and a refresh token.

use actix_web::HttpResponse;
use passerelle_identity::{UnixTime, mint};
use passerelle_wire::ResultSet;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::error::AuthError;
use crate::password::Weakness;
use crate::state::Ready;

/// The session as the database told it.
pub(crate) struct Grant<'a> {
    pub(crate) session: Uuid,
    /// Of the refresh token.
    number: i64,
    claims: &'a str,
    account: &'a str,
}

/// The body of an answer with a session.
#[derive(Serialize)]
pub(crate) struct Session {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    /// Seconds.
    pub(crate) expires_in: u64,
    /// Seconds since 1970.
    pub(crate) expires_at: i64,
    pub(crate) refresh_token: String,
    pub(crate) user: Box<RawValue>,
    /// Of the provider that somebody has signed in at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) provider_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) provider_refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weak_password: Option<Weakness>,
}

impl<'a> Grant<'a> {
    /// Reads `session_id, counter, claims, account`, which begin at a column.
    pub(crate) fn read(result: &'a ResultSet, column: usize) -> Result<Self, AuthError> {
        let value = |at| result.text(0, column + at);
        let read = || {
            Some(Self {
                session: value(0)?.parse().ok()?,
                number: value(1)?.parse().ok()?,
                claims: value(2)?,
                account: value(3)?,
            })
        };
        read().ok_or(AuthError::Answer("no session"))
    }

    /// What its access token says.
    pub(crate) fn claims(
        &self,
        ready: &Ready,
        now: UnixTime,
    ) -> Result<Map<String, Value>, AuthError> {
        let unreadable = |_| AuthError::Answer("no JSON");
        let settings = &ready.settings;
        let expires_in = settings.access_token.as_secs();
        let expires_at = now.seconds().saturating_add_unsigned(expires_in);
        let mut claims: Map<String, Value> =
            serde_json::from_str(self.claims).map_err(unreadable)?;
        claims.insert("iss".to_owned(), settings.issuer.as_str().into());
        claims.insert("iat".to_owned(), now.seconds().into());
        claims.insert("exp".to_owned(), expires_at.into());
        Ok(claims)
    }

    /// What the client gets.
    pub(crate) fn session(
        &self,
        ready: &Ready,
        claims: &Map<String, Value>,
        now: UnixTime,
        weak_password: Option<&Weakness>,
    ) -> Result<Session, AuthError> {
        let unreadable = |_| AuthError::Answer("no JSON");
        let settings = &ready.settings;
        let expires_in = settings.access_token.as_secs();
        let expires_at = now.seconds().saturating_add_unsigned(expires_in);
        Ok(Session {
            access_token: mint(claims, &settings.key)?,
            token_type: "bearer",
            expires_in,
            expires_at,
            refresh_token: ready.refresh_tokens.issue(self.session, self.number),
            user: RawValue::from_string(self.account.to_owned()).map_err(unreadable)?,
            provider_token: None,
            provider_refresh_token: None,
            weak_password: weak_password.cloned(),
        })
    }
}

impl Session {
    /// What a browser brings to the application in the fragment of its address.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("access_token", self.access_token.clone()),
            ("expires_at", self.expires_at.to_string()),
            ("expires_in", self.expires_in.to_string()),
            ("refresh_token", self.refresh_token.clone()),
            ("token_type", self.token_type.to_owned()),
            ("sb", String::new()),
        ]
    }
}

/// The answer with an account.
pub(crate) fn account(account: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json; charset=utf-8")
        .body(account.to_owned())
}
