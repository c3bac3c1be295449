//! The caller once known: a role and its claims.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

/// Who a request runs as. Cloning costs one reference count.
#[derive(Clone, PartialEq)]
pub struct Principal(Arc<Inner>);

#[derive(PartialEq)]
struct Inner {
    role: Arc<str>,
    claims_json: Arc<str>,
    claims: Map<String, Value>,
    credential: Credential,
    anonymous: bool,
    session: Option<Uuid>,
}

/// What the caller proved itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Nothing: the request had no credential.
    None,
    /// A configured opaque API key.
    ApiKey,
    /// A signed token.
    Token,
}

impl Principal {
    pub(crate) fn new(
        role: Arc<str>,
        claims_json: Arc<str>,
        claims: Map<String, Value>,
        credential: Credential,
        anon_role: Option<&str>,
    ) -> Self {
        let anonymous = anon_role == Some(&*role);
        let session = claims.get("session_id").and_then(Value::as_str);
        let session = session.and_then(|id| Uuid::parse_str(id).ok());
        Self(Arc::new(Inner {
            role,
            claims_json,
            claims,
            credential,
            anonymous,
            session,
        }))
    }

    /// A principal known by role alone, whose claims are `{"role": role}`.
    pub(crate) fn of_role(role: Arc<str>, credential: Credential, anon_role: Option<&str>) -> Self {
        let claims = Map::from_iter([("role".to_owned(), Value::from(&*role))]);
        let claims_json = Value::Object(claims.clone()).to_string().into();
        Self::new(role, claims_json, claims, credential, anon_role)
    }

    /// The database role to run as.
    pub fn role(&self) -> &Arc<str> {
        &self.0.role
    }

    /// The JSON text for the setting `request.jwt.claims`: the claims with `role` in them.
    pub fn claims_json(&self) -> &Arc<str> {
        &self.0.claims_json
    }

    /// One top-level claim as the token had it.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.0.claims.get(name)
    }

    /// The `sub` claim: the signed-in user's id.
    pub fn subject(&self) -> Option<&str> {
        self.claim("sub").and_then(Value::as_str)
    }

    /// The `session_id` claim of a signed-in user's token.
    pub fn session_id(&self) -> Option<&str> {
        self.claim("session_id").and_then(Value::as_str)
    }

    /// The same as an id, if it is one.
    pub fn session(&self) -> Option<Uuid> {
        self.0.session
    }

    /// What the caller proved itself with.
    pub fn credential(&self) -> Credential {
        self.0.credential
    }

    /// Whether the role is the configured anonymous one, whichever way the caller came to it. A
    /// refusal by the database is then a 401 and not a 403.
    pub fn is_anonymous(&self) -> bool {
        self.0.anonymous
    }
}

/// Shows the role only: claims are personal.
impl fmt::Debug for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Principal")
            .field("role", &self.0.role)
            .field("credential", &self.0.credential)
            .finish_non_exhaustive()
    }
}
