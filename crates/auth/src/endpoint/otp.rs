//! Links and codes by mail: `/otp`, `/magiclink`, `/recover`, `/resend`, `/reauthenticate`. Whether there is such an
//! account makes no difference to the answer.

use actix_web::HttpResponse;
use passerelle_wire::ResultSet;
use serde_json::json;

use super::email;
use super::phone::SmsWish;
use super::user::{Own, Wanted};
use crate::database::{flag, optional, text};
use crate::error::AuthError;
use crate::exchange::Exchange;
use crate::hook::Newcomer;
use crate::one_time::{digest_of, random_id};
use crate::request::{Challenge, Otp, Resend, given, metadata};

const REQUEST: &str = "select verdict, account from passerelle.request_mail($1, $2, $3::uuid, $4, $5, $6, $7, $8::bool, \
    $9::pg_catalog.jsonb, $10, $11)";

/// A mail that is asked for.
pub(super) struct Wish<'a> {
    /// `signup`, `magiclink`, `recovery`, `invite`, `reauthentication`
    pub(super) kind: &'a str,
    pub(super) email: &'a str,
    pub(super) challenge: Challenge,
    pub(super) may_create: bool,
    /// Metadata as JSON.
    pub(super) data: String,
}

impl Exchange<'_> {
    pub(crate) async fn otp(&mut self, kind: &'static str) -> Result<HttpResponse, AuthError> {
        let request: Otp = self.json().await?;
        let may_create = kind == "magiclink"
            && request.create_user.unwrap_or(true)
            && self.ready.settings.allows_sign_up;
        let data = metadata(request.data, 0)?;
        if let Some(phone) = given(request.phone) {
            let channel = request.channel.as_deref();
            return self.otp_by_phone(&phone, channel, may_create, data).await;
        }
        self.need_mail()?;
        let email = email(&request.email.unwrap_or_default())?;
        if may_create {
            self.announce(Newcomer {
                email: Some(&email),
                way: Some("email"),
                data: &data,
                ..Newcomer::default()
            })
            .await?;
        }
        let wish = Wish {
            kind,
            email: &email,
            challenge: request.challenge,
            may_create,
            data,
        };
        self.admit_mail(&email).await?;
        self.request_mail(wish).await?;
        Ok(HttpResponse::Ok().json(json!({})))
    }

    pub(crate) async fn resend(&mut self) -> Result<HttpResponse, AuthError> {
        let request: Resend = self.json().await?;
        let kind = request.kind.unwrap_or_default();
        match kind.as_str() {
            "signup" => self.need_mail()?,
            "email_change" => return self.resend_email_change(request.email).await,
            "sms" | "phone_change" => {
                return self
                    .resend_sms(&kind, &request.phone.unwrap_or_default())
                    .await;
            }
            _ => {
                return Err(AuthError::Invalid(
                    "Missing one of these types: signup, email_change, sms, phone_change",
                ));
            }
        }
        let email = email(&request.email.unwrap_or_default())?;
        let wish = Wish {
            kind: "signup",
            email: &email,
            challenge: request.challenge,
            may_create: false,
            data: "{}".to_owned(),
        };
        self.admit_mail(&email).await?;
        self.request_mail(wish).await?;
        Ok(HttpResponse::Ok().json(json!({})))
    }

    /// A code for those who are asked to show once more that it is they.
    pub(crate) async fn reauthenticate(&mut self) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let found = self.account_of(&who, Wanted::default()).await?;
        let account = Own::read(&found);
        let Some(email) = account.email else {
            let phone = account.phone.ok_or(AuthError::Invalid(
                "Reauthentication requires the user to have an email or a phone number",
            ))?;
            let wish = SmsWish::to("reauthentication", phone, Some(who.user));
            let (_, id) = self.request_sms(wish).await?;
            return Ok(HttpResponse::Ok().json(json!({ "message_id": id })));
        };
        self.need_mail()?;
        let wish = Wish {
            kind: "reauthentication",
            email,
            challenge: Challenge::default(),
            may_create: false,
            data: "{}".to_owned(),
        };
        self.admit_mail(email).await?;
        self.request_mail(wish).await?;
        Ok(HttpResponse::Ok().json(json!({})))
    }

    /// Has a mail sent, if there is an account that may have it.
    pub(super) async fn request_mail(&self, wish: Wish<'_>) -> Result<ResultSet, AuthError> {
        let token = random_id()?;
        let (challenge, method) = wish.challenge.read()?;
        let params = vec![
            text(wish.kind),
            text(wish.email),
            text(token.to_string()),
            text(digest_of(&self.ready.one_time.link(token))),
            optional(challenge),
            optional(method),
            optional(self.parameter("redirect_to")),
            flag(wish.may_create),
            text(wish.data),
            optional(self.language()),
            optional(self.address()),
        ];
        self.state.write(REQUEST, params).await
    }
}
