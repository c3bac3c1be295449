//! Telephone numbers: signing up and in with them, and codes by SMS. Whether there is such an account makes no difference to the
//! answer.

use actix_web::HttpResponse;
use passerelle_wire::ResultSet;
use serde_json::json;
use uuid::Uuid;

use super::sign_up::{Candidate, Created};
use crate::database::{flag, optional, text};
use crate::error::AuthError;
use crate::exchange::Exchange;
use crate::grant;
use crate::hook::Newcomer;
use crate::one_time::{digest_of, random_id};

const REQUEST: &str = "select verdict, account from passerelle.request_sms($1, $2, $3::uuid, $4::uuid, $5, $6, $7::bool, \
    $8::pg_catalog.jsonb, $9, $10)";
const STRANGER: &str = "select passerelle.stranger_by_phone($1, $2::pg_catalog.jsonb)";
/// Either of both numbers may ask.
const WAITING: &str = "select u.id, u.phone_change from auth.users u \
    where (u.phone = $1 or u.phone_change = $1) and u.phone_change <> '' and u.deleted_at is null limit 1";

/// An SMS that is asked for.
pub(super) struct SmsWish<'a> {
    /// `signup`, `sms`, `phone_change`, `reauthentication`
    pub(super) kind: &'a str,
    pub(super) phone: &'a str,
    /// Whose number it is, or is to be; otherwise that of whoever has it.
    pub(super) account: Option<Uuid>,
    pub(super) channel: &'static str,
    pub(super) may_create: bool,
    /// Metadata as JSON.
    pub(super) data: &'a str,
}

impl<'a> SmsWish<'a> {
    /// For an account that there is.
    pub(super) fn to(kind: &'a str, phone: &'a str, account: Option<Uuid>) -> Self {
        Self {
            kind,
            phone,
            account,
            channel: "sms",
            may_create: false,
            data: "{}",
        }
    }
}

/// A number in the form in which it is kept: digits as E.164 has them, without the plus sign.
pub(super) fn phone(text: &str) -> Result<String, AuthError> {
    let digits: String = text.trim().trim_start_matches('+').replace(' ', "");
    let is_number = (2..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(digits).ok_or(AuthError::Invalid(
        "Invalid phone number format (E.164 required)",
    ))
}

/// How a code is to reach a telephone: whoever sends it is told.
pub(super) fn channel(text: Option<&str>) -> Result<&'static str, AuthError> {
    match text {
        None | Some("" | "sms") => Ok("sms"),
        Some("whatsapp") => Ok("whatsapp"),
        Some(_) => Err(AuthError::Invalid(
            "Invalid channel, supported values are 'sms' or 'whatsapp'",
        )),
    }
}

impl Exchange<'_> {
    /// Refuses what cannot be done without SMS.
    pub(super) fn need_sms(&self) -> Result<(), AuthError> {
        if self.ready.settings.has_sms {
            return Ok(());
        }
        Err(AuthError::PhoneDisabled)
    }

    pub(super) async fn sign_up_by_phone(
        &mut self,
        number: &str,
        password: String,
        wanted: Option<&str>,
        data: String,
    ) -> Result<HttpResponse, AuthError> {
        let settings = &self.ready.settings;
        if !settings.allows_phones() {
            return Err(AuthError::PhoneDisabled);
        }
        let (phone, channel) = (phone(number)?, channel(wanted)?);
        let hash = self.state.shared.hasher.hash(password).await?;
        let candidate = Candidate {
            phone: Some(&phone),
            hash: Some(&hash),
            data: &data,
            is_confirmed: settings.phone_autoconfirm,
            ..Candidate::default()
        };
        match self.create(candidate).await? {
            Created::Confirmed(id) => self.open(&id, "password").await,
            Created::Nothing => {
                self.admit_sms(&phone).await?;
                let params = vec![text(&phone), text(data)];
                let account = self.state.read(STRANGER, params).await?;
                Ok(grant::account(account.text(0, 0).unwrap_or_default()))
            }
            Created::Unconfirmed(account) => {
                let wish = SmsWish {
                    channel,
                    ..SmsWish::to("signup", &phone, None)
                };
                let (sent, _) = self.request_sms(wish).await?;
                Ok(grant::account(sent.text(0, 1).unwrap_or(&account)))
            }
        }
    }

    pub(super) async fn otp_by_phone(
        &mut self,
        number: &str,
        wanted: Option<&str>,
        may_create: bool,
        data: String,
    ) -> Result<HttpResponse, AuthError> {
        self.need_sms()?;
        let (phone, channel) = (phone(number)?, channel(wanted)?);
        if may_create {
            let newcomer = Newcomer {
                phone: Some(&phone),
                way: Some("phone"),
                data: &data,
                ..Newcomer::default()
            };
            self.announce(newcomer).await?;
        }
        let wish = SmsWish {
            channel,
            may_create,
            data: &data,
            ..SmsWish::to("sms", &phone, None)
        };
        let (_, id) = self.request_sms(wish).await?;
        Ok(HttpResponse::Ok().json(json!({ "message_id": id })))
    }

    /// Has an SMS sent once more.
    pub(super) async fn resend_sms(
        &mut self,
        kind: &str,
        number: &str,
    ) -> Result<HttpResponse, AuthError> {
        self.need_sms()?;
        let asked = phone(number)?;
        let id = if kind == "sms" {
            self.request_sms(SmsWish::to("signup", &asked, None))
                .await?
                .1
        } else {
            let found = self.state.read(WAITING, vec![text(&asked)]).await?;
            let row = found.rows().next();
            let waiting = row.and_then(|row| Some((row.text(0)?.parse().ok()?, row.text(1)?)));
            if let Some((account, wanted)) = waiting {
                let wish = SmsWish::to("phone_change", wanted, Some(account));
                self.request_sms(wish).await?.1
            } else {
                self.admit_sms(&asked).await?;
                random_id()?
            }
        };
        Ok(HttpResponse::Ok().json(json!({ "message_id": id })))
    }

    /// Has an SMS sent, if there is an account that may have it. The id is that which whoever sends it is told.
    pub(super) async fn request_sms(
        &mut self,
        wish: SmsWish<'_>,
    ) -> Result<(ResultSet, Uuid), AuthError> {
        self.need_sms()?;
        self.admit_sms(wish.phone).await?;
        let token = random_id()?;
        let params = vec![
            text(wish.kind),
            text(wish.phone),
            optional(wish.account.map(|account| account.to_string())),
            text(token.to_string()),
            text(digest_of(&self.ready.one_time.link(token))),
            text(wish.channel),
            flag(wish.may_create),
            text(wish.data),
            optional(self.language()),
            optional(self.address()),
        ];
        Ok((self.state.write(REQUEST, params).await?, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_channels() {
        assert_eq!(phone("+33 1 23 45 67 89").unwrap(), "33123456789");
        for text in ["", "0123", "12a", "1", "1234567890123456"] {
            assert!(phone(text).is_err(), "{text}");
        }
        assert_eq!(channel(None).unwrap(), "sms");
        assert_eq!(channel(Some("whatsapp")).unwrap(), "whatsapp");
        assert!(channel(Some("pigeon")).is_err());
    }
}
