//! What is there, for programs that look.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use serde_json::json;

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
        HttpResponse::Ok().json(json!({
            "external": {
                "email": true,
                "phone": false,
                "anonymous_users": settings.allows_anonymous,
            },
            "disable_signup": !settings.allows_sign_up,
            "mailer_autoconfirm": settings.autoconfirm,
            "phone_autoconfirm": false,
            "sms_provider": "",
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
