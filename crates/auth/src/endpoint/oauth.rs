//! `/authorize`, `/callback`: a browser signs in at a provider and comes back. And ID tokens, which an app has got by itself.
//!
//! The state that travels through the provider is the id of a flow, authenticated together with a cookie: only the browser that went
//! away can come back with it, and only once.
//!
//! Who wants another identity asks from the application, whose origin may be another, so that no cookie comes along: with PKCE they
//! get a ticket, which the browser brings here by itself, and the identity is linked when the code is exchanged, by whoever can
//! answer the challenge. Nobody is lured into linking theirs to the account of somebody else.

use actix_web::HttpResponse;
use actix_web::cookie::{Cookie, SameSite, time::Duration as Age};
use actix_web::http::StatusCode;
use passerelle_pg::chain;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::send_on;
use crate::database::{flag, optional, text};
use crate::error::AuthError;
use crate::exchange::Exchange;
use crate::hook::Newcomer;
use crate::one_time::{digest_of, random_id};
use crate::provider::{Person, Provider};
use crate::redirect::{encoded, with_fragment, with_query};
use crate::request::{Challenge, IdTokenGrant, given, metadata};

const COOKIE: &str = "passerelle-oauth";

const BEGIN: &str = "insert into auth.flow_state (id, provider_type, code_challenge, code_challenge_method, created_at, updated_at, \
      authentication_method, referrer, linking_target_id) \
    values ($1::uuid, $2, $3, $4::auth.code_challenge_method, pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp(), $7, $5, $6::uuid)";
/// Whoever changes the row goes on with it; nobody comes back twice.
const RETURN: &str = "update auth.flow_state f set updated_at = pg_catalog.clock_timestamp(), authentication_method = 'oauth_returned' \
    where f.id = $1::uuid and f.authentication_method = 'oauth' and f.created_at > pg_catalog.now() - interval '10 minutes' \
    returning f.provider_type, f.code_challenge, f.referrer, f.linking_target_id";
const FINISH: &str = "update auth.flow_state f set user_id = $2::uuid, auth_code = $3, auth_code_issued_at = pg_catalog.clock_timestamp(), \
      authentication_method = 'oauth', provider_access_token = $4, provider_refresh_token = $5 \
    where f.id = $1::uuid and f.authentication_method = 'oauth_returned'";
const FINISH_LINK: &str = "update auth.flow_state f set user_id = f.linking_target_id, auth_code = $2, \
      auth_code_issued_at = pg_catalog.clock_timestamp(), authentication_method = 'oauth', provider_access_token = $3, \
      provider_refresh_token = $4 \
    where f.id = $1::uuid and f.authentication_method = 'oauth_returned'";
/// A ticket is good once.
const USE_TICKET: &str = "update auth.flow_state f set updated_at = pg_catalog.clock_timestamp(), authentication_method = 'oauth' \
    where f.id = $1::uuid and f.authentication_method = 'oauth_ticket' and f.created_at > pg_catalog.now() - interval '10 minutes' \
    returning f.provider_type";
/// What tickets are bound to instead of a browser.
const TICKET: &str = "ticket";
const FORGET: &str = "delete from auth.flow_state f where f.id = $1::uuid";
const SIGN_IN: &str = "select verdict, account_id \
    from passerelle.sign_in_with($1, $2, $3::pg_catalog.jsonb, $4, $5::bool, $6::bool, $7::uuid, $8)";
const UNLINK: &str = "select passerelle.unlink_identity($1::uuid, $2::uuid, $3)";

/// Bytes of a field of a form that is taken along.
const LONGEST_FIELD: usize = 4096;
/// What a client may tell the provider.
const FURTHER: [&str; 5] = ["scopes", "prompt", "login_hint", "access_type", "hd"];

/// What waits, sealed, until a code is exchanged.
#[derive(Serialize, Deserialize)]
struct Waiting {
    person: Person,
    access_token: Option<String>,
}

/// A flow whose browser has come back.
struct Returned {
    id: Uuid,
    provider: String,
    is_challenged: bool,
    target: String,
    link_to: Option<String>,
}

