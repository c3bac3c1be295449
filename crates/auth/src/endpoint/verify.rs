//! `/verify`: a code or a link is redeemed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::phone::phone;
use super::{email, send_on};
use crate::database::{flag, optional, text};
use crate::error::AuthError;
use crate::exchange::Exchange;
use crate::one_time::digest_of;
use crate::redirect::{with_fragment, with_query};
use crate::request::{Verify, given};

const BY_LINK: &str = "select o.id from auth.one_time_tokens o \
    where o.token_hash = $1 and o.token_type = any ($2::pg_catalog.text[]::auth.one_time_token_type[]) \
    and o.created_at at time zone 'UTC' > pg_catalog.now() - pg_catalog.make_interval(secs => $3::float8)";
pub(super) const BY_ADDRESS: &str = "select o.id from auth.one_time_tokens o \
    where o.relates_to = $1 and o.token_type = any ($2::pg_catalog.text[]::auth.one_time_token_type[]) \
    and o.created_at at time zone 'UTC' > pg_catalog.now() - pg_catalog.make_interval(secs => $3::float8)";
const REDEEM: &str = "select verdict, account_id, is_challenged from passerelle.redeem_token($1::uuid, $2::bool, $3)";
const FLOW: &str = "update auth.flow_state f set auth_code = $2, auth_code_issued_at = pg_catalog.clock_timestamp(), \
    updated_at = pg_catalog.clock_timestamp() where f.id = $1::uuid and f.auth_code is null returning f.id";

/// What a client is told after the first half of a change that both addresses have to confirm.
const HALF: &str =
    "Confirmation link accepted. Please proceed to confirm link sent to the other email";

/// What redeeming has come to.
enum Redeemed {
    /// The account may sign in.
    Account(String),
    /// Another address has to agree.
    Half,
}

impl Exchange<'_> {
    pub(crate) async fn verify(&mut self) -> Result<HttpResponse, AuthError> {
        let request: Verify = self.json().await?;
        let kind =
            given(request.kind).ok_or(AuthError::Invalid("Verify requires a verification type"))?;
        let (token, link) = (given(request.token), given(request.token_hash));
        let found = match (token, link) {
            (Some(code), None) => {
                let sent_to = match given(request.phone) {
                    Some(_) if given(request.email.clone()).is_some() => {
                        return Err(AuthError::Invalid(
                            "Only an email address or phone number should be provided on verify",
                        ));
                    }
                    Some(number) => phone(&number)?,
                    None => email(&request.email.unwrap_or_default())?,
                };
                self.admit_guess(&format!("code {sent_to}")).await?;
                let kinds = kinds(&kind)?;
                let ids = self.tokens(BY_ADDRESS, &sent_to, kinds).await?;
                ids.into_iter()
                    .find(|id| self.ready.one_time.is_code(*id, &code))
            }
            (None, Some(link)) => {
                if given(request.email).is_some() {
                    return Err(AuthError::Invalid(
                        "Only the token_hash and type should be provided",
                    ));
                }
                self.by_link(&link, &kind).await?
            }
            _ => {
                return Err(AuthError::Invalid(
                    "Verify requires either a token or a token hash",
                ));
            }
        };
        let token = found.ok_or(AuthError::OtpExpired)?;
        match self.redeem(token).await?.0 {
            Redeemed::Account(account) => self.open(&account, "otp").await,
            Redeemed::Half => Ok(HttpResponse::Ok().json(json!({ "msg": HALF, "code": "200" }))),
        }
    }

    /// A browser follows a link. It is sent on, with a session, with a code for one, or with an error.
    pub(crate) async fn follow_link(&mut self) -> Result<HttpResponse, AuthError> {
        let target = self.parameter("redirect_to");
        let target = self.ready.settings.redirects.target(target.as_deref());
        let link = self.parameter("token").and_then(|link| given(Some(link)));
        let link = link
            .or_else(|| self.parameter("token_hash"))
            .unwrap_or_default();
        let kind = self.parameter("type").unwrap_or_default();
        let url = match self.landing(&link, &kind, &target).await {
            Ok(url) => url,
            Err(error) => with_fragment(&target, &error.for_browsers()?),
        };
        send_on(StatusCode::SEE_OTHER, &url)
    }

    async fn landing(&self, link: &str, kind: &str, target: &str) -> Result<String, AuthError> {
        let token = self
            .by_link(link, kind)
            .await?
            .ok_or(AuthError::LinkExpired)?;
        let (redeemed, is_challenged) = self.redeem(token).await?;
        let account = match redeemed {
            Redeemed::Half => return Ok(with_fragment(target, &[("message", HALF)])),
            Redeemed::Account(account) => account,
        };
        if is_challenged {
            let code = self.ready.one_time.flow_code(token);
            let params = vec![text(token.to_string()), text(digest_of(&code))];
            self.state.write(FLOW, params).await?;
            return Ok(with_query(target, &[("code", &code)]));
        }
        let session = self.session(&account, "otp", None).await?;
        let mut pairs = session.pairs();
        pairs.push(("type", kind.to_owned()));
        Ok(with_fragment(target, &pairs))
    }

    async fn by_link(&self, link: &str, kind: &str) -> Result<Option<Uuid>, AuthError> {
        let kinds = kinds(kind)?;
        let found = self.tokens(BY_LINK, &digest_of(link), kinds).await?;
        Ok(found.first().copied())
    }

    pub(super) async fn tokens(
        &self,
        sql: &'static str,
        key: &str,
        kinds: &str,
    ) -> Result<Vec<Uuid>, AuthError> {
        let seconds = self.ready.settings.one_time.as_secs();
        let params = vec![text(key), text(kinds), text(seconds.to_string())];
        let found = self.state.read(sql, params).await?;
        let ids = found.rows().filter_map(|row| row.text(0)?.parse().ok());
        Ok(ids.collect())
    }

    async fn redeem(&self, token: Uuid) -> Result<(Redeemed, bool), AuthError> {
        let params = vec![
            text(token.to_string()),
            flag(self.ready.settings.confirms_twice),
            optional(self.address()),
        ];
        let result = self.state.write(REDEEM, params).await?;
        let is_challenged = result.text(0, 2) == Some("t");
        let redeemed = match result.text(0, 0) {
            Some("redeemed") => {
                let account = result.text(0, 1).ok_or(AuthError::Answer("no account"))?;
                Redeemed::Account(account.to_owned())
            }
            Some("half") => Redeemed::Half,
            Some("banned") => return Err(AuthError::Banned { refreshing: false }),
            Some("taken") => return Err(AuthError::EmailExists),
            Some("taken_phone") => return Err(AuthError::PhoneExists),
            _ => return Err(AuthError::OtpExpired),
        };
        Ok((redeemed, is_challenged))
    }
}

/// The kinds of tokens that a type of verification takes, as an array of PostgreSQL.
fn kinds(kind: &str) -> Result<&'static str, AuthError> {
    match kind {
        "signup" | "invite" => Ok("{confirmation_token}"),
        // Who asks for a link or a code without having confirmed the address is asked to do that.
        "magiclink" | "email" | "sms" => Ok("{confirmation_token,recovery_token}"),
        "recovery" => Ok("{recovery_token}"),
        "email_change" => Ok("{email_change_token_new,email_change_token_current}"),
        "phone_change" => Ok("{phone_change_token}"),
        _ => Err(AuthError::Invalid("Unsupported verification type")),
    }
}
