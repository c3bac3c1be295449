//! Which role the claims lead to, and what SQL gets to see of them.

use std::sync::Arc;

use jsonwebtoken::Algorithm;
use passerelle_identity::{Credential, IdentitySettings, RolePath, TokenError, Verifier};
use serde_json::{Value, json};

use crate::tokens::{NOW, SECRET, hs256, settings, shared, signed_text, verifier, verify_claims};

fn role(path: &str, claims: &Value) -> Option<String> {
    let settings = IdentitySettings {
        role_claim_key: path.to_owned(),
        anon_role: None,
        ..settings()
    };
    let verifier = Verifier::new(&settings).unwrap();
    match verifier.verify(hs256(claims).as_bytes(), NOW) {
        Ok(principal) => Some(principal.role().to_string()),
        Err(TokenError::AnonymousDisabled) => None,
        Err(other) => panic!("{other}"),
    }
}

fn found(path: &str, claims: &Value) {
    assert_eq!(role(path, claims).as_deref(), Some("author"), "{path}");
}

fn missed(path: &str, claims: &Value) {
    assert_eq!(role(path, claims), None, "{path}");
}

#[test]
fn json_paths() {
    found("$.role", &json!({"role": "author"}));
    found(
        "$.postgrest.a_role",
        &json!({"postgrest": {"a_role": "author"}}),
    );
    found(
        "$.custom.roles[1]",
        &json!({"custom": {"roles": ["other", "author"]}}),
    );
    let url = json!({"https://example.com/roles": [{"value": "author"}]});
    found("$[\"https://example.com/roles\"][0].value", &url);
    found("$['https://example.com/roles'][0].value", &url);
    let roles = json!({"roles": ["other", "author", "author2"]});
    found("$.roles[?(@ == \"author\")]", &roles);
    found("$.roles[?(@ != 'other')]", &roles);
    found("$.roles[?search(@, '^au')]", &roles);
    found("$.aud", &json!({"aud": "author"}));
    missed("$.roles[3]", &roles);
    missed("$.myRole", &json!({"role": "author"}));
}

#[test]
fn older_paths() {
    found(".role", &json!({"role": "author"}));
    found(
        ".postgrest.a_role",
        &json!({"postgrest": {"a_role": "author"}}),
    );
    found(
        ".custom.roles[1]",
        &json!({"custom": {"roles": ["other", "author"]}}),
    );
    found(
        ".\"https://example.com/roles\"[0].value",
        &json!({"https://example.com/roles": [{"value": "author"}]}),
    );
    let roles = json!({"roles": [{"author": 1}, "other", "author"]});
    found(".roles[?(@ == \"author\")]", &roles);
    found(".roles[?(@ != \"other\")]", &roles);
    found(".roles[?(@ ^== \"au\")]", &roles);
    found(".roles[?(@ ==^ \"thor\")]", &roles);
    found(".roles[?(@*==\"uth\")]", &roles);
    missed(".roles[?(@ == \"nobody\")]", &roles);
    missed(".roles.author", &roles);
    missed(".roles[9]", &roles);
    missed("[0]", &roles);
}

#[test]
fn older_paths_are_told_apart() {
    let dumped = |path| RolePath::parse(path).unwrap().deprecated();
    assert_eq!(dumped(".role[1]").as_deref(), Some(".\"role\"[1]"));
    assert_eq!(dumped("$.role"), None);
    assert_eq!(dumped("$.roles[0]"), None);
}

#[test]
fn broken_paths_are_refused() {
    let broken = [
        "",
        "role.other",
        ".role##",
        ".my_role;;domain",
        "$.my_role;;domain",
        "@@.role.other",
        ".#$%&$%/",
        "1234",
        ".role[?(@ =)]",
        ".role[?(@ == \"a\")].more",
        ".role[]",
        ".role[-1]",
        ".role[99999999999999999999999]",
        ".\"open",
        ".",
    ];
    for path in broken {
        let refused = RolePath::parse(path).expect_err(path).to_string();
        assert_eq!(
            refused,
            format!("failed to parse role-claim-key value ({path})")
        );
    }
}

