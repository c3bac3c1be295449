//! Reading keys, and choosing among several.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use jsonwebtoken::Algorithm;
use passerelle_identity::{
    DecodeError, IdentitySettings, JwkError, KeySet, Secret, SettingsError, TokenError, Verifier,
};
use serde_json::{Value, json};

use crate::key_material::{
    ED25519_X, P256_X, P256_Y, P384_X, P384_Y, RSA_MODULUS, SHORT_RSA_MODULUS,
};
use crate::tokens::{
    NOW, SECRET, encode, hs256, private_key, settings, shared, signed, verifier_of,
};

pub(crate) static OCT: LazyLock<Value> =
    LazyLock::new(|| json!({"kty": "oct", "k": encode(SECRET)}));
pub(crate) static RSA: LazyLock<Value> =
    LazyLock::new(|| json!({"kty": "RSA", "n": RSA_MODULUS, "e": "AQAB"}));
pub(crate) static EC256: LazyLock<Value> =
    LazyLock::new(|| json!({"kty": "EC", "crv": "P-256", "x": P256_X, "y": P256_Y}));
pub(crate) static EC384: LazyLock<Value> =
    LazyLock::new(|| json!({"kty": "EC", "crv": "P-384", "x": P384_X, "y": P384_Y}));
pub(crate) static OKP: LazyLock<Value> =
    LazyLock::new(|| json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519_X}));

/// `jwk` with further members.
pub(crate) fn with(jwk: &Value, members: &Value) -> Value {
    let mut jwk = jwk.clone();
    let members = members.as_object().unwrap().clone();
    jwk.as_object_mut().unwrap().extend(members);
    jwk
}

fn es256(header: &Value) -> String {
    let claims = json!({"role": "author"});
    signed(
        header,
        &claims,
        &private_key(Algorithm::ES256),
        Algorithm::ES256,
    )
}

fn read(jwk: &Value) -> Result<KeySet, SettingsError> {
    KeySet::parse(&Secret::from(jwk.to_string()), false)
}

fn refuse(jwk: &Value) -> JwkError {
    match read(jwk) {
        Err(SettingsError::Jwk(error)) => error,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("{jwk} was accepted"),
    }
}

#[test]
fn kid_picks_the_key_of_that_name() {
    let other = with(&OCT, &json!({"kid": "other"}));
    let named = with(&EC256, &json!({"kid": "ours"}));
    let both = verifier_of(&json!({"keys": [other, named]}));
    let token = es256(&json!({"alg": "ES256", "kid": "ours"}));
    assert!(both.verify(token.as_bytes(), NOW).is_ok());
    let token = es256(&json!({"alg": "ES256", "kid": "other"}));
    let refused = both.verify(token.as_bytes(), NOW).unwrap_err();
    assert_eq!(refused, DecodeError::NoSuitableKey.into());
}

#[test]
fn kid_never_matches_a_key_without_one() {
    let token = es256(&json!({"alg": "ES256", "kid": "ours"}));
    let refused = verifier_of(&EC256)
        .verify(token.as_bytes(), NOW)
        .unwrap_err();
    assert_eq!(refused, DecodeError::NoSuitableKey.into());
}

#[test]
fn a_token_without_kid_tries_every_key() {
    let wrong = json!({"kty": "oct", "kid": "a", "k": encode("x".repeat(32))});
    let right = with(&OCT, &json!({"kid": "b"}));
    let set = verifier_of(&json!({"keys": [wrong, *RSA, right]}));
    let token = hs256(&json!({"role": "author"}));
    assert!(set.verify(token.as_bytes(), NOW).is_ok());
}

#[test]
fn shared_and_public_keys_work_side_by_side() {
    let set = verifier_of(&json!({"keys": [*EC256, *OCT]}));
    assert!(set.verify(hs256(&json!({})).as_bytes(), NOW).is_ok());
    assert!(
        set.verify(es256(&json!({"alg": "ES256"})).as_bytes(), NOW)
            .is_ok()
    );
}

#[test]
fn a_plain_secret_verifies_hs256_alone() {
    let verifier = Verifier::new(&settings()).unwrap();
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let header = json!({"alg": format!("{algorithm:?}")});
        let token = signed(&header, &json!({}), &shared(SECRET), algorithm);
        let refused = verifier.verify(token.as_bytes(), NOW).unwrap_err();
        assert_eq!(refused, DecodeError::NoSuitableKey.into());
    }
}

