//! Any token is verified or refused: what is not signed never verifies, what is signed is judged by
//! its claims, and the same when it is remembered.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use passerelle_identity::{
    IdentitySettings, Principal, Secret, SigningKey, TokenError, UnixTime, Verifier, mint,
};
use serde_json::value::RawValue;

const SECRET: &str = "reallyreallyreallyreallyverysafe";

static REMEMBERING: LazyLock<Verifier> = LazyLock::new(|| verifier(10));
static FORGETTING: LazyLock<Verifier> = LazyLock::new(|| verifier(0));

fn verifier(cache_max_entries: usize) -> Verifier {
    Verifier::new(&IdentitySettings {
        secret: Some(Secret::from(SECRET)),
        audience: Some("ours".to_owned()),
        anon_role: Some("anon".into()),
        cache_max_entries,
        ..IdentitySettings::default()
    })
    .expect("the settings are right")
}

/// Role and claims, or the code and the message.
fn told(verdict: Result<Principal, TokenError>) -> Result<(String, String), (String, String)> {
    verdict
        .map(|principal| {
            let (role, claims) = (principal.role(), principal.claims_json());
            (role.to_string(), claims.to_string())
        })
        .map_err(|error| (error.code().to_owned(), error.message().into_owned()))
}

fuzz_target!(|data: &[u8]| {
    let now = UnixTime(1_700_000_000);
    assert!(REMEMBERING.verify(data, now).is_err());
    let _ = REMEMBERING.authenticate(Some(data), Some(data), now);
    let Ok(claims) = serde_json::from_slice::<&RawValue>(data) else {
        return;
    };
    let token = mint(&claims, &SigningKey::hs256(&Secret::from(SECRET))).expect("it is signed");
    let expected = told(FORGETTING.verify(token.as_bytes(), now));
    for _ in 0..2 {
        assert_eq!(told(REMEMBERING.verify(token.as_bytes(), now)), expected);
    }
    if let Ok((role, claims)) = expected {
        assert!(!role.is_empty() || claims.contains("role"));
        serde_json::from_str::<serde::de::IgnoredAny>(&claims).expect("claims are JSON");
    }
});
