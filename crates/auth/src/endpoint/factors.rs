//! Second factors: `/factors`.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use uuid::Uuid;

use super::phone::{channel, phone};
use crate::database::{optional, text};
use crate::error::AuthError;
use crate::exchange::{Exchange, SignedIn};
use crate::grant::{self, Grant};
use crate::one_time::random_id;
use crate::request::{ChallengeRequest, Code, Enrolment, given};
use crate::totp::{FactorSecret, picture};

const ENROLL: &str =
    "select passerelle.enroll_factor($1::uuid, $2, $3::uuid, $4, $5, $6, $7, $8::int4, $9)";
const CHALLENGE: &str = "select kind, expires_at from passerelle.challenge_factor($1::uuid, $2::uuid, $3::uuid, $4, $5, $6)";
const PHONE: &str =
    "select f.phone from auth.mfa_factors f where f.id = $2::uuid and f.user_id = $1::uuid";
const FIND: &str = "select f.factor_type, f.secret, \
    (select c.created_at < pg_catalog.now() - interval '5 minutes' or c.verified_at is not null \
      from auth.mfa_challenges c where c.id = $3::uuid and c.factor_id = f.id) \
    from auth.mfa_factors f where f.id = $2::uuid and f.user_id = $1::uuid and f.factor_type in ('totp', 'phone')";
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
        let name = given(request.friendly_name).unwrap_or_default();
        if name.len() > LONGEST_NAME {
            return Err(AuthError::Invalid(
                "The friendly name of a factor is too long",
            ));
        }
        match request.factor_type.as_deref() {
            Some("totp") => self.enroll_app(&who, name, request.issuer).await,
            Some("phone") if !self.ready.settings.has_sms => {
                Err(AuthError::FactorDisabled("mfa_phone_enroll_not_enabled"))
            }
            Some("phone") => {
                let number = given(request.phone).ok_or(AuthError::Invalid(
                    "Phone number required to enroll Phone factor",
                ))?;
                self.enroll_phone(&who, name, &phone(&number)?).await
            }
            Some("webauthn") => Err(AuthError::FactorDisabled("mfa_webauthn_enroll_not_enabled")),
            _ => Err(AuthError::Invalid(
                "factor_type needs to be totp, phone, or webauthn",
            )),
        }
    }

    async fn enroll_app(
        &mut self,
        who: &SignedIn,
        name: String,
        issuer: Option<String>,
    ) -> Result<HttpResponse, AuthError> {
        let factor = random_id()?;
        let secret = FactorSecret::make().ok_or(AuthError::Answer("no random numbers"))?;
        let sealed = secret.seal(&self.ready.seals, &factor.to_string());
        let sealed = sealed.ok_or(AuthError::Answer("the secret cannot be sealed"))?;
        self.begin_factor(who, factor, "totp", &name, Ok(&sealed))
            .await?;
        let site = &self.ready.settings.redirects.site_url;
        let host = site
            .split("://")
            .nth(1)
            .and_then(|rest| rest.split(['/', ':']).next());
        let issuer = given(issuer).unwrap_or_else(|| host.unwrap_or(site).to_owned());
        let claim = |name| who.principal.claim(name).and_then(Value::as_str);
        let account = claim("email").filter(|email| !email.is_empty());
        let uri = secret.uri(&issuer, account.or(claim("phone")).unwrap_or_default());
        Ok(HttpResponse::Ok().json(json!({
            "id": factor, "type": "totp", "friendly_name": name,
            "totp": { "qr_code": picture(&uri), "secret": secret.text(), "uri": uri },
        })))
    }

    async fn enroll_phone(
        &mut self,
        who: &SignedIn,
        name: String,
        number: &str,
    ) -> Result<HttpResponse, AuthError> {
        let factor = random_id()?;
        self.begin_factor(who, factor, "phone", &name, Err(number))
            .await?;
        Ok(HttpResponse::Ok().json(json!({
            "id": factor, "type": "phone", "friendly_name": name, "phone": number,
        })))
    }

    /// Notes a factor with its sealed secret, or else its number.
    async fn begin_factor(
        &self,
        who: &SignedIn,
        factor: Uuid,
        kind: &str,
        name: &str,
        shown: Result<&str, &str>,
    ) -> Result<(), AuthError> {
        let params = vec![
            text(who.user.to_string()),
            text(level(who)),
            text(factor.to_string()),
            text(kind),
            text(name),
            optional(shown.ok()),
            optional(shown.err()),
            text(MOST),
            optional(self.address()),
        ];
        let enrolled = self.state.write(ENROLL, params).await?;
        match enrolled.text(0, 0) {
            Some("enrolled") => Ok(()),
            Some("level") => Err(AuthError::LowLevelToEnroll),
            Some("many") => Err(AuthError::TooManyFactors),
            Some("phone") => Err(AuthError::FactorExists),
            Some("name") => Err(AuthError::FactorName(name.to_owned())),
            _ => Err(AuthError::Answer("no verdict")),
        }
    }

    pub(crate) async fn challenge(&mut self, id: &str) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let factor = factor_id(id)?;
        let request: ChallengeRequest = self.json().await?;
        let channel = channel(request.channel.as_deref())?;
        let ids = || vec![text(who.user.to_string()), text(factor.to_string())];
        let found = self.state.read(PHONE, ids()).await?;
        if let Some(number) = found.text(0, 0) {
            if !self.ready.settings.has_sms {
                return Err(AuthError::FactorDisabled("mfa_phone_verify_not_enabled"));
            }
            self.admit_sms(number).await?;
        }
        let challenge = random_id()?;
        let mut params = ids();
        params.extend([
            text(challenge.to_string()),
            text(channel),
            optional(self.language()),
            optional(self.address()),
        ]);
        let made = self.state.write(CHALLENGE, params).await?;
        let kind = made.text(0, 0).ok_or(AuthError::FactorNotFound)?;
        let expires: i64 = made
            .text(0, 1)
            .and_then(|seconds| seconds.parse().ok())
            .ok_or(AuthError::FactorNotFound)?;
        Ok(
            HttpResponse::Ok()
                .json(json!({ "id": challenge, "type": kind, "expires_at": expires })),
        )
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
        let params = vec![
            text(who.user.to_string()),
            text(factor.to_string()),
            text(challenge.to_string()),
        ];
        let found = self.state.read(FIND, params).await?;
        let row = found.rows().next().ok_or(AuthError::FactorNotFound)?;
        match row.text(2) {
            None => return Err(AuthError::FactorNotFound),
            Some("t") => return Err(AuthError::ChallengeExpired(challenge)),
            Some(_) => {}
        }
        let by_phone = row.text(0) == Some("phone");
        let step = if by_phone {
            self.ready
                .one_time
                .is_code(challenge, &code)
                .then_some(None)
        } else {
            let stored = row.text(1).unwrap_or_default();
            let secret = FactorSecret::open(stored, &self.ready.seals, &factor.to_string());
            let secret =
                secret.ok_or(AuthError::Answer("the secret of a factor cannot be read"))?;
            secret.step_of(&code, self.now()).map(Some)
        };
        let step = step.ok_or(AuthError::WrongCode { phone: by_phone })?;
        let params = vec![
            text(who.user.to_string()),
            text(session.to_string()),
            text(factor.to_string()),
            text(challenge.to_string()),
            optional(step.map(|step| step.to_string())),
            optional(self.address()),
        ];
        let verified = self.state.write(VERIFY, params).await?;
        match verified.text(0, 0) {
            Some("verified") => {}
            Some("used") => return Err(AuthError::WrongCode { phone: by_phone }),
            Some("session") => return Err(AuthError::NoSession),
            _ => return Err(AuthError::ChallengeExpired(challenge)),
        }
        self.state.shared.ended.settle().await;
        let method = if by_phone { "mfa/phone" } else { "totp" };
        let session = self
            .issue(&Grant::read(&verified, 1)?, method, None)
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
