//! `/user`: what one may know and change of oneself.

use actix_web::HttpResponse;
use passerelle_wire::ResultSet;
use serde_json::{Value, json};
use uuid::Uuid;

use super::email;
use super::phone::{SmsWish, channel, phone};
use super::verify::BY_ADDRESS;
use crate::database::{flag, optional, text};
use crate::error::AuthError;
use crate::exchange::{Exchange, SignedIn};
use crate::grant;
use crate::one_time::{digest_of, random_id};
use crate::password::{Checked, PasswordRules};
use crate::request::{Challenge, UserUpdate, given, metadata};

const ACCOUNT: &str = "select passerelle.account(u), \
    $2::uuid is null or exists (select from auth.sessions s where s.id = $2::uuid and s.user_id = u.id), \
    u.encrypted_password, nullif(u.email, ''), nullif(u.phone, ''), u.is_anonymous, \
    exists (select from auth.mfa_factors f where f.user_id = u.id and f.status = 'verified'), \
    exists (select from auth.users o where o.email = $3 and o.id <> u.id and not o.is_sso_user), \
    exists (select from auth.users o where o.phone = $4 and o.id <> u.id), \
    pg_catalog.octet_length(u.raw_user_meta_data::text), \
    (select s.created_at > pg_catalog.now() - interval '1 day' from auth.sessions s where s.id = $2::uuid), \
    exists (select from auth.mfa_amr_claims a where a.session_id = $2::uuid and a.authentication_method in ('otp', 'magiclink', 'recovery')) \
    from auth.users u where u.id = $1::uuid and u.deleted_at is null";
const REAUTHENTICATE: &str = "select passerelle.reauthenticate($1::uuid, $2::uuid)";
const CHANGE_PHONE: &str = "select passerelle.change_phone($1::uuid, $2, $3)";
const CHANGE: &str = "select passerelle.request_email_change($1::uuid, $2, $3::uuid, $4, $5::uuid, $6, $7, $8, $9, $10::bool, \
    $11, $12)";
/// Either of both addresses may ask.
const WAITING: &str = "select u.id, u.email_change from auth.users u \
    where (u.email = $1 or u.email_change = $1) and u.email_change <> '' and not u.is_sso_user and u.deleted_at is null limit 1";
/// A password that is changed ends all other sessions, as Supabase Auth does it.
const UPDATE: &str = "with changed as ( \
      update auth.users u set \
        encrypted_password = coalesce($3, u.encrypted_password), \
        raw_user_meta_data = (coalesce(u.raw_user_meta_data, '{}') || coalesce(( \
          select pg_catalog.jsonb_object_agg(d.key, d.value) from pg_catalog.jsonb_each($4::pg_catalog.jsonb) d \
          where d.value <> 'null'), '{}')) \
          - coalesce((select pg_catalog.array_agg(d.key) from pg_catalog.jsonb_each($4::pg_catalog.jsonb) d \
            where d.value = 'null'), '{}'), \
        email = coalesce($5, u.email), \
        email_confirmed_at = case when $5 is null then u.email_confirmed_at else pg_catalog.clock_timestamp() end, \
        raw_app_meta_data = case when $5 is null then u.raw_app_meta_data else \
          coalesce(u.raw_app_meta_data, '{}') || '{\"provider\": \"email\", \"providers\": [\"email\"]}' end, \
        is_anonymous = u.is_anonymous and $5 is null, \
        updated_at = pg_catalog.clock_timestamp() \
      where u.id = $1::uuid returning u.*), \
    signed_out as (delete from auth.sessions s \
      where s.user_id = $1::uuid and s.id is distinct from $2::uuid and $3 is not null returning s.id), \
    identified as (insert into auth.identities \
      (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at) \
      select c.id::text, c.id, pg_catalog.jsonb_build_object('sub', c.id, 'email', $5::text, 'email_verified', false), \
        'email', pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp() \
      from changed c where $5 is not null \
      on conflict (provider_id, provider) do nothing returning id), \
    noted as (select passerelle.note_action(c, case when $3 is null then 'user_modified' else 'user_updated_password' end, \
      'user', $6) from changed c) \
    select (select pg_catalog.count(*) from changed), (select pg_catalog.count(*) from signed_out), \
      (select pg_catalog.count(*) from identified), (select pg_catalog.count(*) from noted)";

/// An address and a number that somebody wants.
#[derive(Clone, Copy, Default)]
pub(super) struct Wanted<'a> {
    pub(super) email: Option<&'a str>,
    pub(super) phone: Option<&'a str>,
}

/// One's own account, as [`Exchange::account_of`] finds it.
#[expect(clippy::struct_excessive_bools, reason = "each is a column of its own")]
pub(super) struct Own<'a> {
    /// As clients see it.
    pub(super) told: &'a str,
    hash: Option<&'a str>,
    pub(super) email: Option<&'a str>,
    pub(super) phone: Option<&'a str>,
    is_anonymous: bool,
    has_factor: bool,
    /// Others have what is wanted.
    is_email_taken: bool,
    is_phone_taken: bool,
    /// Bytes.
    metadata: usize,
    /// The session began within a day.
    is_session_new: bool,
    /// It began with a code or a link, as when a password was forgotten.
    is_recovery: bool,
}