#[test]
fn a_secret_that_is_json_but_no_object_is_plain() {
    for secret in [
        "12345678901234567890123456789012",
        "\"a quoted secret, quotes included\"",
        "{",
    ] {
        let settings = IdentitySettings {
            secret: Some(Secret::from(secret)),
            ..settings()
        };
        let header = json!({"alg": "HS256"});
        let token = signed(&header, &json!({}), &shared(secret), Algorithm::HS256);
        let verifier = Verifier::new(&settings).unwrap();
        assert!(verifier.verify(token.as_bytes(), NOW).is_ok(), "{secret}");
    }
}

#[test]
fn base64_secrets_come_in_both_alphabets() {
    let secret: Vec<u8> = (0..40).map(|byte| 255 - byte).collect();
    let key = jsonwebtoken::EncodingKey::from_secret(&secret);
    let token = signed(&json!({"alg": "HS256"}), &json!({}), &key, Algorithm::HS256);
    let url_safe = URL_SAFE.encode(&secret);
    let texts = [
        STANDARD.encode(&secret),
        url_safe.replace('=', "."),
        url_safe.trim_end_matches('=').to_owned(),
        format!(" {url_safe}\n"),
    ];
    for text in texts {
        let secret = Some(Secret::from(text.as_str()));
        let settings = IdentitySettings {
            secret,
            secret_is_base64: true,
            ..settings()
        };
        let verifier = Verifier::new(&settings).unwrap();
        assert!(verifier.verify(token.as_bytes(), NOW).is_ok(), "{text}");
    }
}

#[test]
fn base64_may_wrap_a_key_set() {
    let secret = Some(Secret::from(STANDARD.encode(OCT.to_string())));
    let settings = IdentitySettings {
        secret,
        secret_is_base64: true,
        ..settings()
    };
    let verifier = Verifier::new(&settings).unwrap();
    assert!(verifier.verify(hs256(&json!({})).as_bytes(), NOW).is_ok());
}

#[test]
fn text_that_is_not_base64_is_refused() {
    let refused = KeySet::parse(&Secret::from("not base64!"), true).err();
    assert!(matches!(refused, Some(SettingsError::SecretNotBase64)));
}

#[test]
fn keys_for_other_purposes_are_left_out() {
    let foreign = [
        json!({"kty": "AKP", "pub": "AA"}),
        json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "crv": "X25519", "x": ED25519_X}),
        with(&RSA, &json!({"alg": "RSA-OAEP"})),
        with(&RSA, &json!({"use": "enc"})),
        json!({}),
    ];
    let mut keys = foreign.to_vec();
    keys.push(OCT.clone());
    let set = json!({"keys": keys});
    assert_eq!(read(&set).unwrap().unusable(), foreign.len());
    assert!(
        verifier_of(&set)
            .verify(hs256(&json!({})).as_bytes(), NOW)
            .is_ok()
    );
}

#[test]
fn a_key_for_encryption_verifies_nothing() {
    let verifier = verifier_of(&with(&OCT, &json!({"use": "enc"})));
    let refused: TokenError = verifier
        .verify(hs256(&json!({})).as_bytes(), NOW)
        .unwrap_err();
    assert_eq!(refused, DecodeError::NoSuitableKey.into());
}

#[test]
fn broken_keys_are_refused_rather_than_taken_for_plain_secrets() {
    let missing = |key: &Value, member: &str| {
        let mut key = key.clone();
        key.as_object_mut().unwrap().remove(member);
        let refused = refuse(&key);
        assert!(
            matches!(refused, JwkError::MissingMember { member: named, .. } if named == member),
            "{refused}"
        );
    };
    missing(&RSA, "n");
    missing(&RSA, "e");
    missing(&OCT, "k");
    missing(&EC256, "x");
    missing(&EC256, "crv");
    missing(&OKP, "x");
    let wrong = |key: &Value, members: Value| {
        let refused = refuse(&with(key, &members));
        assert!(matches!(refused, JwkError::WrongLength { .. }), "{refused}");
    };
    wrong(&RSA, json!({"n": SHORT_RSA_MODULUS}));
    wrong(&RSA, json!({"n": format!("AAAA{}", SHORT_RSA_MODULUS)}));
    wrong(&OCT, json!({"k": ""}));
    wrong(&EC256, json!({"x": P384_X}));
    wrong(&OKP, json!({"x": "AAAA"}));
    assert!(matches!(
        refuse(&with(&OCT, &json!({"k": "a+b/"}))),
        JwkError::NotBase64 { .. }
    ));
    assert!(matches!(
        refuse(&with(&OCT, &json!({"kid": 1}))),
        JwkError::Member(_)
    ));
}
