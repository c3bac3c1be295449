//! Tokens made here are tokens accepted here.

use passerelle_identity::{
    ApiKeyClaims, IdentitySettings, RANDOM_SECRET_BYTES, Secret, SigningKey, UnixTime, Verifier,
    generate_secret, mint,
};
use serde_json::json;

use crate::tokens::{NOW, SECRET, settings, verifier};

#[test]
fn an_api_key_lasts_ten_years() {
    let key = SigningKey::hs256(&Secret::from(SECRET));
    let claims = ApiKeyClaims::new("supabase", "service_role", NOW);
    let token = mint(&claims, &key).unwrap();
    let ten_years = 10 * 365 * 24 * 60 * 60;
    let verify = |seconds| {
        let now = UnixTime(NOW.seconds() + seconds);
        verifier().verify(token.as_bytes(), now)
    };
    let principal = verify(0).unwrap();
    assert_eq!(&**principal.role(), "service_role");
    assert_eq!(principal.claim("iss"), Some(&json!("supabase")));
    assert_eq!(principal.claim("ref"), None);
    assert!(verify(ten_years).is_ok());
    assert!(verify(ten_years + 31).is_err());
}

#[test]
fn a_known_token_is_reproduced() {
    // Signed by another implementation.
    let key = SigningKey::hs256(&Secret::from("reallyreallyreallyreallyverysafe"));
    let token = mint(&json!({"role": "postgrest_test_author"}), &key).unwrap();
    let expected = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
                    eyJyb2xlIjoicG9zdGdyZXN0X3Rlc3RfYXV0aG9yIn0.\
                    Xod-F15qsGL0WhdOCr2j3DdKuTw9QJERVgoFD3vGaWA";
    assert_eq!(token, expected);
}

#[test]
fn a_generated_secret_is_strong_and_works() {
    let random: [u8; RANDOM_SECRET_BYTES] =
        std::array::from_fn(|at| u8::try_from(at).unwrap().wrapping_mul(37));
    let secret = generate_secret(&random);
    assert_eq!(secret.len(), 64);
    assert_eq!(secret.weakness(), None);
    let token = mint(&json!({"role": "author"}), &SigningKey::hs256(&secret)).unwrap();
    let settings = IdentitySettings {
        secret: Some(secret),
        ..settings()
    };
    let verifier = Verifier::new(&settings).unwrap();
    assert!(verifier.verify(token.as_bytes(), NOW).is_ok());
}