impl Exchange<'_> {
    pub(crate) async fn authorize(&mut self) -> Result<HttpResponse, AuthError> {
        if let Some(ticket) = self.parameter("ticket") {
            return self.use_ticket(&ticket).await;
        }
        let provider = self.parameter("provider").unwrap_or_default();
        let secret = random_id()?.to_string();
        let (flow, _) = self.begin(&provider, None).await?;
        self.go(&provider, flow, secret).await
    }

    /// A browser brings the ticket of somebody who wants another identity.
    async fn use_ticket(&mut self, ticket: &str) -> Result<HttpResponse, AuthError> {
        let flow = self.ready.one_time.flow_of(ticket, TICKET);
        let flow = flow.ok_or(AuthError::BadState)?;
        let params = vec![text(flow.to_string())];
        let used = self.state.write(USE_TICKET, params).await?;
        let provider = used.text(0, 0).ok_or(AuthError::BadState)?;
        self.go(provider, flow, random_id()?.to_string()).await
    }

    /// The same for somebody who has signed in and wants another way to.
    pub(crate) async fn link_identity(&mut self) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        if !self.ready.settings.allows_linking {
            return Err(AuthError::LinkingDisabled);
        }
        let provider = self.parameter("provider").unwrap_or_default();
        let (flow, is_challenged) = self.begin(&provider, Some(who.user)).await?;
        if !is_challenged {
            return self.go(&provider, flow, random_id()?.to_string()).await;
        }
        let ticket = self.ready.one_time.state(flow, TICKET);
        let further = FURTHER.map(|name| (name, self.parameter(name)));
        let mut pairs = vec![("ticket", ticket.as_str())];
        pairs.extend(
            further
                .iter()
                .filter_map(|(name, value)| Some((*name, value.as_deref()?))),
        );
        let here = format!("{}/authorize", self.ready.settings.issuer);
        let url = with_query(&here, &pairs);
        Ok(HttpResponse::Ok().json(json!({ "url": url })))
    }

    /// Notes a flow, and whether it ends with a code.
    async fn begin(
        &mut self,
        name: &str,
        link_to: Option<Uuid>,
    ) -> Result<(Uuid, bool), AuthError> {
        // What is not there is refused before a row is.
        self.ready.provider(name)?;
        let challenge = Challenge::of(
            self.parameter("code_challenge"),
            self.parameter("code_challenge_method"),
        );
        let (challenge, method) = challenge.read()?;
        let flow = random_id()?;
        let by_ticket = link_to.is_some() && challenge.is_some();
        let params = vec![
            text(flow.to_string()),
            text(name),
            optional(challenge),
            optional(method),
            optional(self.parameter("redirect_to")),
            optional(link_to.map(|user| user.to_string())),
            text(if by_ticket { "oauth_ticket" } else { "oauth" }),
        ];
        self.state.write(BEGIN, params).await?;
        Ok((flow, challenge.is_some()))
    }

    /// Sends a browser to the provider; it is known by the secret when it comes back.
    async fn go(
        &mut self,
        name: &str,
        flow: Uuid,
        secret: String,
    ) -> Result<HttpResponse, AuthError> {
        let provider = self.ready.provider(name)?;
        let endpoint = provider.authorization_endpoint().await?;
        let one_time = &self.ready.one_time;
        let callback = format!("{}/callback", self.ready.settings.issuer);
        let asked = self.parameter("scopes").unwrap_or_default();
        let scopes = format!("{} {asked}", provider.settings.scopes);
        let scopes = scopes.split_whitespace().collect::<Vec<_>>().join(" ");
        let (state, nonce) = (one_time.state(flow, &secret), one_time.nonce(flow));
        let verifier = crate::one_time::challenge_of(&one_time.verifier(flow));
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", provider.settings.client_id.as_str()),
            ("redirect_uri", &callback),
            ("scope", &scopes),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &verifier),
            ("code_challenge_method", "S256"),
        ];
        if provider.settings.returns_by_form {
            pairs.push(("response_mode", "form_post"));
        }
        let further = FURTHER.map(|name| (name, self.parameter(name)));
        pairs.extend(
            further
                .iter()
                .filter(|(name, _)| *name != "scopes")
                .filter_map(|(name, value)| Some((*name, value.as_deref()?))),
        );
        let url = with_query(&endpoint, &pairs);
        let mut cookie = self.browser_cookie(secret);
        cookie.set_max_age(Age::minutes(10));
        let mut response = if self.parameter("skip_http_redirect").as_deref() == Some("true") {
            HttpResponse::Ok().json(json!({ "url": url }))
        } else {
            send_on(StatusCode::FOUND, &url)?
        };
        response
            .add_cookie(&cookie)
            .map_err(|_| AuthError::Answer("no cookie"))?;
        Ok(response)
    }

    /// What the browser is known by when it comes back.
    fn browser_cookie(&self, secret: String) -> Cookie<'static> {
        let settings = &self.ready.settings;
        Cookie::build(COOKIE, secret)
            .path(format!("{}/callback", settings.prefix))
            .http_only(true)
            .secure(settings.issuer.starts_with("https://"))
            .same_site(SameSite::Lax)
            .finish()
    }

    /// A provider has sent the browser back with a form. Cookies come along only when the browser follows a link, so it is made to.
    pub(crate) async fn callback_by_form(&mut self) -> Result<HttpResponse, AuthError> {
        let form = self.form().await?;
        let known = ["state", "code", "user", "error", "error_description"];
        let known: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, value)| known.contains(name) && value.len() <= LONGEST_FIELD)
            .collect();
        let callback = format!("{}/callback", self.ready.settings.issuer);
        send_on(StatusCode::SEE_OTHER, &with_query(&callback, &known))
    }

    pub(crate) async fn callback(&mut self) -> Result<HttpResponse, AuthError> {
        let returned = match self.returned().await {
            Ok(returned) => returned,
            Err(error) => return self.land(None, Err(error)),
        };
        let landing = self.come_back(&returned).await;
        let forgotten = landing.is_err() || !returned.is_challenged;
        if forgotten {
            self.state
                .write(FORGET, vec![text(returned.id.to_string())])
                .await?;
        }
        self.land(Some(&returned.target), landing)
    }

    /// The flow that a browser has come back from.
    async fn returned(&self) -> Result<Returned, AuthError> {
        let state = self.parameter("state").unwrap_or_default();
        let secret = self.cookie(COOKIE).ok_or(AuthError::BadState)?;
        let id = self
            .ready
            .one_time
            .flow_of(&state, &secret)
            .ok_or(AuthError::BadState)?;
        let found = self.state.write(RETURN, vec![text(id.to_string())]).await?;
        let row = found.rows().next().ok_or(AuthError::BadState)?;
        Ok(Returned {
            id,
            provider: row.text(0).unwrap_or_default().to_owned(),
            is_challenged: row.text(1).is_some(),
            target: self.ready.settings.redirects.target(row.text(2)),
            link_to: row.text(3).map(str::to_owned),
        })
    }

    /// Where the browser goes from here.
    async fn come_back(&mut self, flow: &Returned) -> Result<String, AuthError> {
        if let Some(error) = self.parameter("error") {
            let description = self.parameter("error_description").unwrap_or(error);
            return Err(AuthError::ProviderRefused(description));
        }
        let code = given(self.parameter("code")).ok_or(AuthError::BadCallback)?;
        let provider = self.ready.provider(&flow.provider)?;
        let one_time = &self.ready.one_time;
        let callback = format!("{}/callback", self.ready.settings.issuer);
        let tokens = provider
            .exchange(&code, &one_time.verifier(flow.id), &callback)
            .await?;
        let mut person = provider
            .person(&tokens, &one_time.nonce(flow.id), self.now())
            .await?;
        if provider.settings.returns_by_form
            && let Some(user) = self.parameter("user")
        {
            person.introduce(&user);
        }
        if flow.is_challenged && flow.link_to.is_some() {
            let waiting = Waiting {
                person,
                access_token: tokens.access_token,
            };
            let waiting =
                serde_json::to_string(&waiting).map_err(|_| AuthError::Answer("no JSON"))?;
            let code = one_time.flow_code(flow.id);
            let params = vec![
                text(flow.id.to_string()),
                text(digest_of(&code)),
                optional(self.sealed(Some(waiting), flow.id)),
                optional(self.sealed(tokens.refresh_token, flow.id)),
            ];
            self.state.write(FINISH_LINK, params).await?;
            return Ok(with_query(&flow.target, &[("code", &code)]));
        }
        let account = self
            .account_at(provider, person, flow.link_to.as_deref())
            .await?;
        if flow.is_challenged {
            let code = one_time.flow_code(flow.id);
            let params = vec![
                text(flow.id.to_string()),
                text(account),
                text(digest_of(&code)),
                optional(self.sealed(tokens.access_token, flow.id)),
                optional(self.sealed(tokens.refresh_token, flow.id)),
            ];
            self.state.write(FINISH, params).await?;
            return Ok(with_query(&flow.target, &[("code", &code)]));
        }
        let session = self.session(&account, "oauth", None).await?;
        let of_provider = [
            ("provider_token", tokens.access_token),
            ("provider_refresh_token", tokens.refresh_token),
        ];
        let of_provider = of_provider.into_iter();
        let mut pairs = session.pairs();
        pairs.extend(of_provider.filter_map(|(name, token)| Some((name, token?))));
        Ok(with_fragment(&flow.target, &pairs))
    }

    /// Links the identity that has waited for its code; the access token at the provider.
    pub(super) async fn link_at_last(
        &self,
        provider: &str,
        waiting: &str,
        account: &str,
    ) -> Result<Option<String>, AuthError> {
        let waiting: Waiting =
            serde_json::from_str(waiting).map_err(|_| AuthError::FlowNotFound)?;
        let provider = self.ready.provider(provider)?;
        self.account_at(provider, waiting.person, Some(account))
            .await?;
        Ok(waiting.access_token)
    }

    /// What waits in the database for the code to come back.
    fn sealed(&self, token: Option<String>, flow: Uuid) -> Option<String> {
        self.ready.seals.seal(token?.as_bytes(), &flow.to_string())
    }

    fn land(
        &self,
        target: Option<&str>,
        landing: Result<String, AuthError>,
    ) -> Result<HttpResponse, AuthError> {
        let url = match landing {
            Ok(url) => url,
            Err(error) => {
                if let AuthError::Provider(cause) = &error {
                    let cause = chain(cause);
                    tracing::warn!(cause, "nobody could sign in at a provider");
                }
                let pairs = error.for_browsers()?;
                let site = self.ready.settings.redirects.target(target);
                // Clients look into the query with PKCE, into the fragment without.
                format!("{}#{}", with_query(&site, &pairs), encoded(&pairs))
            }
        };
        let mut response = send_on(StatusCode::FOUND, &url)?;
        let mut cookie = self.browser_cookie(String::new());
        cookie.make_removal();
        response
            .add_cookie(&cookie)
            .map_err(|_| AuthError::Answer("no cookie"))?;
        Ok(response)
    }

    /// `POST /token?grant_type=id_token`
    pub(crate) async fn id_token_grant(&mut self) -> Result<HttpResponse, AuthError> {
        let request: IdTokenGrant = self.json().await?;
        let provider = self.ready.provider(&request.provider.unwrap_or_default())?;
        let token = given(request.id_token).ok_or(AuthError::Invalid("id_token required"))?;
        // Apps send the nonce, and its digest to the provider.
        let nonce = given(request.nonce).map(|nonce| digest_of(&nonce));
        let person = provider
            .read_id_token(&token, nonce.as_deref(), self.now())
            .await?;
        let link_to = match request.link_identity {
            Some(true) => Some(self.signed_in().await?.user.to_string()),
            _ => None,
        };
        if link_to.is_some() && !self.ready.settings.allows_linking {
            return Err(AuthError::LinkingDisabled);
        }
        let account = self
            .account_at(provider, person, link_to.as_deref())
            .await?;
        self.open(&account, "oauth").await
    }

    /// The account of somebody at a provider.
    async fn account_at(
        &self,
        provider: &Provider,
        person: Person,
        link_to: Option<&str>,
    ) -> Result<String, AuthError> {
        let settings = &self.ready.settings;
        let data = metadata(Some(person.data), 0)?;
        if link_to.is_none() && settings.allows_sign_up && person.is_verified {
            self.announce(Newcomer {
                email: person.email.as_deref(),
                way: Some(&provider.settings.name),
                subject: Some(&person.subject),
                data: &data,
                ..Newcomer::default()
            })
            .await?;
        }
        let params = vec![
            text(&provider.settings.name),
            text(person.subject),
            text(data),
            optional(person.email),
            flag(person.is_verified),
            flag(settings.allows_sign_up),
            optional(link_to),
            optional(self.address()),
        ];
        let result = self.state.write(SIGN_IN, params).await?;
        match result.text(0, 0) {
            Some("found" | "known") => {
                let account = result.text(0, 1).ok_or(AuthError::Answer("no account"))?;
                Ok(account.to_owned())
            }
            Some("taken") => Err(AuthError::IdentityExists),
            Some("no_email") => Err(AuthError::NoEmailAtProvider),
            Some("unverified") => Err(AuthError::EmailNotVerifiedAtProvider),
            Some("disabled") => Err(AuthError::SignUpDisabled),
            Some("banned") => Err(AuthError::Banned { refreshing: false }),
            Some("gone") => Err(AuthError::NoUser),
            _ => Err(AuthError::Answer("no verdict")),
        }
    }

    pub(crate) async fn unlink_identity(&mut self, id: &str) -> Result<HttpResponse, AuthError> {
        let who = self.signed_in().await?;
        if !self.ready.settings.allows_linking {
            return Err(AuthError::LinkingDisabled);
        }
        let id = Uuid::parse_str(id).map_err(|_| AuthError::NoSuchId)?;
        let params = vec![
            text(who.user.to_string()),
            text(id.to_string()),
            optional(self.address()),
        ];
        let result = self.state.write(UNLINK, params).await?;
        match result.text(0, 0) {
            Some("unlinked") => Ok(HttpResponse::Ok().json(json!({}))),
            Some("last") => Err(AuthError::LastIdentity),
            _ => Err(AuthError::IdentityNotFound),
        }
    }
}
