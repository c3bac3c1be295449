//! `POST /token`: what a session is given for.

use std::time::Duration;

use actix_web::HttpResponse;
use passerelle_statement::Param;
use passerelle_surface::RouteClass;

use super::phone::phone;
use crate::database::{optional, text};
use crate::error::AuthError;
use crate::exchange::Exchange;
use crate::grant::{Grant, Session};
use crate::one_time::{answers, digest_of};
use crate::password::Checked;
use crate::refresh_token::RefreshToken;
use crate::request::{FlowGrant, PasswordGrant, RefreshGrant, given};

const BY_EMAIL: &str = "select u.id, u.encrypted_password, u.email_confirmed_at is not null, \
    coalesce(u.banned_until > pg_catalog.now(), false) \
    from auth.users u \
    where u.email = $1 and not u.is_sso_user and u.deleted_at is null";
const BY_PHONE: &str = "select u.id, u.encrypted_password, u.phone_confirmed_at is not null, \
    coalesce(u.banned_until > pg_catalog.now(), false) \
    from auth.users u \
    where u.phone = $1 and u.deleted_at is null";
const REHASH: &str = "update auth.users u set encrypted_password = $3 \
    where u.id = $1::uuid and u.encrypted_password = $2";
const REFRESH: &str = "select verdict, session_id, counter, claims, account \
    from passerelle.refresh_session($1::uuid, $2::int8, $3::int4, $4::int4, $5::int4, $6, $7)";
/// A token that was exchanged is as good as its successor is unused.
const FOREIGN: &str = "select r.session_id, coalesce(r.revoked, false) and not exists ( \
    select from auth.refresh_tokens a where a.parent = r.token and a.revoked is not true) \
    from auth.refresh_tokens r where r.token = $1 and r.session_id is not null";
const FLOW: &str = "select f.id, f.user_id, f.code_challenge, f.code_challenge_method, \
    f.auth_code_issued_at < pg_catalog.now() - interval '5 minutes', f.authentication_method, \
    f.provider_access_token, f.provider_refresh_token, f.provider_type, f.linking_target_id \
    from auth.flow_state f where f.auth_code = $1 and f.user_id is not null";
const TAKE_FLOW: &str = "delete from auth.flow_state f where f.id = $1::uuid";
const END: &str = "delete from auth.sessions where id = $1::uuid";

