//! Providers of identities: OpenID Connect (Core 1.0, Discovery 1.0) by its issuer, and GitHub.

use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_identity::{IdentitySettings, Principal, Secret, UnixTime, Verifier};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::sync::Mutex;

/// How long a provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long what a provider says of itself is believed.
const KEPT: Duration = Duration::from_mins(10);
/// How soon it is asked again for a key that is not known.
const AGAIN: Duration = Duration::from_secs(10);
/// How long those who come to a provider that did not answer are told so at once.
const AWAY: Duration = Duration::from_secs(3);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 256 * 1024;

/// One provider.
#[derive(Clone)]
pub struct ProviderSettings {
    /// Its name in `signInWithOAuth({ provider })`.
    pub name: String,
    /// What it is.
    pub kind: ProviderKind,
    /// The name of this application there.
    pub client_id: String,
    /// Names of other applications whose ID tokens are taken.
    pub other_client_ids: Vec<String>,
    /// The secret of this application there.
    pub client_secret: Secret,
    /// What is asked for, separated by blanks.
    pub scopes: String,
    /// Whether browsers come back from it with a form, as Apple has it where it is asked for a name.
    pub returns_by_form: bool,
}

/// What a provider is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// One of OpenID Connect.
    OpenId {
        /// `https://accounts.google.com`
        issuer: String,
    },
    /// GitHub, or a server of its kind.
    GitHub {
        /// `https://github.com`
        site: String,
        /// `https://api.github.com`
        api: String,
    },
}

