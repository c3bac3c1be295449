//! What is there, for programs that look.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use serde_json::{Map, json};

use crate::exchange::Exchange;

impl Exchange<'_> {
    pub(crate) fn health() -> HttpResponse {
        HttpResponse::Ok().json(json!({
            "name": "Passerelle",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Passerelle signs users in",
        }))
    }

    /// Which ways to sign in there are.
    pub(crate) fn settings(&self) -> HttpResponse {
        let settings = &self.ready.settings;
        let mut external = Map::new();
        external.insert("email".to_owned(), true.into());
        external.insert("phone".to_owned(), settings.allows_phones().into());
        external.insert(
            "anonymous_users".to_owned(),
            settings.allows_anonymous.into(),
        );
        external.extend(
            settings
                .providers
                .iter()
                .map(|one| (one.name.clone(), true.into())),
        );
        HttpResponse::Ok().json(json!({
            "external": external,
            "disable_signup": !settings.allows_sign_up,
            "mailer_autoconfirm": settings.autoconfirm,
            "phone_autoconfirm": settings.phone_autoconfirm,
            "sms_provider": if settings.has_sms { "hook" } else { "" },
            "saml_enabled": false,
            "passkeys_enabled": false,
        }))
    }

    /// Public keys of access tokens; a shared secret has none.
    pub(crate) fn keys(&self) -> HttpResponse {
        let keys = &self.ready.settings.public_keys;
        let mut response = HttpResponse::Ok().json(json!({ "keys": keys }));
        let cache = HeaderValue::from_static("public, max-age=600");
        response.headers_mut().insert(CACHE_CONTROL, cache);
        response
    }
}