#[test]
fn a_role_that_is_no_string_is_its_json_text() {
    assert_eq!(role("$.role", &json!({"role": 7})).as_deref(), Some("7"));
    assert_eq!(
        role("$.role", &json!({"role": ["a"]})).as_deref(),
        Some("[\"a\"]")
    );
}

#[test]
fn claims_without_a_role_run_as_the_anonymous_one() {
    let principal = verify_claims(&json!({"sub": "jdoe"})).unwrap();
    assert_eq!(&**principal.role(), "anon");
    assert!(principal.is_anonymous());
    assert_eq!(principal.credential(), Credential::Token);
    assert_eq!(
        &**principal.claims_json(),
        r#"{"role":"anon","sub":"jdoe"}"#
    );
}

#[test]
fn sql_sees_the_role_found_by_the_path() {
    let settings = IdentitySettings {
        role_claim_key: "$.app.role".to_owned(),
        ..settings()
    };
    let verifier = Verifier::new(&settings).unwrap();
    let token = hs256(&json!({"role": "authenticated", "app": {"role": "author"}}));
    let principal = verifier.verify(token.as_bytes(), NOW).unwrap();
    assert_eq!(
        &**principal.claims_json(),
        r#"{"app":{"role":"author"},"role":"author"}"#
    );
}

#[test]
fn claims_reach_sql_as_they_were_written() {
    let payload = r#"{"big": 12345678901234567890123, "price":1.10, "text":"\u00e9\n", "n":null,
        "nested":{"b":1,"a":[1e2]}, "role":"author"}"#;
    let token = signed_text(
        r#"{"alg":"HS256"}"#,
        payload,
        &shared(SECRET),
        Algorithm::HS256,
    );
    let principal = verifier().verify(token.as_bytes(), NOW).unwrap();
    assert_eq!(
        &**principal.claims_json(),
        r#"{"big":12345678901234567890123,"n":null,"nested":{"b":1,"a":[1e2]},"price":1.10,"role":"author","text":"\u00e9\n"}"#
    );
}

#[test]
fn a_repeated_role_counts_the_same_everywhere() {
    let payload = r#"{"role":"service_role","role":"author"}"#;
    let token = signed_text(
        r#"{"alg":"HS256"}"#,
        payload,
        &shared(SECRET),
        Algorithm::HS256,
    );
    let principal = verifier().verify(token.as_bytes(), NOW).unwrap();
    assert_eq!(&**principal.role(), "author");
    assert_eq!(&**principal.claims_json(), r#"{"role":"author"}"#);
}

#[test]
fn a_role_with_quotes_stays_inside_its_string() {
    let role = "a\",\"sub\":\"b\\";
    let principal = verify_claims(&json!({"role": role})).unwrap();
    let seen: Value = serde_json::from_str(principal.claims_json()).unwrap();
    assert_eq!(seen, json!({"role": role}));
}

#[test]
fn well_known_claims_can_be_asked_for() {
    let claims = json!({"role": "authenticated", "sub": "u", "session_id": "s", "aal": "aal1"});
    let principal = verify_claims(&claims).unwrap();
    assert_eq!(principal.subject(), Some("u"));
    assert_eq!(principal.session_id(), Some("s"));
    assert_eq!(principal.claim("aal"), Some(&json!("aal1")));
    assert_eq!(principal.claim("amr"), None);
    assert!(!principal.is_anonymous());
}

#[test]
fn debug_output_keeps_claims_to_itself() {
    let principal = verify_claims(&json!({"role": "author", "email": "jdoe@example.com"}));
    let shown = format!("{:?}", principal.unwrap());
    assert!(shown.contains("author"), "{shown}");
    assert!(!shown.contains("jdoe"), "{shown}");
}

#[test]
fn a_request_without_credentials_has_the_anonymous_role() {
    let principal = verifier().anonymous().unwrap();
    assert_eq!(principal.role(), &Arc::from("anon"));
    assert_eq!(&**principal.claims_json(), r#"{"role":"anon"}"#);
    assert_eq!(principal.credential(), Credential::None);
    assert!(principal.is_anonymous());
}
