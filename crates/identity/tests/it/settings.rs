//! Settings that are refused, and settings that are merely unwise.

use std::sync::Arc;

use passerelle_identity::{ApiKey, IdentitySettings, Secret, SettingsError, Verifier, Weakness};
use serde_json::json;

use crate::key_sets::EC256;
use crate::tokens::{encode, settings};

fn weaknesses(secret: &str) -> Vec<Weakness> {
    let settings = IdentitySettings {
        secret: Some(Secret::from(secret)),
        ..settings()
    };
    Verifier::new(&settings).unwrap().weaknesses()
}

fn refusal(settings: &IdentitySettings) -> SettingsError {
    match Verifier::new(settings) {
        Ok(_) => panic!("accepted"),
        Err(error) => error,
    }
}

#[test]
fn short_secrets_are_noticed() {
    assert_eq!(
        weaknesses(&"x".repeat(31)),
        [Weakness::ShortSecret { bytes: 31 }]
    );
    assert_eq!(weaknesses(&"x".repeat(32)), []);
    let jwk = json!({"kty": "oct", "k": encode("short")}).to_string();
    assert_eq!(weaknesses(&jwk), [Weakness::ShortSecret { bytes: 5 }]);
}

#[test]
fn published_secrets_are_noticed() {
    let published = [
        "super-secret-jwt-token-with-at-least-32-characters-long",
        "your-super-secret-jwt-token-with-at-least-32-characters-long",
        "reallyreallyreallyreallyverysafe",
        "REALLYREALLYREALLYREALLYVERYSAFE",
    ];
    for secret in published {
        assert_eq!(weaknesses(secret), [Weakness::KnownSecret], "{secret}");
        let jwks = json!({"keys": [*EC256, {"kty": "oct", "k": encode(secret)}]}).to_string();
        assert_eq!(weaknesses(&jwks), [Weakness::KnownSecret], "{secret}");
    }
}

#[test]
fn published_keys_are_noticed() {
    let jwk = json!({
        "kty": "EC", "crv": "P-256",
        "x": "M5Sjqn5zwC9Kl1zVfUUGvv9boQjCGd45G8sdopBExB4",
        "y": "P6IXMvA2WYXSHSOMTBH2jsw_9rrzGy89FjPf6oOsIxQ",
    });
    assert_eq!(weaknesses(&jwk.to_string()), [Weakness::KnownSigningKey]);
    let key = Secret::from("sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz");
    let role: Arc<str> = Arc::from("service_role");
    let api_keys = vec![ApiKey {
        key,
        role: role.clone(),
    }];
    let settings = IdentitySettings {
        api_keys,
        ..settings()
    };
    let found = Verifier::new(&settings).unwrap().weaknesses();
    assert_eq!(found, [Weakness::KnownApiKey { role }]);
}

#[test]
fn audiences_with_a_colon_must_be_uris() {
    let with = |audience: &str| IdentitySettings {
        audience: Some(audience.to_owned()),
        ..settings()
    };
    for good in [
        "youraudience",
        "with spaces",
        "https://example.com/a?b=%20#c",
        "urn:x:y",
    ] {
        assert!(Verifier::new(&with(good)).is_ok(), "{good}");
    }
    for bad in ["foo://%%$$^^.com", ":x", "1a:b", "http://a b", "x:%2"] {
        assert!(
            matches!(refusal(&with(bad)), SettingsError::Audience { .. }),
            "{bad}"
        );
    }
}

#[test]
fn role_paths_are_read_at_start() {
    let with = |path: &str| IdentitySettings {
        role_claim_key: path.to_owned(),
        ..settings()
    };
    assert!(matches!(refusal(&with("role")), SettingsError::RolePath(_)));
    let verifier = Verifier::new(&with(".role")).unwrap();
    assert!(verifier.role_path().deprecated().is_some());
}

#[test]
fn api_keys_must_be_told_apart_from_tokens() {
    for key in ["", "a.b.c"] {
        let api_keys = vec![ApiKey {
            key: Secret::from(key),
            role: Arc::from("anon"),
        }];
        let settings = IdentitySettings {
            api_keys,
            ..settings()
        };
        assert!(matches!(refusal(&settings), SettingsError::ApiKey { .. }));
    }
}

#[test]
fn settings_do_not_show_their_secrets() {
    let api_keys = vec![ApiKey {
        key: Secret::from("sb_secret_visible"),
        role: "x".into(),
    }];
    let secret = Some(Secret::from("a visible secret"));
    let shown = format!(
        "{:?}",
        IdentitySettings {
            api_keys,
            secret,
            ..settings()
        }
    );
    assert!(!shown.contains("visible"), "{shown}");
}
