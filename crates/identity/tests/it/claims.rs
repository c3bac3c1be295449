//! Claims that hold, and claims that do not.

use jsonwebtoken::Algorithm;
use passerelle_identity::{ClaimsError, IdentitySettings, TokenError, UnixTime, Verifier};
use serde_json::{Value, json};

use crate::tokens::{NOW, SECRET, hs256, settings, shared, signed_text, verifier, verify_claims};

fn fault(claims: &Value) -> Option<ClaimsError> {
    match verify_claims(claims) {
        Ok(_) => None,
        Err(TokenError::Claims(fault)) => Some(fault),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn exp_is_forgiven_for_thirty_seconds() {
    let now = NOW.seconds();
    assert_eq!(fault(&json!({"exp": now})), None);
    assert_eq!(fault(&json!({"exp": now - 30})), None);
    assert_eq!(fault(&json!({"exp": now - 31})), Some(ClaimsError::Expired));
}

#[test]
fn nbf_and_iat_are_forgiven_for_thirty_seconds() {
    let now = NOW.seconds();
    assert_eq!(fault(&json!({"nbf": now + 30, "iat": now + 30})), None);
    assert_eq!(
        fault(&json!({"nbf": now + 31})),
        Some(ClaimsError::NotYetValid)
    );
    assert_eq!(
        fault(&json!({"iat": now + 31})),
        Some(ClaimsError::IssuedAtFuture)
    );
}

#[test]
fn times_must_be_numbers() {
    for value in [json!("1"), json!([]), json!({}), json!(true)] {
        assert_eq!(
            fault(&json!({"exp": value})),
            Some(ClaimsError::ExpNotNumber)
        );
        assert_eq!(
            fault(&json!({"nbf": value})),
            Some(ClaimsError::NbfNotNumber)
        );
        assert_eq!(
            fault(&json!({"iat": value})),
            Some(ClaimsError::IatNotNumber)
        );
    }
    assert_eq!(
        fault(&json!({"exp": null, "nbf": null, "iat": null, "aud": null})),
        None
    );
}

#[test]
fn numbers_that_are_no_whole_seconds_count_as_the_epoch() {
    let payload = |text: &str| {
        let token = signed_text(
            r#"{"alg":"HS256"}"#,
            text,
            &shared(SECRET),
            Algorithm::HS256,
        );
        verifier().verify(token.as_bytes(), NOW)
    };
    let expired = Err(TokenError::Claims(ClaimsError::Expired));
    assert_eq!(payload(r#"{"exp":9999999999.5}"#), expired);
    assert_eq!(payload(r#"{"exp":1e30}"#), expired);
    assert_eq!(payload(r#"{"exp":18446744073709551615}"#), expired);
    assert!(payload(r#"{"exp":9.999999999e9}"#).is_ok());
    assert!(payload(r#"{"exp":9999999999.0}"#).is_ok());
    assert!(payload(r#"{"nbf":9999999999.5}"#).is_ok());
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let token = hs256(&json!({"exp": i64::MAX, "nbf": i64::MIN, "iat": i64::MIN}));
    for now in [i64::MIN, 0, i64::MAX] {
        assert!(verifier().verify(token.as_bytes(), UnixTime(now)).is_ok());
    }
}

#[test]
fn the_first_fault_is_reported() {
    let now = NOW.seconds();
    let late = json!({"exp": 0, "nbf": now + 100, "iat": now + 100, "aud": 1});
    assert_eq!(fault(&late), Some(ClaimsError::Expired));
    let early = json!({"nbf": now + 100, "iat": "x", "aud": 1});
    assert_eq!(fault(&early), Some(ClaimsError::NotYetValid));
    assert_eq!(
        fault(&json!({"iat": "x", "aud": 1})),
        Some(ClaimsError::IatNotNumber)
    );
}

#[test]
fn the_audience_must_be_ours() {
    let settings = IdentitySettings {
        audience: Some("ours".to_owned()),
        ..settings()
    };
    let verifier = Verifier::new(&settings).unwrap();
    let check = |audience: Value| {
        let token = hs256(&json!({"aud": audience}));
        verifier.verify(token.as_bytes(), NOW).map(|_| ())
    };
    for good in [
        json!("ours"),
        json!(["theirs", "ours"]),
        json!([]),
        json!(null),
    ] {
        assert_eq!(check(good.clone()), Ok(()), "{good}");
    }
    for bad in [
        json!("theirs"),
        json!(""),
        json!(["theirs"]),
        json!("OURS"),
        json!([""]),
    ] {
        assert_eq!(
            check(bad.clone()),
            Err(ClaimsError::NotInAudience.into()),
            "{bad}"
        );
    }
    assert!(verifier.verify(hs256(&json!({})).as_bytes(), NOW).is_ok());
}

#[test]
fn any_audience_will_do_without_a_configured_one_if_it_is_well_formed() {
    for good in [json!("theirs"), json!(""), json!(["a", "b"]), json!([])] {
        assert_eq!(fault(&json!({"aud": good})), None);
    }
    for bad in [
        json!(1),
        json!({"invalid": "value"}),
        json!([{"invalid": "value"}, "test"]),
    ] {
        assert_eq!(
            fault(&json!({"aud": bad})),
            Some(ClaimsError::AudNotStringOrArray)
        );
    }
}

#[test]
fn the_payload_must_be_an_object() {
    let nested = format!("{{\"a\":{}{}}}", "[".repeat(500), "]".repeat(500));
    for payload in [
        "",
        "null",
        "[]",
        "\"text\"",
        "1",
        "{",
        "{} {}",
        "\u{feff}{}",
        &nested,
    ] {
        let token = signed_text(
            r#"{"alg":"HS256"}"#,
            payload,
            &shared(SECRET),
            Algorithm::HS256,
        );
        let refused = verifier().verify(token.as_bytes(), NOW).unwrap_err();
        assert_eq!(refused, ClaimsError::NotAnObject.into(), "{payload}");
    }
}
