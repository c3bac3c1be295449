//! `POST /signup`

use super::email;
use super::otp::Wish;
use crate::database::{flag, optional, text};
use crate::error::AuthError;
use crate::exchange::Exchange;
use crate::grant::{self, Grant, Session};
use crate::hook::Newcomer;
use crate::password::{PasswordRules, Weakness};
use crate::request::{SignUp, given, metadata};
use actix_web::HttpResponse;

const SIGN_UP: &str = "select verdict, account_id, account \
    from passerelle.sign_up($1, $2, $3, $4::pg_catalog.jsonb, $5::bool, $6)";
const STRANGER: &str = "select passerelle.stranger($1, $2::pg_catalog.jsonb)";
const OPEN: &str = "select session_id, counter, claims, account \
    from passerelle.open_session($1::uuid, $2, $3, $4, $5::bool)";

impl Exchange<'_> {
    pub(crate) async fn sign_up(&mut self) -> Result<HttpResponse, AuthError> {
        let request: SignUp = self.json().await?;
        let settings = &self.ready.settings;
        if !settings.allows_sign_up {
            return Err(AuthError::SignUpDisabled);
        }
        let data = metadata(request.data, 0)?;
        let (address, phone) = match (given(request.email), given(request.phone)) {
            (None, None) => return self.sign_up_anonymously(data).await,
            (Some(_), Some(_)) => {
                return Err(AuthError::Invalid(
                    "Only an email address or phone number should be provided on signup.",
                ));
            }
            one => one,
        };
        let Some(password) = given(request.password) else {
            return Err(AuthError::Invalid("Signup requires a valid password"));
        };
        PasswordRules::check_length(&password)?;
        if let Some(weakness) = settings.passwords.weakness(&password) {
            return Err(AuthError::WeakPassword(weakness));
        }
        if let Some(phone) = phone {
            let channel = request.channel.as_deref();
            return self.sign_up_by_phone(&phone, password, channel, data).await;
        }
        let address = email(&address.unwrap_or_default())?;
        let hash = self.state.shared.hasher.hash(password).await?;
        let candidate = Candidate {
            email: Some(&address),
            hash: Some(&hash),
            data: &data,
            is_confirmed: settings.autoconfirm,
            ..Candidate::default()
        };
        let account = match self.create(candidate).await? {
            Created::Confirmed(id) => return self.open(&id, "password").await,
            Created::Unconfirmed(account) => account,
            // Nobody learns that there is such an account.
            Created::Nothing => return self.respond_as_to_a_stranger(&address, data).await,
        };
        if !settings.has_mail {
            // An administrator may confirm it.
            return Ok(grant::account(&account));
        }
        let wish = Wish {
            kind: "signup",
            email: &address,
            challenge: request.challenge,
            may_create: false,
            data: "{}".to_owned(),
        };
        self.admit_mail(&address).await?;
        let sent = self.request_mail(wish).await?;
        Ok(grant::account(sent.text(0, 1).unwrap_or(&account)))
    }

    async fn sign_up_anonymously(&mut self, data: String) -> Result<HttpResponse, AuthError> {
        if !self.ready.settings.allows_anonymous {
            return Err(AuthError::AnonymousDisabled);
        }
        let candidate = Candidate {
            data: &data,
            is_confirmed: true,
            ..Candidate::default()
        };
        match self.create(candidate).await? {
            Created::Confirmed(id) => self.open(&id, "anonymous").await,
            Created::Unconfirmed(_) | Created::Nothing => Err(AuthError::Answer("no account")),
        }
    }

    async fn respond_as_to_a_stranger(
        &mut self,
        address: &str,
        data: String,
    ) -> Result<HttpResponse, AuthError> {
        self.admit_mail(address).await?;
        let params = vec![text(address), text(data)];
        let account = self.state.read(STRANGER, params).await?;
        Ok(grant::account(account.text(0, 0).unwrap_or_default()))
    }

    pub(super) async fn create(&self, candidate: Candidate<'_>) -> Result<Created, AuthError> {
        let is_confirmed = candidate.is_confirmed;
        let way = candidate.email.and(Some("email"));
        self.announce(Newcomer {
            email: candidate.email,
            phone: candidate.phone,
            way: way.or(candidate.phone.and(Some("phone"))),
            data: candidate.data,
            ..Newcomer::default()
        })
        .await?;
        let params = vec![
            optional(candidate.email),
            optional(candidate.phone),
            optional(candidate.hash),
            text(candidate.data),
            flag(is_confirmed),
            optional(self.address()),
        ];
        let result = self.state.write(SIGN_UP, params).await?;
        let id = || result.text(0, 1).map(str::to_owned);
        let account = || result.text(0, 2).map(str::to_owned);
        let created = match result.text(0, 0) {
            Some("exists") if !is_confirmed => Some(Created::Nothing),
            Some("exists") => return Err(AuthError::UserExists),
            // Nothing is known of who asks, so that an account which waits stays as it is.
            Some("unconfirmed") if is_confirmed => return Err(AuthError::UserExists),
            Some("created") if is_confirmed => id().map(Created::Confirmed),
            Some(_) => account().map(Created::Unconfirmed),
            None => None,
        };
        created.ok_or(AuthError::Answer("no verdict"))
    }

    /// Signs an account in.
    pub(super) async fn open(
        &self,
        account: &str,
        method: &str,
    ) -> Result<HttpResponse, AuthError> {
        let session = self.session(account, method, None).await?;
        Ok(HttpResponse::Ok().json(session))
    }

    /// The session of an account that signs in. What is weak about its password is told.
    pub(super) async fn session(
        &self,
        account: &str,
        method: &str,
        weak: Option<&Weakness>,
    ) -> Result<Session, AuthError> {
        let is_single = self.ready.settings.sessions.is_single;
        let params = vec![
            text(account),
            text(method),
            optional(self.agent()),
            optional(self.address()),
            flag(is_single),
        ];
        let result = self.state.write(OPEN, params).await?;
        if is_single {
            self.state.shared.ended.settle().await;
        }
        self.issue(&Grant::read(&result, 0)?, method, weak).await
    }
}

/// An account that somebody wants; anonymous without an address and a number.
#[derive(Clone, Copy, Default)]
pub(super) struct Candidate<'a> {
    pub(super) email: Option<&'a str>,
    pub(super) phone: Option<&'a str>,
    pub(super) hash: Option<&'a str>,
    /// Metadata as JSON.
    pub(super) data: &'a str,
    /// Whether it may sign in at once.
    pub(super) is_confirmed: bool,
}

/// An account that was created.
pub(super) enum Created {
    /// It may sign in; its id.
    Confirmed(String),
    /// It waits for its address to be confirmed.
    Unconfirmed(String),
    /// There was one, which stays as it is.
    Nothing,
}
