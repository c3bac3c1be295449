//! `/user`: what one may know and change of oneself.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use uuid::Uuid;

use super::email;
use crate::database::{flag, optional, text};
use crate::error::AuthError;
use crate::exchange::{Exchange, SignedIn};
use crate::grant;
use crate::one_time::{digest_of, random_id};
use crate::password::{Checked, PasswordRules};
use crate::request::{Challenge, UserUpdate, given, metadata};

const ACCOUNT: &str = "select passerelle.account(u), \
    $2::uuid is null or exists (select from auth.sessions s where s.id = $2::uuid and s.user_id = u.id), \
    u.encrypted_password, u.email, u.is_anonymous, \
    exists (select from auth.mfa_factors f where f.user_id = u.id and f.status = 'verified'), \
    exists (select from auth.users o where o.email = $3 and o.id <> u.id and not o.is_sso_user), \
    pg_catalog.octet_length(u.raw_user_meta_data::text) \
    from auth.users u where u.id = $1::uuid and u.deleted_at is null";
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

impl Exchange<'_> {
    pub(crate) async fn user(&mut self) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        let found = self.account_of(&who, None).await?;
        Ok(grant::account(found.text(0, 0).unwrap_or_default()))
    }

    /// The account of somebody whose session goes on.
    pub(super) async fn account_of(
        &self,
        who: &SignedIn,
        wanted: Option<&str>,
    ) -> Result<passerelle_wire::ResultSet, AuthError> {
        let params = vec![
            text(who.user.to_string()),
            optional(who.session.map(|session| session.to_string())),
            optional(wanted),
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
        if given(request.phone).is_some() {
            return Err(AuthError::PhoneDisabled);
        }
        let wanted = given(request.email).map(|text| email(&text)).transpose()?;
        let password = given(request.password);
        let rules = &self.ready.settings.passwords;
        if let Some(password) = &password {
            PasswordRules::check_length(password)?;
            if let Some(weakness) = rules.weakness(password) {
                return Err(AuthError::WeakPassword(weakness));
            }
        }
        let found = self.account_of(&who, wanted.as_deref()).await?;
        let kept = found
            .text(0, 7)
            .and_then(|bytes| bytes.parse().ok())
            .unwrap_or(0);
        let data = metadata(request.data, kept)?;
        let is = |column| found.text(0, column) == Some("t");
        let (is_anonymous, has_factor, is_taken) = (is(4), is(5), is(6));
        let wanted = wanted.filter(|wanted| found.text(0, 3) != Some(wanted));
        let level = who.principal.claim("aal").and_then(Value::as_str);
        if has_factor && level != Some("aal2") && (password.is_some() || wanted.is_some()) {
            return Err(AuthError::LowLevel);
        }
        if wanted.is_some() && is_taken {
            return Err(AuthError::EmailExists);
        }
        if is_anonymous && password.is_some() && wanted.is_none() {
            return Err(AuthError::Invalid(
                "Updating password of an anonymous user without an email or phone is not allowed",
            ));
        }
        // Whoever was anonymous may be taken at their word; otherwise the new address is asked.
        let (confirmed, to_confirm) = if is_anonymous && self.ready.settings.autoconfirm {
            (wanted, None)
        } else {
            (None, wanted)
        };
        if let Some(to_confirm) = &to_confirm {
            self.need_mail()?;
            self.admit_mail(to_confirm).await?;
        }
        let hash = match password {
            None => None,
            Some(password) => {
                let known = found.text(0, 2).filter(|hash| !hash.is_empty());
                let hasher = &self.state.shared.hasher;
                if let Some(known) = known
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
        if let Some(to_confirm) = &to_confirm {
            self.request_email_change(who.user, to_confirm, &request.challenge)
                .await?;
        }
        if signs_out {
            self.state.shared.ended.settle().await;
        }
        let found = self.account_of(&who, None).await?;
        Ok(grant::account(found.text(0, 0).unwrap_or_default()))
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
