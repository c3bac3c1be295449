//! From request to response.

use std::sync::Arc;

use actix_web::http::header::{
    ACCEPT_LANGUAGE, AUTHORIZATION, CACHE_CONTROL, HeaderName, HeaderValue, USER_AGENT,
};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use passerelle_identity::{Principal, UnixTime, bearer_token};
use passerelle_pg::chain;
use passerelle_store::Verdict;
use passerelle_surface::{
    Quota, RateCaller, RequestId, RouteClass, Service, Shape, Trace, X_REQUEST_ID, body,
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::{API_VERSION, AuthError, X_API_VERSION};
use crate::route::{Found, Route};
use crate::state::{AuthState, Ready};

const APIKEY: HeaderName = HeaderName::from_static("apikey");

/// Answers a request.
pub(crate) async fn handle(
    request: &HttpRequest,
    payload: web::Payload,
    state: &AuthState,
) -> HttpResponse {
    let ready = state.ready();
    let mut exchange = Exchange {
        request,
        payload: Some(payload),
        state,
        ready: &ready,
        quota: None,
        role: None,
    };
    let answer = exchange.answer().await;
    exchange.finish(answer)
}

/// One request on its way.
pub(crate) struct Exchange<'a> {
    request: &'a HttpRequest,
    payload: Option<web::Payload>,
    pub(crate) state: &'a AuthState,
    pub(crate) ready: &'a Ready,
    quota: Option<Quota>,
    role: Option<Arc<str>>,
}

/// Somebody who has signed in.
pub(crate) struct SignedIn {
    pub(crate) user: Uuid,
    /// Absent in tokens that others have made.
    pub(crate) session: Option<Uuid>,
    pub(crate) principal: Principal,
}

