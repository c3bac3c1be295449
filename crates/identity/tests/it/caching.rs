//! A remembered token is judged as strictly as a new one.

use passerelle_identity::{ClaimsError, DecodeError, IdentitySettings, UnixTime, Verifier};
use serde_json::json;

use crate::tokens::{NOW, hs256, settings};

fn verifier(cache_max_entries: usize) -> Verifier {
    Verifier::new(&IdentitySettings {
        cache_max_entries,
        ..settings()
    })
    .unwrap()
}

fn later(seconds: i64) -> UnixTime {
    UnixTime(NOW.seconds() + seconds)
}

#[test]
fn a_remembered_token_expires_on_time() {
    for entries in [0, 1, 1000] {
        let verifier = verifier(entries);
        let token = hs256(&json!({"role": "author", "exp": NOW.seconds() + 10}));
        let verify = |now| verifier.verify(token.as_bytes(), now);
        assert!(verify(NOW).is_ok());
        assert!(verify(later(40)).is_ok());
        assert_eq!(verify(later(41)), Err(ClaimsError::Expired.into()));
        assert_eq!(verify(later(9999)), Err(ClaimsError::Expired.into()));
    }
}

#[test]
fn a_token_remembered_too_early_becomes_valid() {
    let verifier = verifier(10);
    let token = hs256(&json!({"role": "author", "nbf": NOW.seconds() + 60}));
    let verify = |now| verifier.verify(token.as_bytes(), now);
    assert_eq!(verify(NOW), Err(ClaimsError::NotYetValid.into()));
    assert!(verify(later(30)).is_ok());
}

#[test]
fn remembering_changes_no_answer() {
    let (with, without) = (verifier(3), verifier(0));
    let tokens: Vec<_> = (0..12)
        .map(|number| hs256(&json!({"role": format!("r{number}"), "exp": NOW.seconds() + number})))
        .collect();
    for round in 0..5 {
        for token in &tokens {
            let now = later(round * 15);
            let seen = with.verify(token.as_bytes(), now);
            assert_eq!(seen, without.verify(token.as_bytes(), now));
        }
    }
}

#[test]
fn a_remembered_token_covers_no_other() {
    let verifier = verifier(10);
    let token = hs256(&json!({"role": "author"}));
    assert!(verifier.verify(token.as_bytes(), NOW).is_ok());
    let other = hs256(&json!({"role": "service_role"}));
    let claims = other.split('.').nth(1).unwrap();
    let parts: Vec<_> = token.split('.').collect();
    let forged = format!("{}.{claims}.{}", parts[0], parts[2]);
    let refused = verifier.verify(forged.as_bytes(), NOW);
    assert_eq!(refused, Err(DecodeError::BadSignature.into()));
}

#[test]
fn remembered_tokens_share_their_principal() {
    let verifier = verifier(10);
    let token = hs256(&json!({"role": "author"}));
    let first = verifier.verify(token.as_bytes(), NOW).unwrap();
    let second = verifier.verify(token.as_bytes(), NOW).unwrap();
    assert!(std::ptr::eq(first.role(), second.role()));
}

#[test]
fn very_long_tokens_are_verified_each_time() {
    let verifier = verifier(10);
    let token = hs256(&json!({"role": "author", "filler": "x".repeat(20_000)}));
    let first = verifier.verify(token.as_bytes(), NOW).unwrap();
    let second = verifier.verify(token.as_bytes(), NOW).unwrap();
    assert_eq!(first, second);
    assert!(!std::ptr::eq(first.role(), second.role()));
}

#[test]
fn threads_may_share_a_verifier() {
    let verifier = verifier(4);
    let tokens: Vec<_> = (0..8)
        .map(|n| hs256(&json!({"role": format!("r{n}")})))
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (number, token) in tokens.iter().enumerate().cycle().take(200) {
                    let principal = verifier.verify(token.as_bytes(), NOW).unwrap();
                    assert_eq!(**principal.role(), format!("r{number}"));
                }
            });
        }
    });
}