impl<'a> Own<'a> {
    pub(super) fn read(found: &'a ResultSet) -> Self {
        let is = |column| found.text(0, column) == Some("t");
        let bytes = found.text(0, 9).and_then(|bytes| bytes.parse().ok());
        Self {
            told: found.text(0, 0).unwrap_or_default(),
            hash: found.text(0, 2).filter(|hash| !hash.is_empty()),
            email: found.text(0, 3),
            phone: found.text(0, 4),
            is_anonymous: is(5),
            has_factor: is(6),
            is_email_taken: is(7),
            is_phone_taken: is(8),
            metadata: bytes.unwrap_or(0),
            is_session_new: is(10),
            is_recovery: is(11),
        }
    }
}

impl Own<'_> {
    /// Refuses what the account may not become.
    fn refuse(
        &self,
        wanted: Wanted<'_>,
        has_password: bool,
        is_aal2: bool,
    ) -> Result<(), AuthError> {
        let has_address = wanted.email.is_some() || wanted.phone.is_some();
        if self.has_factor && !is_aal2 && (has_password || has_address) {
            return Err(AuthError::LowLevel);
        }
        if wanted.email.is_some() && self.is_email_taken {
            return Err(AuthError::EmailExists);
        }
        if wanted.phone.is_some() && self.is_phone_taken {
            return Err(AuthError::PhoneExists);
        }
        if self.is_anonymous && has_password && !has_address {
            return Err(AuthError::Invalid(
                "Updating password of an anonymous user without an email or phone is not allowed",
            ));
        }
        Ok(())
    }
}