impl Exchange<'_> {
    async fn answer(&mut self) -> Result<HttpResponse, AuthError> {
        let path = self.request.uri().path();
        let path = path.strip_prefix(self.ready.settings.prefix.as_str());
        let method = self.request.method().as_str();
        let (route, [id, further]) = match path.map(|path| Route::find(method, path)) {
            Some(Found::Route(route, ids)) => (route, ids.map(str::to_owned)),
            Some(Found::OtherMethod) => return Err(AuthError::Method),
            Some(Found::Nothing) | None => return Err(AuthError::NoRoute),
        };
        self.admit(route.class()).await?;
        if route.is_for_administrators() {
            self.administrator()?;
        }
        match route {
            Route::Health => Ok(Self::health()),
            Route::Settings => Ok(self.settings()),
            Route::Keys => Ok(self.keys()),
            Route::SignUp => self.sign_up().await,
            Route::Token => self.token().await,
            Route::Otp => self.otp("magiclink").await,
            Route::Recover => self.otp("recovery").await,
            Route::Resend => self.resend().await,
            Route::Reauthenticate => self.reauthenticate().await,
            Route::Verify => self.verify().await,
            Route::FollowLink => self.follow_link().await,
            Route::User => self.user().await,
            Route::UpdateUser => self.update_user().await,
            Route::SignOut => self.sign_out().await,
            Route::ListSessions => self.list_sessions().await,
            Route::Invite => self.invite().await,
            Route::ListUsers => self.list_users().await,
            Route::CreateUser => self.create_user().await,
            Route::FindUser => self.find_user(&id).await,
            Route::ChangeUser => self.change_user(&id).await,
            Route::DeleteUser => self.delete_user(&id).await,
            Route::Authorize => self.authorize().await,
            Route::CallbackByForm => self.callback_by_form().await,
            Route::Callback => self.callback().await,
            Route::SingleSignOn => Err(AuthError::SamlDisabled),
            Route::LinkIdentity => self.link_identity().await,
            Route::UnlinkIdentity => self.unlink_identity(&id).await,
            Route::Enroll => self.enroll().await,
            Route::Challenge => self.challenge(&id).await,
            Route::VerifyFactor => self.verify_factor(&id).await,
            Route::Unenroll => self.unenroll(&id).await,
            Route::ListFactors => self.list_factors(&id).await,
            Route::DeleteFactor => self.delete_factor(&id, &further).await,
            Route::MakeLink => self.make_link().await,
            Route::EndSession => self.end_session(&id).await,
        }
    }

    /// Counts the request. Who signs in is not known, so that addresses are counted there.
    pub(crate) async fn admit(&mut self, class: RouteClass) -> Result<(), AuthError> {
        let (Some(gate), Some(limits)) = (&self.state.gate, &self.ready.settings.rate_limits)
        else {
            return Ok(());
        };
        let principal = match class {
            RouteClass::SignIn | RouteClass::Refresh => None,
            _ => self.principal().ok(),
        };
        let credential = self
            .header(&AUTHORIZATION)
            .and_then(|value| bearer_token(value.as_bytes()));
        let Some(caller) = limits.caller(self.request, principal.as_ref(), credential) else {
            return Ok(());
        };
        let quota = gate.admit(limits, class, &caller).await;
        self.hold_to(quota)
    }

    /// Counts a password that is tried at an account. It counts by address, so that nobody locks others out.
    pub(crate) async fn admit_password(&mut self, account: &str) -> Result<(), AuthError> {
        let address = self.address().unwrap_or_default();
        self.admit_guess(&format!("{account} {address}")).await
    }

    /// Counts a guess at a secret that is too short to be guessed at from many addresses.
    pub(crate) async fn admit_guess(&mut self, secret: &str) -> Result<(), AuthError> {
        let (Some(gate), Some(limits)) = (&self.state.gate, &self.ready.settings.rate_limits)
        else {
            return Ok(());
        };
        let caller = RateCaller::Key(secret.as_bytes());
        let quota = gate.admit(limits, RouteClass::Attempt, &caller).await;
        if quota.verdict() == Verdict::Limited {
            return self.hold_to(quota);
        }
        Ok(())
    }

    /// Refuses what cannot be done without mail.
    pub(crate) fn need_mail(&self) -> Result<(), AuthError> {
        if self.ready.settings.has_mail {
            return Ok(());
        }
        Err(AuthError::Missing(
            "No mail can be sent: it is not configured",
        ))
    }

    /// Counts a mail to an address, whether or not it is going to be sent.
    pub(crate) async fn admit_mail(&mut self, email: &str) -> Result<(), AuthError> {
        let (Some(gate), Some(limits)) = (&self.state.gate, &self.ready.settings.rate_limits)
        else {
            return Ok(());
        };
        let caller = RateCaller::Key(email.as_bytes());
        let quota = gate.admit(limits, RouteClass::Mail, &caller).await;
        if quota.verdict() == Verdict::Limited {
            let limited = quota.error();
            self.quota = Some(quota);
            return Err(AuthError::MailLimited(Box::new(limited)));
        }
        Ok(())
    }

    /// Counts an SMS to a number, whether or not it is going to be sent.
    pub(crate) async fn admit_sms(&mut self, phone: &str) -> Result<(), AuthError> {
        match self.admit_mail(phone).await {
            Err(AuthError::MailLimited(limited)) => Err(AuthError::SmsLimited(limited)),
            other => other,
        }
    }

    fn hold_to(&mut self, quota: Quota) -> Result<(), AuthError> {
        let limited = (quota.verdict() == Verdict::Limited)
            .then(|| AuthError::RateLimited(Box::new(quota.error())));
        self.quota = Some(quota);
        limited.map_or(Ok(()), Err)
    }

    fn finish(&self, answer: Result<HttpResponse, AuthError>) -> HttpResponse {
        let request_id = RequestId::accept(self.header(&X_REQUEST_ID));
        let version = self.header(&X_API_VERSION);
        let version = version.and_then(|version| version.to_str().ok());
        // Dates sort as text does.
        let is_versioned = version.is_some_and(|version| version >= API_VERSION);
        let mut response = answer.unwrap_or_else(|error| {
            if error.is_internal(&request_id) {
                let request_id = request_id.as_str();
                tracing::error!(request_id, error = chain(&error), "request failed");
            }
            error.response(&request_id, is_versioned)
        });
        let headers = response.headers_mut();
        if is_versioned {
            headers.insert(X_API_VERSION, HeaderValue::from_static(API_VERSION));
        }
        if !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if let Some(quota) = &self.quota {
            quota.decorate(headers);
        }
        let shape = if self.request.method() == "GET" {
            Shape::Read
        } else {
            Shape::Write
        };
        response.extensions_mut().insert(Trace {
            service: Service::Auth,
            shape,
            role: self.role.clone(),
            stages: passerelle_surface::Stages::default(),
            request_id: Some(request_id),
        });
        response
    }

    pub(crate) fn now(&self) -> UnixTime {
        (self.state.shared.clock)()
    }

    fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.request.headers().get(name)
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let query = web::Query::<Vec<(String, String)>>::from_query(self.request.query_string());
        let pairs = query.ok()?.into_inner();
        pairs
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// A cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let cookie = self.request.cookie(name)?;
        Some(cookie.value().to_owned())
    }

    /// The program that asks, as it calls itself.
    pub(crate) fn agent(&self) -> Option<&str> {
        self.header(&USER_AGENT)
            .and_then(|value| value.to_str().ok())
    }

    /// The languages that the client wants.
    pub(crate) fn language(&self) -> Option<&str> {
        self.header(&ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
    }

    /// The address that the request comes from.
    pub(crate) fn address(&self) -> Option<String> {
        let peer = self.request.peer_addr()?.ip();
        let proxies = &self.ready.settings.trusted_proxies;
        let client = proxies.client(peer, self.request.headers());
        Some(client.to_canonical().to_string())
    }

    /// The body.
    pub(crate) async fn json<T: DeserializeOwned + Default>(&mut self) -> Result<T, AuthError> {
        let bytes = self.body().await?;
        if bytes.is_empty() {
            return Ok(T::default());
        }
        serde_json::from_slice(&bytes).map_err(AuthError::Json)
    }

    /// The body as that of a form, in which browsers bring what a provider sends with them.
    pub(crate) async fn form(&mut self) -> Result<Vec<(String, String)>, AuthError> {
        let bytes = self.body().await?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let form = web::Query::<Vec<(String, String)>>::from_query(text);
        Ok(form.map_err(|_| AuthError::BadCallback)?.into_inner())
    }

    async fn body(&mut self) -> Result<Bytes, AuthError> {
        let payload = self
            .payload
            .take()
            .ok_or(AuthError::Answer("the body is gone"))?;
        let limit = self.ready.settings.http_limits.body_bytes.min(MOST);
        Ok(body::read(payload, self.request.headers(), limit, body::PATIENCE).await?)
    }

    fn principal(&self) -> Result<Principal, AuthError> {
        let header = |name| self.header(name).map(HeaderValue::as_bytes);
        let verifier = &self.ready.settings.verifier;
        Ok(verifier.authenticate(header(&APIKEY), header(&AUTHORIZATION), self.now())?)
    }

    /// Who asks, by a token in `Authorization`: a key in `apikey` alone is not enough.
    fn bearer(&mut self) -> Result<Principal, AuthError> {
        let bearer = self.header(&AUTHORIZATION);
        let bearer = bearer.and_then(|value| bearer_token(value.as_bytes()));
        if bearer.is_none_or(<[u8]>::is_empty) {
            return Err(AuthError::NoToken);
        }
        let principal = self.principal()?;
        self.role = Some(Arc::clone(principal.role()));
        Ok(principal)
    }

    /// Whether the caller may do everything.
    fn administrator(&mut self) -> Result<(), AuthError> {
        let principal = self.bearer()?;
        match &**principal.role() {
            "service_role" | "supabase_admin" => Ok(()),
            _ => Err(AuthError::NotAllowed),
        }
    }

    /// Who has signed in, by a token in `Authorization`.
    pub(crate) async fn signed_in(&mut self) -> Result<SignedIn, AuthError> {
        let principal = self.bearer()?;
        let id = |text: Option<&str>| text.and_then(|text| Uuid::parse_str(text).ok());
        let user = id(principal.subject()).ok_or(AuthError::NoSubject)?;
        if let Some(session) = principal.session() {
            self.state.shared.ended.check(session).await?;
        }
        Ok(SignedIn {
            user,
            session: principal.session(),
            principal,
        })
    }
}

/// No request of this surface needs more.
const MOST: u64 = 1024 * 1024;
