//! Second factors: `/factors`.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::database::{optional, text};
use crate::error::AuthError;
use crate::exchange::{Exchange, SignedIn};
use crate::grant::{self, Grant};
use crate::one_time::random_id;
use crate::request::{Code, Enrolment, given};
use crate::totp::{FactorSecret, picture};

const ENROLL: &str =
    "select passerelle.enroll_factor($1::uuid, $2, $3::uuid, $4, $5, $6::int4, $7)";
const CHALLENGE: &str = "insert into auth.mfa_challenges (id, factor_id, created_at, ip_address) \
    select $3::uuid, f.id, pg_catalog.clock_timestamp(), coalesce($4, '0.0.0.0')::inet \
    from auth.mfa_factors f where f.id = $2::uuid and f.user_id = $1::uuid \
    returning pg_catalog.floor(extract(epoch from created_at))::int8 + 300";
const FIND: &str = "select f.secret, \
    (select c.created_at < pg_catalog.now() - interval '5 minutes' or c.verified_at is not null \
      from auth.mfa_challenges c where c.id = $3::uuid and c.factor_id = f.id) \
    from auth.mfa_factors f where f.id = $2::uuid and f.user_id = $1::uuid and f.factor_type = 'totp'";
const VERIFY: &str = "select verdict, session_id, counter, claims, account \
    from passerelle.verify_factor($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::int8, $6)";
const REMOVE: &str =
    "select verdict, removed from passerelle.remove_factor($1::uuid, $2::uuid, $3, $4)";
const LIST: &str = "select coalesce(pg_catalog.jsonb_agg(passerelle.factor(f) order by f.created_at, f.id), '[]') \
    from auth.mfa_factors f where f.user_id = $1::uuid";

/// Bytes of the name of a factor.
const LONGEST_NAME: usize = 255;
/// Factors of one account, finished and not.
const MOST: &str = "10";