impl Exchange<'_> {
    pub(crate) async fn user(&mut self) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let found = self.account_of(&who, Wanted::default()).await?;
        Ok(grant::account(Own::read(&found).told))
    }

    /// The account of somebody whose session goes on, to be read as [`Own`].
    pub(super) async fn account_of(
        &self,
        who: &SignedIn,
        wanted: Wanted<'_>,
    ) -> Result<ResultSet, AuthError> {
        let params = vec![
            text(who.user.to_string()),
            optional(who.session.map(|session| session.to_string())),
            optional(wanted.email),
            optional(wanted.phone),
        ];
        let found = self.state.read(ACCOUNT, params).await?;
        match found.text(0, 1) {
            None => Err(AuthError::NoUser),
            Some("t") => Ok(found),
            Some(_) => Err(AuthError::NoSession),
        }
    }

    pub(crate) async fn update_user(&mut self) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let request: UserUpdate = self.json().await?;
        if request.app_metadata.is_some() {
            return Err(AuthError::NotAdmin);
        }
        let email = given(request.email).map(|text| email(&text)).transpose()?;
        let number = given(request.phone).map(|text| phone(&text)).transpose()?;
        let channel = channel(request.channel.as_deref())?;
        let settings = &self.ready.settings;
        if number.is_some() && !settings.allows_phones() {
            return Err(AuthError::PhoneDisabled);
        }
        let password = given(request.password);
        if let Some(password) = &password {
            PasswordRules::check_length(password)?;
            if let Some(weakness) = settings.passwords.weakness(password) {
                return Err(AuthError::WeakPassword(weakness));
            }
        }
        let wanted = Wanted {
            email: email.as_deref(),
            phone: number.as_deref(),
        };
        let found = self.account_of(&who, wanted).await?;
        let own = Own::read(&found);
        let data = metadata(request.data, own.metadata)?;
        let wanted = Wanted {
            email: wanted.email.filter(|email| own.email != Some(email)),
            phone: wanted.phone.filter(|phone| own.phone != Some(phone)),
        };
        let level = who.principal.claim("aal").and_then(Value::as_str);
        own.refuse(wanted, password.is_some(), level == Some("aal2"))?;
        // Whoever was anonymous may be taken at their word; otherwise the new address is asked.
        let (confirmed, to_confirm) = if own.is_anonymous && settings.autoconfirm {
            (wanted.email, None)
        } else {
            (None, wanted.email)
        };
        if let Some(to_confirm) = to_confirm {
            self.need_mail()?;
            self.admit_mail(to_confirm).await?;
        }
        if wanted.phone.is_some() && !settings.phone_autoconfirm {
            self.need_sms()?;
        }
        let hash = match password {
            None => None,
            Some(password) => {
                let (nonce, current) = (given(request.nonce), given(request.current_password));
                self.check_change(&who, &own, nonce, current).await?;
                let hasher = &self.state.shared.hasher;
                if let Some(known) = own.hash
                    && let Checked::Right { .. } =
                        hasher.check(password.clone(), known.to_owned()).await?
                {
                    return Err(AuthError::SamePassword);
                }
                Some(hasher.hash(password).await?)
            }
        };
        let signs_out = hash.is_some();
        let params = vec![
            text(who.user.to_string()),
            optional(who.session.map(|session| session.to_string())),
            optional(hash),
            text(data),
            optional(confirmed),
            optional(self.address()),
        ];
        self.state.write(UPDATE, params).await?;
        if let Some(to_confirm) = to_confirm {
            self.request_email_change(who.user, to_confirm, &request.challenge)
                .await?;
        }
        if let Some(phone) = wanted.phone {
            self.change_phone(who.user, phone, channel).await?;
        }
        if signs_out {
            self.state.shared.ended.settle().await;
        }
        let found = self.account_of(&who, Wanted::default()).await?;
        Ok(grant::account(Own::read(&found).told))
    }

    /// Whether somebody may change their password, as far as the settings ask for more than a session.
    async fn check_change(
        &mut self,
        who: &SignedIn,
        own: &Own<'_>,
        nonce: Option<String>,
        current: Option<String>,
    ) -> Result<(), AuthError> {
        let settings = &self.ready.settings;
        if settings.secure_password_change && !own.is_session_new {
            let nonce = nonce.ok_or(AuthError::ReauthenticationNeeded)?;
            let sent_to = own.email.or(own.phone).unwrap_or_default();
            self.admit_guess(&format!("code {sent_to}")).await?;
            let ids = self
                .tokens(BY_ADDRESS, sent_to, "{reauthentication_token}")
                .await?;
            let token = ids
                .into_iter()
                .find(|id| self.ready.one_time.is_code(*id, &nonce));
            let token = token.ok_or(AuthError::ReauthenticationNotValid)?;
            let params = vec![text(who.user.to_string()), text(token.to_string())];
            let answer = self.state.write(REAUTHENTICATE, params).await?;
            if answer.text(0, 0) != Some("t") {
                return Err(AuthError::ReauthenticationNotValid);
            }
        }
        if settings.current_password_required
            && !own.is_recovery
            && let Some(known) = own.hash
        {
            let Some(current) = current else {
                return Err(AuthError::CurrentPassword { given: false });
            };
            self.admit_password(own.email.or(own.phone).unwrap_or_default())
                .await?;
            let hasher = &self.state.shared.hasher;
            let checked = hasher.check(current, known.to_owned()).await?;
            if !matches!(checked, Checked::Right { .. }) {
                return Err(AuthError::CurrentPassword { given: true });
            }
        }
        Ok(())
    }

    /// Gives an account another number, or has it confirmed first.
    async fn change_phone(
        &mut self,
        user: Uuid,
        phone: &str,
        channel: &'static str,
    ) -> Result<(), AuthError> {
        if !self.ready.settings.phone_autoconfirm {
            let wish = SmsWish {
                channel,
                ..SmsWish::to("phone_change", phone, Some(user))
            };
            self.request_sms(wish).await?;
            return Ok(());
        }
        let params = vec![
            text(user.to_string()),
            text(phone),
            optional(self.address()),
        ];
        let changed = self.state.write(CHANGE_PHONE, params).await?;
        match changed.text(0, 0) {
            Some("changed") => Ok(()),
            _ => Err(AuthError::PhoneExists),
        }
    }

    /// Has another address confirmed; by the one that it takes the place of, too.
    async fn request_email_change(
        &self,
        user: Uuid,
        wanted: &str,
        challenge: &Challenge,
    ) -> Result<(), AuthError> {
        let (first, second) = (random_id()?, random_id()?);
        let digest = |token| digest_of(&self.ready.one_time.link(token));
        let (challenge, method) = challenge.read()?;
        let params = vec![
            text(user.to_string()),
            text(wanted),
            text(first.to_string()),
            text(digest(first)),
            text(second.to_string()),
            text(digest(second)),
            optional(challenge),
            optional(method),
            optional(self.parameter("redirect_to")),
            flag(self.ready.settings.confirms_twice),
            optional(self.language()),
            optional(self.address()),
        ];
        self.state.write(CHANGE, params).await?;
        Ok(())
    }

    /// Has the mails of a change sent once more, if the account waits for one.
    pub(super) async fn resend_email_change(
        &mut self,
        address: Option<String>,
    ) -> Result<HttpResponse, AuthError> {
        self.need_mail()?;
        let address = email(&address.unwrap_or_default())?;
        self.admit_mail(&address).await?;
        let found = self.state.read(WAITING, vec![text(&address)]).await?;
        if let Some(row) = found.rows().next()
            && let (Some(user), Some(wanted)) = (row.text(0), row.text(1))
        {
            let user = Uuid::parse_str(user).map_err(|_| AuthError::Answer("no id"))?;
            self.request_email_change(user, wanted, &Challenge::default())
                .await?;
        }
        Ok(HttpResponse::Ok().json(json!({})))
    }
}
