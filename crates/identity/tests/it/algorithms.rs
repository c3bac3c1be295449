//! Every algorithm of RFC 7518 that is supported verifies its own signatures and no broken ones.

use jsonwebtoken::Algorithm;
use passerelle_identity::DecodeError;
use serde_json::{Value, json};

use crate::key_sets::{EC256, EC384, OCT, OKP, RSA};
use crate::tokens::{NOW, private_key, signed, verifier_of};

fn name(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}

fn token(algorithm: Algorithm) -> String {
    let header = json!({"alg": name(algorithm)});
    signed(
        &header,
        &json!({"role": "author"}),
        &private_key(algorithm),
        algorithm,
    )
}

fn check(jwk: &Value, algorithms: &[Algorithm]) {
    for algorithm in algorithms {
        let token = token(*algorithm);
        let mut pinned = jwk.clone();
        pinned["alg"] = Value::from(name(*algorithm));
        for key in [jwk, &pinned, &json!({"keys": [jwk]})] {
            let principal = verifier_of(key).verify(token.as_bytes(), NOW).unwrap();
            assert_eq!(&**principal.role(), "author", "{algorithm:?}");
        }
        let mut broken = token.into_bytes();
        let at = broken.len() - 10;
        broken[at] = if broken[at] == b'A' { b'B' } else { b'A' };
        let refused = verifier_of(jwk).verify(&broken, NOW).unwrap_err();
        assert_eq!(refused, DecodeError::BadSignature.into(), "{algorithm:?}");
    }
}

#[test]
fn hmac() {
    check(
        &OCT,
        &[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512],
    );
}

#[test]
fn rsa_with_pkcs1_padding() {
    check(
        &RSA,
        &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512],
    );
}

#[test]
fn rsa_with_pss_padding() {
    check(
        &RSA,
        &[Algorithm::PS256, Algorithm::PS384, Algorithm::PS512],
    );
}

#[test]
fn ecdsa_on_p256() {
    check(&EC256, &[Algorithm::ES256]);
}

#[test]
fn ecdsa_on_p384() {
    check(&EC384, &[Algorithm::ES384]);
}

#[test]
fn ed25519() {
    check(&OKP, &[Algorithm::EdDSA]);
}