impl Exchange<'_> {
    pub(crate) async fn enroll(&mut self) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let request: Enrolment = self.json().await?;
        match request.factor_type.as_deref() {
            Some("totp") => {}
            Some("phone") => return Err(AuthError::FactorDisabled("mfa_phone_enroll_not_enabled")),
            Some("webauthn") => {
                return Err(AuthError::FactorDisabled("mfa_webauthn_enroll_not_enabled"));
            }
            _ => {
                return Err(AuthError::Invalid(
                    "factor_type needs to be totp, phone, or webauthn",
                ));
            }
        }
        let name = given(request.friendly_name).unwrap_or_default();
        if name.len() > LONGEST_NAME {
            return Err(AuthError::Invalid(
                "The friendly name of a factor is too long",
            ));
        }
        let factor = random_id()?;
        let secret = FactorSecret::make().ok_or(AuthError::Answer("no random numbers"))?;
        let sealed = secret.seal(&self.ready.seals, &factor.to_string());
        let sealed = sealed.ok_or(AuthError::Answer("the secret cannot be sealed"))?;
        let params = vec![
            text(who.user.to_string()),
            text(level(&who)),
            text(factor.to_string()),
            text(&name),
            text(sealed),
            text(MOST),
            optional(self.address()),
        ];
        let enrolled = self.state.write(ENROLL, params).await?;
        match enrolled.text(0, 0) {
            Some("enrolled") => {}
            Some("level") => return Err(AuthError::LowLevelToEnroll),
            Some("many") => return Err(AuthError::TooManyFactors),
            Some("name") => return Err(AuthError::FactorName(name)),
            _ => return Err(AuthError::Answer("no verdict")),
        }
        let site = &self.ready.settings.redirects.site_url;
        let host = site
            .split("://")
            .nth(1)
            .and_then(|rest| rest.split(['/', ':']).next());
        let issuer = given(request.issuer).unwrap_or_else(|| host.unwrap_or(site).to_owned());
        let email = who
            .principal
            .claim("email")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let uri = secret.uri(&issuer, email);
        Ok(HttpResponse::Ok().json(json!({
            "id": factor, "type": "totp", "friendly_name": name,
            "totp": { "qr_code": picture(&uri), "secret": secret.text(), "uri": uri },
        })))
    }

    pub(crate) async fn challenge(&mut self, id: &str) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let factor = factor_id(id)?;
        let challenge = random_id()?;
        let params = vec![
            text(who.user.to_string()),
            text(factor.to_string()),
            text(challenge.to_string()),
            optional(self.address()),
        ];
        let made = self.state.write(CHALLENGE, params).await?;
        let expires: i64 = made
            .text(0, 0)
            .and_then(|seconds| seconds.parse().ok())
            .ok_or(AuthError::FactorNotFound)?;
        Ok(HttpResponse::Ok()
            .json(json!({ "id": challenge, "type": "totp", "expires_at": expires })))
    }

    pub(crate) async fn verify_factor(&mut self, id: &str) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let factor = factor_id(id)?;
        let session = who.session.ok_or(AuthError::NoSession)?;
        let request: Code = self.json().await?;
        let code = given(request.code).ok_or(AuthError::Invalid("Code needs to be non-empty"))?;
        let challenge = request.challenge_id.as_deref().map(Uuid::parse_str);
        let Some(Ok(challenge)) = challenge else {
            return Err(AuthError::Invalid("challenge_id must be a UUID"));
        };
        self.admit_guess(&format!("factor {factor}")).await?;
        let ids = || vec![text(who.user.to_string()), text(factor.to_string())];
        let mut params = ids();
        params.push(text(challenge.to_string()));
        let found = self.state.read(FIND, params).await?;
        let row = found.rows().next().ok_or(AuthError::FactorNotFound)?;
        match row.text(1) {
            None => return Err(AuthError::FactorNotFound),
            Some("t") => return Err(AuthError::ChallengeExpired(challenge)),
            Some(_) => {}
        }
        let stored = row.text(0).unwrap_or_default();
        let secret = FactorSecret::open(stored, &self.ready.seals, &factor.to_string());
        let secret = secret.ok_or(AuthError::Answer("the secret of a factor cannot be read"))?;
        let step = secret
            .step_of(&code, self.now())
            .ok_or(AuthError::WrongCode)?;
        let params = vec![
            text(who.user.to_string()),
            text(session.to_string()),
            text(factor.to_string()),
            text(challenge.to_string()),
            text(step.to_string()),
            optional(self.address()),
        ];
        let verified = self.state.write(VERIFY, params).await?;
        match verified.text(0, 0) {
            Some("verified") => {}
            Some("used") => return Err(AuthError::WrongCode),
            Some("session") => return Err(AuthError::NoSession),
            _ => return Err(AuthError::ChallengeExpired(challenge)),
        }
        self.state.shared.ended.settle().await;
        let session = self
            .issue(&Grant::read(&verified, 1)?, "totp", None)
            .await?;
        Ok(HttpResponse::Ok().json(session))
    }

    pub(crate) async fn unenroll(&mut self, id: &str) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let factor = factor_id(id)?;
        self.remove(who.user, factor, Some(level(&who))).await?;
        Ok(HttpResponse::Ok().json(json!({ "id": factor })))
    }

    pub(crate) async fn list_factors(&mut self, user: &str) -> Result<HttpResponse, AuthError> {
        let user = Uuid::parse_str(user).map_err(|_| AuthError::NoSuchId)?;
        let found = self.state.read(LIST, vec![text(user.to_string())]).await?;
        Ok(grant::account(found.text(0, 0).unwrap_or("[]")))
    }

    pub(crate) async fn delete_factor(
        &mut self,
        user: &str,
        factor: &str,
    ) -> Result<HttpResponse, AuthError> {
        let user = Uuid::parse_str(user).map_err(|_| AuthError::NoSuchId)?;
        let removed = self.remove(user, factor_id(factor)?, None).await?;
        Ok(grant::account(&removed))
    }

    async fn remove(
        &self,
        user: Uuid,
        factor: Uuid,
        level: Option<&str>,
    ) -> Result<String, AuthError> {
        let params = vec![
            text(user.to_string()),
            text(factor.to_string()),
            optional(level),
            optional(self.address()),
        ];
        let removed = self.state.write(REMOVE, params).await?;
        match removed.text(0, 0) {
            Some("removed") => Ok(removed.text(0, 1).unwrap_or_default().to_owned()),
            Some("level") => Err(AuthError::LowLevelToRemove),
            _ => Err(AuthError::FactorNotFound),
        }
    }
}

fn level(who: &SignedIn) -> &str {
    let level = who.principal.claim("aal").and_then(Value::as_str);
    level.unwrap_or("aal1")
}

fn factor_id(text: &str) -> Result<Uuid, AuthError> {
    Uuid::parse_str(text).map_err(|_| AuthError::FactorNotFound)
}
