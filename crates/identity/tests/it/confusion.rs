//! Attacks that mix up algorithms and keys.

use jsonwebtoken::{Algorithm, EncodingKey};
use passerelle_identity::{DecodeError, TokenError};
use serde_json::{Value, json};

use crate::key_material::{P256_X, RSA_MODULUS};
use crate::key_sets::{EC256, EC384, OCT, RSA, with};
use crate::tokens::{
    NOW, SECRET, encode, hs256, private_key, shared, signed, verifier, verifier_of,
};

fn refused(jwk: &Value, token: &str) -> TokenError {
    verifier_of(jwk).verify(token.as_bytes(), NOW).unwrap_err()
}

#[test]
fn a_public_key_never_verifies_an_hmac() {
    let document = RSA.to_string();
    for bytes in [document.as_str(), RSA_MODULUS] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = json!({"alg": format!("{algorithm:?}")});
            let claims = json!({"role": "service_role"});
            let token = signed(&header, &claims, &shared(bytes), algorithm);
            assert_eq!(refused(&RSA, &token), DecodeError::NoSuitableKey.into());
        }
    }
    let token = signed(
        &json!({"alg": "HS256"}),
        &json!({}),
        &shared(P256_X),
        Algorithm::HS256,
    );
    assert_eq!(refused(&EC256, &token), DecodeError::NoSuitableKey.into());
}

#[test]
fn the_header_cannot_rename_a_signature() {
    let key = private_key(Algorithm::RS256);
    let token = signed(&json!({"alg": "RS512"}), &json!({}), &key, Algorithm::RS256);
    assert_eq!(refused(&RSA, &token), DecodeError::BadSignature.into());
    let token = signed(&json!({"alg": "ES256"}), &json!({}), &key, Algorithm::RS256);
    assert_eq!(refused(&RSA, &token), DecodeError::NoSuitableKey.into());
}

#[test]
fn a_pinned_algorithm_is_the_only_one() {
    let pinned = with(&RSA, &json!({"alg": "RS256"}));
    let key = private_key(Algorithm::PS256);
    let token = signed(&json!({"alg": "PS256"}), &json!({}), &key, Algorithm::PS256);
    assert_eq!(refused(&pinned, &token), DecodeError::NoSuitableKey.into());
    let pinned = with(&OCT, &json!({"alg": "HS512"}));
    assert_eq!(
        refused(&pinned, &hs256(&json!({}))),
        DecodeError::NoSuitableKey.into()
    );
}

#[test]
fn a_curve_has_one_algorithm() {
    let key = private_key(Algorithm::ES256);
    let token = signed(&json!({"alg": "ES256"}), &json!({}), &key, Algorithm::ES256);
    assert_eq!(refused(&EC384, &token), DecodeError::NoSuitableKey.into());
}

#[test]
fn unsecured_tokens_are_refused() {
    let head = encode(json!({"alg": "none"}).to_string());
    let body = encode(json!({"role": "service_role"}).to_string());
    let signature = hs256(&json!({})).rsplit('.').next().unwrap().to_owned();
    for token in [
        format!("{head}.{body}."),
        format!("{head}.{body}.{signature}"),
    ] {
        let refused = verifier().verify(token.as_bytes(), NOW).unwrap_err();
        assert_eq!(refused, DecodeError::Unsecured.into());
    }
    for alias in ["None", "NONE", "nOnE", ""] {
        let head = encode(json!({"alg": alias}).to_string());
        let refused = verifier()
            .verify(format!("{head}.{body}.").as_bytes(), NOW)
            .unwrap_err();
        assert_eq!(refused, DecodeError::Malformed.into());
    }
}

#[test]
fn an_absent_or_shortened_signature_is_refused() {
    let token = hs256(&json!({"role": "author"}));
    let (message, signature) = token.rsplit_once('.').unwrap();
    for shortened in ["", &signature[..4], &signature[..signature.len() - 3]] {
        let refused = verifier().verify(format!("{message}.{shortened}").as_bytes(), NOW);
        assert!(
            matches!(refused, Err(TokenError::Decode(_))),
            "{shortened:?}"
        );
    }
}

#[test]
fn keys_inside_the_token_are_ignored() {
    let own = "a secret of the attacker's own making";
    let header = json!({"alg": "HS256", "jwk": {"kty": "oct", "k": encode(own)}});
    let token = signed(&header, &json!({}), &shared(own), Algorithm::HS256);
    let refused = verifier().verify(token.as_bytes(), NOW).unwrap_err();
    assert_eq!(refused, DecodeError::BadSignature.into());
}

#[test]
fn extensions_that_must_be_understood_are_not() {
    for extension in [json!({"crit": ["exp"]}), json!({"enc": "A256GCM"})] {
        let header = with(&json!({"alg": "HS256"}), &extension);
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = signed(&header, &json!({}), &key, Algorithm::HS256);
        let refused = verifier().verify(token.as_bytes(), NOW).unwrap_err();
        assert_eq!(refused, DecodeError::Malformed.into());
    }
}