impl Exchange<'_> {
    pub(crate) async fn token(&mut self) -> Result<HttpResponse, AuthError> {
        match self.parameter("grant_type").as_deref() {
            Some("password") => {
                self.admit(RouteClass::SignIn).await?;
                self.password_grant().await
            }
            Some("refresh_token") => {
                self.admit(RouteClass::Refresh).await?;
                self.refresh_grant().await
            }
            Some("pkce") => {
                self.admit(RouteClass::SignIn).await?;
                self.flow_grant().await
            }
            Some("id_token") => {
                self.admit(RouteClass::SignIn).await?;
                self.id_token_grant().await
            }
            Some("web3") => Err(AuthError::Web3Disabled),
            grant => Err(AuthError::Grant(grant.unwrap_or_default().to_owned())),
        }
    }

    async fn password_grant(&mut self) -> Result<HttpResponse, AuthError> {
        let request: PasswordGrant = self.json().await?;
        let (address, by_phone) = match (given(request.email), given(request.phone)) {
            (Some(_), Some(_)) => {
                return Err(AuthError::Invalid(
                    "Only an email address or phone number should be provided on login.",
                ));
            }
            (None, None) => return Err(AuthError::Invalid("missing email or phone")),
            (None, Some(_)) if !self.ready.settings.allows_phones() => {
                return Err(AuthError::PhoneDisabled);
            }
            // What is no number is nobody's.
            (None, Some(number)) => (phone(&number).unwrap_or_default(), true),
            (Some(address), None) => (address.trim().to_lowercase(), false),
        };
        self.admit_password(&address).await?;
        let password = request.password.unwrap_or_default();
        let rules = &self.ready.settings.passwords;
        let weakness = rules.weakness(&password);
        let find = if by_phone { BY_PHONE } else { BY_EMAIL };
        let found = self.state.read(find, vec![text(&address)]).await?;
        let row = found.rows().next();
        let hash = row.and_then(|row| row.text(1)).unwrap_or_default();
        // As much work for an account that is not there, or has no password.
        let hasher = &self.state.shared.hasher;
        let checked = hasher.check(password.clone(), hash.to_owned()).await?;
        if let Some(account) = row.and_then(|row| row.text(0)) {
            let is_right = matches!(checked, Checked::Right { .. });
            self.report_password(account, is_right).await?;
        }
        let (Some(row), Checked::Right { is_current }) = (row, checked) else {
            return Err(AuthError::Credentials);
        };
        let id = row.text(0).unwrap_or_default();
        if row.text(3) == Some("t") {
            return Err(AuthError::Banned { refreshing: false });
        }
        if row.text(2) != Some("t") {
            return Err(AuthError::NotConfirmed { phone: by_phone });
        }
        if !is_current {
            let fresh = hasher.hash(password).await?;
            let params = vec![text(id), text(hash), text(fresh)];
            self.state.write(REHASH, params).await?;
        }
        let session = self.session(id, "password", weakness.as_ref()).await?;
        Ok(HttpResponse::Ok().json(session))
    }

    async fn refresh_grant(&mut self) -> Result<HttpResponse, AuthError> {
        let request: RefreshGrant = self.json().await?;
        let Some(token) = given(request.refresh_token) else {
            return Err(AuthError::NoRefreshToken);
        };
        let (session, number) = match self.ready.refresh_tokens.read(&token) {
            RefreshToken::Own { session, number } => {
                (session.to_string(), text(number.to_string()))
            }
            RefreshToken::Foreign(token) => (self.foreign(token).await?, None),
        };
        let rules = self.ready.settings.sessions;
        let seconds = |duration: Duration| text(duration.as_secs().to_string());
        let params: Vec<Param> = vec![
            text(session),
            number,
            seconds(rules.reuse),
            seconds(rules.longest),
            seconds(rules.inactive),
            optional(self.agent()),
            optional(self.address()),
        ];
        let result = self.state.write(REFRESH, params).await?;
        match result.text(0, 0) {
            Some("granted") => {
                let grant = Grant::read(&result, 1)?;
                let session = self.issue(&grant, "token_refresh", None).await?;
                Ok(HttpResponse::Ok().json(session))
            }
            Some("not_found" | "ahead") => Err(AuthError::RefreshTokenNotFound),
            Some("banned") => Err(AuthError::Banned { refreshing: true }),
            Some("expired") => Err(AuthError::SessionExpired { inactive: false }),
            Some("inactive") => Err(AuthError::SessionExpired { inactive: true }),
            Some("reused") => {
                self.state.shared.ended.settle().await;
                Err(AuthError::RefreshTokenUsed)
            }
            _ => Err(AuthError::Answer("no verdict")),
        }
    }

    /// A browser has brought back the code that a link led to.
    async fn flow_grant(&mut self) -> Result<HttpResponse, AuthError> {
        let request: FlowGrant = self.json().await?;
        let (Some(code), Some(verifier)) = (given(request.auth_code), given(request.code_verifier))
        else {
            return Err(AuthError::Invalid(
                "invalid request: both auth code and code verifier should be non-empty",
            ));
        };
        let found = self.state.read(FLOW, vec![text(digest_of(&code))]).await?;
        let row = found.rows().next().ok_or(AuthError::FlowNotFound)?;
        let value = |column| row.text(column).unwrap_or_default();
        if value(4) == "t" {
            return Err(AuthError::FlowExpired);
        }
        if !answers(value(2), value(3), &verifier) {
            return Err(AuthError::BadVerifier);
        }
        let taken = self.state.write(TAKE_FLOW, vec![text(value(0))]).await?;
        if taken.affected() != Some(1) {
            return Err(AuthError::FlowNotFound);
        }
        let of_provider = |column| {
            let stored = row.text(column)?;
            String::from_utf8(self.ready.seals.open(stored, value(0))?).ok()
        };
        let mut provider_token = of_provider(6);
        if row.text(9).is_some() {
            // Only whoever asked for it can answer the challenge: now it is known that they are who came back.
            let sealed = provider_token.take().ok_or(AuthError::FlowNotFound)?;
            provider_token = self.link_at_last(value(8), &sealed, value(9)).await?;
        }
        let session = self.session(value(1), value(5), None).await?;
        Ok(HttpResponse::Ok().json(Session {
            provider_token,
            provider_refresh_token: of_provider(7),
            ..session
        }))
    }

    /// The session of a token that came along from Supabase.
    async fn foreign(&self, token: &str) -> Result<String, AuthError> {
        let found = self.state.read(FOREIGN, vec![text(token)]).await?;
        let session = found.text(0, 0).ok_or(AuthError::RefreshTokenNotFound)?;
        if found.text(0, 1) == Some("t") {
            self.state.write(END, vec![text(session)]).await?;
            self.state.shared.ended.settle().await;
            return Err(AuthError::RefreshTokenUsed);
        }
        Ok(session.to_owned())
    }
}