/// Why a provider is of no use.
#[derive(Debug, Error)]
pub(crate) enum ProviderError {
    #[error("the provider cannot be reached or does not answer as it should")]
    Http(#[from] reqwest::Error),
    #[error("the provider answers with status {0}")]
    Status(u16),
    #[error("the provider's answer is not understood: {0}")]
    Answer(&'static str),
    #[error("the ID token is no good: {0}")]
    Token(&'static str),
}

/// Somebody at a provider.
#[derive(Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    pub(crate) is_verified: bool,
    /// What the provider says besides.
    pub(crate) data: Map<String, Value>,
}

impl Person {
    /// Takes the name that a browser has brought: Apple tells it the first time, and the browser alone.
    pub(crate) fn introduce(&mut self, user: &str) {
        let user: Value = serde_json::from_str(user).unwrap_or_default();
        let names = ["firstName", "lastName"].map(|name| user["name"][name].as_str());
        let full: Vec<&str> = names.into_iter().flatten().collect();
        if !full.is_empty() && full.iter().map(|name| name.len()).sum::<usize>() < 500 {
            for name in ["name", "full_name"] {
                self.data
                    .entry(name)
                    .or_insert_with(|| full.join(" ").into());
            }
        }
    }
}

/// What a provider gave for a code.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "these are the names of RFC 6749")]
pub(crate) struct Tokens {
    pub(crate) access_token: Option<String>,
    pub(crate) refresh_token: Option<String>,
    id_token: Option<String>,
}

/// A provider, with what it has said of itself.
pub(crate) struct Provider {
    pub(crate) settings: ProviderSettings,
    http: reqwest::Client,
    known: Mutex<Memory>,
}

/// What a provider has said of itself, and when it last did not answer.
#[derive(Default)]
struct Memory {
    known: Option<Known>,
    failed: Option<Instant>,
}

#[derive(Clone)]
struct Known {
    since: Instant,
    authorization: String,
    token: String,
    keys: Arc<Verifier>,
}

/// The part of a discovery document that matters here.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

impl std::fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderSettings")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Provider {
    pub(crate) fn new(settings: ProviderSettings) -> Option<Self> {
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("Passerelle");
        Some(Self {
            settings,
            http: http.build().ok()?,
            known: Mutex::default(),
        })
    }

    /// Where a browser signs in.
    pub(crate) async fn authorization_endpoint(&self) -> Result<String, ProviderError> {
        match &self.settings.kind {
            ProviderKind::OpenId { issuer } => Ok(self.known(issuer, None).await?.authorization),
            ProviderKind::GitHub { site, .. } => Ok(format!("{site}/login/oauth/authorize")),
        }
    }

    /// What there is for a code that a browser has brought.
    pub(crate) async fn exchange(
        &self,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<Tokens, ProviderError> {
        let endpoint = match &self.settings.kind {
            ProviderKind::OpenId { issuer } => self.known(issuer, None).await?.token,
            ProviderKind::GitHub { site, .. } => format!("{site}/login/oauth/access_token"),
        };
        let secret = String::from_utf8_lossy(self.settings.client_secret.expose());
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("client_id", &self.settings.client_id),
            ("client_secret", &secret),
            ("code_verifier", verifier),
        ];
        let body = crate::redirect::encoded(&form);
        let request = self
            .http
            .post(endpoint)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(body);
        let answer = read(request).await?;
        serde_json::from_slice(&answer).map_err(|_| ProviderError::Answer("no tokens"))
    }

    /// Who has signed in there. The token is of this sign-in if it has its nonce.
    pub(crate) async fn person(
        &self,
        tokens: &Tokens,
        nonce: &str,
        now: UnixTime,
    ) -> Result<Person, ProviderError> {
        match &self.settings.kind {
            ProviderKind::OpenId { .. } => {
                let token = tokens.id_token.as_deref();
                let token = token.ok_or(ProviderError::Answer("no ID token"))?;
                self.read_id_token(token, Some(nonce), now).await
            }
            ProviderKind::GitHub { api, .. } => {
                let token = tokens.access_token.as_deref();
                let token = token.ok_or(ProviderError::Answer("no access token"))?;
                self.github(api, token).await
            }
        }
    }

    /// Reads an ID token (OpenID Connect Core 1.0, section 3.1.3.7). One with a nonce needs it.
    pub(crate) async fn read_id_token(
        &self,
        token: &str,
        nonce: Option<&str>,
        now: UnixTime,
    ) -> Result<Person, ProviderError> {
        let ProviderKind::OpenId { issuer } = &self.settings.kind else {
            return Err(ProviderError::Token("this provider issues none"));
        };
        let known = self.known(issuer, None).await?;
        let principal = if let Ok(principal) = known.keys.verify(token.as_bytes(), now) {
            principal
        } else {
            // It may have been signed with a key that is new.
            let known = self.known(issuer, Some(AGAIN)).await?;
            let verified = known.keys.verify(token.as_bytes(), now);
            verified.map_err(|_| ProviderError::Token("its signature or its time is wrong"))?
        };
        let text = |name| principal.claim(name).and_then(Value::as_str);
        if text("iss").map(|iss| iss.trim_end_matches('/')) != Some(issuer.trim_end_matches('/')) {
            return Err(ProviderError::Token("it is of another issuer"));
        }
        if !self.is_for_us(&principal) {
            return Err(ProviderError::Token("it is for another audience"));
        }
        if principal.claim("exp").is_none() {
            return Err(ProviderError::Token("it does not expire"));
        }
        if nonce.is_some_and(|nonce| text("nonce") != Some(nonce))
            || (nonce.is_none() && text("nonce").is_some())
        {
            return Err(ProviderError::Token("its nonce is another"));
        }
        let subject = text("sub").filter(|subject| !subject.is_empty());
        let subject = subject
            .ok_or(ProviderError::Token("it names nobody"))?
            .to_owned();
        let is_verified = match principal.claim("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            // Apple writes a text.
            Some(Value::String(verified)) => verified == "true",
            _ => false,
        };
        let mut data = Map::new();
        for name in [
            "iss",
            "name",
            "given_name",
            "family_name",
            "preferred_username",
            "locale",
            "email",
        ] {
            if let Some(value) = principal.claim(name) {
                data.insert(name.to_owned(), value.clone());
            }
        }
        if let Some(name) = text("name") {
            data.insert("full_name".to_owned(), name.into());
        }
        if let Some(picture) = text("picture") {
            data.insert("avatar_url".to_owned(), picture.into());
            data.insert("picture".to_owned(), picture.into());
        }
        let email = text("email").map(str::to_owned);
        Ok(Person {
            subject,
            email,
            is_verified,
            data,
        })
    }

    fn is_for_us(&self, principal: &Principal) -> bool {
        let settings = &self.settings;
        let is_ours = |audience: &Value| {
            let audience = audience.as_str().unwrap_or_default();
            audience == settings.client_id
                || settings
                    .other_client_ids
                    .iter()
                    .any(|other| other == audience)
        };
        match principal.claim("aud") {
            Some(Value::Array(all)) => {
                let party = principal.claim("azp");
                all.iter().any(is_ours) && (all.len() == 1 || party.is_some_and(is_ours))
            }
            Some(one) => is_ours(one),
            None => false,
        }
    }

    async fn github(&self, api: &str, token: &str) -> Result<Person, ProviderError> {
        let get = async |path: &str| {
            let request = self
                .http
                .get(format!("{api}{path}"))
                .bearer_auth(token)
                .header("accept", "application/json");
            let answer = read(request).await?;
            serde_json::from_slice::<Value>(&answer).map_err(|_| ProviderError::Answer("no JSON"))
        };
        let (user, emails) = (get("/user").await?, get("/user/emails").await?);
        let id = user["id"].as_i64().ok_or(ProviderError::Answer("no id"))?;
        let primary = emails.as_array().into_iter().flatten();
        let primary = primary.into_iter().find(|one| one["primary"] == true);
        let text = |name: &str| user[name].as_str().map(Value::from);
        let mut data = Map::new();
        data.insert("iss".to_owned(), api.into());
        for (name, value) in [
            ("name", text("name")),
            ("full_name", text("name")),
            ("user_name", text("login")),
            ("preferred_username", text("login")),
            ("avatar_url", text("avatar_url")),
            ("email", primary.map(|one| one["email"].clone())),
        ] {
            data.extend(value.map(|value| (name.to_owned(), value)));
        }
        Ok(Person {
            subject: id.to_string(),
            email: primary
                .and_then(|one| one["email"].as_str())
                .map(str::to_owned),
            is_verified: primary.is_some_and(|one| one["verified"] == true),
            data,
        })
    }

    /// What the provider says of itself; asked anew when it is older than `newer`.
    async fn known(&self, issuer: &str, newer: Option<Duration>) -> Result<Known, ProviderError> {
        let mut memory = self.known.lock().await;
        if let Some(known) = &memory.known
            && known.since.elapsed() < newer.unwrap_or(KEPT)
        {
            return Ok(known.clone());
        }
        // Who has waited for somebody else's question does not ask it again.
        if memory.failed.is_some_and(|at| at.elapsed() < AWAY) {
            return Err(ProviderError::Answer("it did not answer a moment ago"));
        }
        let fresh = self.discover(issuer).await;
        memory.failed = fresh.is_err().then(Instant::now);
        let fresh = fresh?;
        memory.known = Some(fresh.clone());
        Ok(fresh)
    }

    async fn discover(&self, issuer: &str) -> Result<Known, ProviderError> {
        let issuer = issuer.trim_end_matches('/');
        let url = format!("{issuer}/.well-known/openid-configuration");
        let document = read(self.http.get(url)).await?;
        let document: Document = serde_json::from_slice(&document)
            .map_err(|_| ProviderError::Answer("no discovery document"))?;
        if document.issuer.trim_end_matches('/') != issuer {
            return Err(ProviderError::Answer(
                "the discovery document is of another issuer",
            ));
        }
        let keys = read(self.http.get(&document.jwks_uri)).await?;
        let keys = Verifier::new(&IdentitySettings {
            secret: Some(Secret::from(keys)),
            // Who signs in at a provider has no role here.
            role_claim_key: "$.no_role_of_a_provider".to_owned(),
            anon_role: Some("none".into()),
            cache_max_entries: 0,
            ..IdentitySettings::default()
        });
        Ok(Known {
            since: Instant::now(),
            authorization: document.authorization_endpoint,
            token: document.token_endpoint,
            keys: Arc::new(keys.map_err(|_| ProviderError::Answer("no keys"))?),
        })
    }
}

/// The body of an answer that is a success.
async fn read(request: reqwest::RequestBuilder) -> Result<Vec<u8>, ProviderError> {
    let mut response = request.send().await?;
    if !response.status().is_success() {
        return Err(ProviderError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await? {
        if body.len() + part.len() > LONGEST {
            return Err(ProviderError::Answer("it is too long"));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}
