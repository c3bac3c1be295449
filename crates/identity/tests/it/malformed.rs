//! Tokens that are none.

use jsonwebtoken::Algorithm;
use passerelle_identity::{DecodeError, RolePath, TokenError, bearer_token};
use proptest::prelude::{any, prop_assert, proptest};
use serde_json::json;

use crate::key_sets::{EC256, EC384, OCT, OKP, RSA};
use crate::tokens::{NOW, SECRET, encode, hs256, shared, signed_text, verifier, verifier_of};

fn refused(token: &str) -> TokenError {
    verifier().verify(token.as_bytes(), NOW).unwrap_err()
}

#[test]
fn parts_are_counted() {
    assert_eq!(refused(""), DecodeError::Empty.into());
    for (token, parts) in [
        ("a", 1),
        ("a.b", 2),
        (".", 2),
        ("a.b.c.d", 4),
        ("a.b.c.d.e", 5),
    ] {
        assert_eq!(refused(token), DecodeError::UnexpectedParts(parts).into());
    }
}

#[test]
fn headers_and_encodings_must_be_sound() {
    for token in ["..", "a.b.c", "!!.!!.!!", "e30.e30.e30"] {
        assert_eq!(refused(token), DecodeError::Malformed.into(), "{token}");
    }
    let good = hs256(&json!({"role": "author"}));
    for spoilt in [
        format!("{good}="),
        format!("{good} "),
        good.replacen('.', "=.", 1),
    ] {
        assert_eq!(refused(&spoilt), DecodeError::Malformed.into(), "{spoilt}");
    }
    for header in [
        r#"{"alg":7}"#,
        r#"{"alg":"XX256"}"#,
        r#"{"alg":"HS256","kid":1}"#,
        "[]",
        "{}",
    ] {
        let token = signed_text(header, "{}", &shared(SECRET), Algorithm::HS256);
        assert_eq!(refused(&token), DecodeError::Malformed.into(), "{header}");
    }
    let token = signed_text(
        r#"{"alg":"ES512"}"#,
        "{}",
        &shared(SECRET),
        Algorithm::HS256,
    );
    assert_eq!(refused(&token), DecodeError::NoSuitableKey.into());
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(token in any::<Vec<u8>>()) {
        prop_assert!(verifier().verify(&token, NOW).is_err());
    }

    #[test]
    fn arbitrary_headers_never_panic(apikey in any::<Option<Vec<u8>>>(), auth in any::<Vec<u8>>()) {
        let _ = bearer_token(&auth);
        let _ = verifier().authenticate(apikey.as_deref(), Some(&auth), NOW);
    }

    #[test]
    fn arbitrary_parts_are_refused(
        alg in "HS256|HS384|RS256|RS512|PS256|ES256|ES384|EdDSA|none|x",
        payload in any::<Vec<u8>>(),
        signature in any::<Vec<u8>>(),
    ) {
        let header = encode(json!({"alg": alg}).to_string());
        let token = format!("{header}.{}.{}", encode(payload), encode(signature));
        let keys = json!({"keys": [*OCT, *RSA, *EC256, *EC384, *OKP]});
        prop_assert!(verifier_of(&keys).verify(token.as_bytes(), NOW).is_err());
    }

    #[test]
    fn arbitrary_signed_payloads_never_panic(payload in "\\PC{0,80}|\\{\"(exp|aud|role)\":\\PC{0,20}\\}") {
        let token = signed_text(r#"{"alg":"HS256"}"#, &payload, &shared(SECRET), Algorithm::HS256);
        let _ = verifier().verify(token.as_bytes(), NOW);
    }

    #[test]
    fn arbitrary_role_paths_never_panic(path in "[$.@\\[\\]?()\"'=!^* a-z0-9\u{e9}]{0,24}") {
        let _ = RolePath::parse(&path);
    }
}
