//! Tokens made here are tokens accepted here.

use passerelle_identity::{
    ApiKeyClaims, IdentitySettings, RANDOM_SECRET_BYTES, Secret, SigningKey, SigningKeys, UnixTime,
    Verifier, generate_secret, mint,
};
use serde_json::{Value, json};

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

fn rotated(before: Option<&str>, kids: [&str; 2]) -> String {
    let before = before.map(Secret::from);
    SigningKeys::rotate(before.as_ref(), kids, 2).unwrap()
}

fn statuses(set: &str) -> Vec<(String, String)> {
    let set: Value = serde_json::from_str(set).unwrap();
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| (text(key, "kid"), text(key, "status")))
        .collect()
}

#[test]
fn keys_take_turns_and_the_oldest_go() {
    let mut set = rotated(None, ["a", "b"]);
    let of = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(kid, status)| ((*kid).to_owned(), (*status).to_owned()))
            .collect()
    };
    assert_eq!(statuses(&set), of(&[("b", "next"), ("a", "current")]));
    for kid in ["c", "d", "e"] {
        set = rotated(Some(&set), [kid, "unused"]);
    }
    let expected = [
        ("e", "next"),
        ("d", "current"),
        ("c", "retired"),
        ("b", "retired"),
    ];
    assert_eq!(statuses(&set), of(&expected));
    let whole: Value = serde_json::from_str(&set).unwrap();
    assert!(whole["keys"][1]["d"].is_string());
    assert!(
        whole["keys"][2]["d"].is_null(),
        "a key that signs no more is not kept"
    );
}

#[test]
fn what_a_pair_signs_is_verified_with_its_public_half() {
    let set = rotated(None, ["a", "b"]);
    let keys = SigningKeys::parse(&Secret::from(set.as_str())).unwrap();
    let public = keys.public().to_vec();
    assert!(public.iter().all(|key| key["d"].is_null()));
    let key = keys.into_current();
    let token = mint(&json!({"role": "author"}), &key).unwrap();
    let verifier = |public_keys| {
        Verifier::new(&IdentitySettings {
            public_keys,
            secret: Some(Secret::from("reallyreallyreallyreallyverysafe")),
            ..IdentitySettings::default()
        })
        .unwrap()
    };
    let principal = verifier(public)
        .verify(token.as_bytes(), UnixTime(0))
        .unwrap();
    assert_eq!(&**principal.role(), "author");
    assert!(
        verifier(Vec::new())
            .verify(token.as_bytes(), UnixTime(0))
            .is_err()
    );
}

#[test]
fn an_rsa_key_signs_too() {
    let keys = SigningKeys::parse(&Secret::from(include_str!("rsa.json"))).unwrap();
    let public = keys.public().to_vec();
    let token = mint(&json!({"role": "author"}), &keys.into_current()).unwrap();
    let verifier = Verifier::new(&IdentitySettings {
        public_keys: public,
        ..IdentitySettings::default()
    });
    let principal = verifier
        .unwrap()
        .verify(token.as_bytes(), UnixTime(0))
        .unwrap();
    assert_eq!(&**principal.role(), "author");
}

#[test]
fn sets_that_cannot_be_used() {
    let set: Value = serde_json::from_str(&rotated(None, ["a", "b"])).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut set = set.clone();
        change(&mut set);
        SigningKeys::parse(&Secret::from(set.to_string().as_str()))
            .err()
            .map(|error| error.to_string())
    };
    assert_eq!(with(&|_| {}), None);
    for (change, expected) in [
        (
            &(|set: &mut Value| set["keys"][1]["status"] = "next".into()) as &dyn Fn(&mut Value),
            "\"current\"",
        ),
        (
            &|set: &mut Value| set["keys"][0]["status"] = "current".into(),
            "\"current\"",
        ),
        (
            &|set: &mut Value| set["keys"][1]["status"] = "new".into(),
            "status",
        ),
        (
            &|set: &mut Value| set["keys"][1]["kid"] = Value::Null,
            "kid",
        ),
        (
            &|set: &mut Value| set["keys"][1]["kty"] = "oct".into(),
            "P-256",
        ),
        (
            &|set: &mut Value| set["keys"][1]["d"] = set["keys"][0]["d"].clone(),
            "halves",
        ),
        (
            &|set: &mut Value| set["keys"][1]["x"] = "AA".into(),
            "public",
        ),
        (&|set: &mut Value| set["keys"] = Value::Null, "JWK"),
    ] {
        let told = with(change).expect("an error");
        assert!(told.contains(expected), "{told}: {expected}");
    }
}
