//! Which of a request's credentials decides.

use std::sync::Arc;

use passerelle_identity::{
    ApiKey, Credential, DecodeError, IdentitySettings, Principal, Secret, TokenError, Verifier,
    bearer_token,
};
use serde_json::json;

use crate::tokens::{NOW, hs256, settings};

const PUBLISHABLE: &str = "sb_publishable_3fQ0vJtqkY";
const SECRET_KEY: &str = "sb_secret_Zt1rW8mXbC";

fn verifier() -> Verifier {
    let key = |text: &str, role: &str| ApiKey {
        key: Secret::from(text),
        role: Arc::from(role),
    };
    let api_keys = vec![key(PUBLISHABLE, "anon"), key(SECRET_KEY, "service_role")];
    Verifier::new(&IdentitySettings {
        api_keys,
        ..settings()
    })
    .unwrap()
}

fn supabase(apikey: Option<&str>, authorization: Option<&str>) -> Result<Principal, TokenError> {
    verifier().authenticate(
        apikey.map(str::as_bytes),
        authorization.map(str::as_bytes),
        NOW,
    )
}

fn role(apikey: Option<&str>, authorization: Option<&str>) -> String {
    supabase(apikey, authorization).unwrap().role().to_string()
}

fn bearer(credential: &str) -> String {
    format!("Bearer {credential}")
}

#[test]
fn no_credential_is_anonymous() {
    assert_eq!(role(None, None), "anon");
    assert_eq!(role(Some(""), None), "anon");
    assert_eq!(role(None, Some("Basic amRvZTpwYXNz")), "anon");
}

#[test]
fn an_opaque_key_stands_for_its_role() {
    let principal = supabase(Some(SECRET_KEY), None).unwrap();
    assert_eq!(&**principal.role(), "service_role");
    assert_eq!(&**principal.claims_json(), r#"{"role":"service_role"}"#);
    assert_eq!(principal.credential(), Credential::ApiKey);
    assert!(!principal.is_anonymous());
    assert!(supabase(Some(PUBLISHABLE), None).unwrap().is_anonymous());
}

#[test]
fn the_client_repeats_its_opaque_key() {
    assert_eq!(role(Some(PUBLISHABLE), Some(&bearer(PUBLISHABLE))), "anon");
    assert_eq!(
        role(Some(SECRET_KEY), Some(&bearer(SECRET_KEY))),
        "service_role"
    );
    assert_eq!(role(None, Some(&bearer(SECRET_KEY))), "service_role");
}

#[test]
fn a_bearer_token_decides_over_the_key() {
    let user = bearer(&hs256(&json!({"role": "authenticated"})));
    assert_eq!(role(Some(PUBLISHABLE), Some(&user)), "authenticated");
    assert_eq!(role(Some(SECRET_KEY), Some(&user)), "authenticated");
    let anon = hs256(&json!({"role": "anon"}));
    assert_eq!(role(Some(&anon), Some(&user)), "authenticated");
}

#[test]
fn a_bad_bearer_token_is_not_rescued_by_the_key() {
    let expired = bearer(&hs256(&json!({"role": "authenticated", "exp": 1})));
    assert_eq!(
        supabase(Some(SECRET_KEY), Some(&expired))
            .unwrap_err()
            .code(),
        "PGRST303"
    );
    let empty = supabase(Some(SECRET_KEY), Some("Bearer "));
    assert_eq!(empty, Err(DecodeError::Empty.into()));
}

#[test]
fn a_key_in_the_form_of_a_token_is_verified() {
    let service = hs256(&json!({"role": "service_role"}));
    assert_eq!(role(Some(&service), None), "service_role");
    assert_eq!(role(Some(&service), Some("Basic eA==")), "service_role");
    let forged = format!("{service}x");
    assert!(matches!(
        supabase(Some(&forged), None),
        Err(TokenError::Decode(_))
    ));
}

#[test]
fn unknown_opaque_keys_are_refused() {
    for key in [
        "sb_secret_",
        "sb_secret_other",
        "x",
        &SECRET_KEY[..8],
        &format!("{SECRET_KEY}x"),
    ] {
        assert_eq!(
            supabase(Some(key), None),
            Err(TokenError::UnknownApiKey),
            "{key}"
        );
        let refused = supabase(Some(PUBLISHABLE), Some(&bearer(key)));
        assert_eq!(refused, Err(TokenError::UnknownApiKey), "{key}");
    }
}

#[test]
fn the_plain_surface_knows_bearer_tokens_only() {
    let verifier = verifier();
    let role = |authorization: &str| {
        let principal = verifier.authenticate_bearer(Some(authorization.as_bytes()), NOW);
        principal.map(|principal| principal.role().to_string())
    };
    let token = hs256(&json!({"role": "author"}));
    for scheme in ["Bearer ", "bearer ", "BEARER ", "Bearer   ", "Bearer\t"] {
        assert_eq!(
            role(&format!("{scheme}{token}")).as_deref(),
            Ok("author"),
            "{scheme:?}"
        );
    }
    assert_eq!(role("Basic amRvZTpwYXNz").as_deref(), Ok("anon"));
    assert_eq!(role("").as_deref(), Ok("anon"));
    assert_eq!(role("Bearer"), Err(DecodeError::Empty.into()));
    assert_eq!(
        role(&bearer(SECRET_KEY)),
        Err(DecodeError::UnexpectedParts(1).into())
    );
    assert_eq!(
        &**verifier.authenticate_bearer(None, NOW).unwrap().role(),
        "anon"
    );
}

#[test]
fn the_bearer_scheme_stands_alone() {
    assert_eq!(bearer_token(b"Bearertoken"), None);
    assert_eq!(bearer_token(b" Bearer token"), None);
    assert_eq!(bearer_token(b"Bearer token"), Some(&b"token"[..]));
    assert_eq!(bearer_token(b"Bearer"), Some(&b""[..]));
}

#[test]
fn without_an_anonymous_role_a_credential_is_required() {
    let settings = IdentitySettings {
        anon_role: None,
        ..settings()
    };
    let verifier = Verifier::new(&settings).unwrap();
    assert_eq!(
        verifier.authenticate(None, None, NOW),
        Err(TokenError::AnonymousDisabled)
    );
    assert_eq!(
        verifier.authenticate_bearer(None, NOW),
        Err(TokenError::AnonymousDisabled)
    );
    let token = bearer(&hs256(&json!({"role": "author"})));
    assert!(
        verifier
            .authenticate_bearer(Some(token.as_bytes()), NOW)
            .is_ok()
    );
    let roleless = bearer(&hs256(&json!({"sub": "jdoe"})));
    let refused = verifier.authenticate_bearer(Some(roleless.as_bytes()), NOW);
    assert_eq!(refused, Err(TokenError::AnonymousDisabled));
}

#[test]
fn without_a_secret_tokens_are_the_servers_fault() {
    let settings = IdentitySettings {
        secret: None,
        ..settings()
    };
    let verifier = Verifier::new(&settings).unwrap();
    for authorization in ["Bearer ", "Bearer a.b.c"] {
        let refused = verifier.authenticate_bearer(Some(authorization.as_bytes()), NOW);
        assert_eq!(refused, Err(TokenError::SecretMissing));
    }
    assert!(verifier.authenticate_bearer(None, NOW).is_ok());
}
