//! Whether a caller has made too many requests.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use passerelle_identity::{Principal, bearer_token};
use passerelle_surface::{Quota, RouteClass};

use crate::handler::APIKEY;
use crate::settings::{CredentialKind, RestSettings};
use crate::state::RestState;

/// What is left to the caller after this request; nothing is said where nothing limits it.
pub(crate) async fn quota(
    state: &RestState,
    settings: &RestSettings,
    request: &HttpRequest,
    principal: Option<&Principal>,
) -> Option<Quota> {
    let (gate, limits) = (state.gate.as_ref()?, settings.rate_limits.as_ref()?);
    let caller = limits.caller(request, principal, credential(settings, request))?;
    let class = class(request, &settings.prefix);
    Some(gate.admit(limits, class, &caller).await)
}

/// What decided who the caller is.
fn credential<'r>(settings: &RestSettings, request: &'r HttpRequest) -> Option<&'r [u8]> {
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    let bearer = header(AUTHORIZATION).and_then(bearer_token);
    match settings.credentials {
        CredentialKind::Bearer => bearer,
        CredentialKind::ApiKey => bearer.or_else(|| header(APIKEY)),
    }
}

fn class(request: &HttpRequest, prefix: &str) -> RouteClass {
    let path = request.uri().path().strip_prefix(prefix);
    if path.is_some_and(|path| path.starts_with("/rpc/")) {
        return RouteClass::Rpc;
    }
    match *request.method() {
        Method::POST | Method::PATCH | Method::PUT | Method::DELETE => RouteClass::Write,
        _ => RouteClass::Read,
    }
}
