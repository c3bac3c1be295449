//! How refusals read on the wire.

use passerelle_identity::{ClaimsError, DecodeError, TokenError};

fn check(error: impl Into<TokenError>, code: &str, status: u16, message: &str) -> TokenError {
    let error = error.into();
    assert_eq!(error.code(), code);
    assert_eq!(error.status(), status);
    assert_eq!(error.message(), message);
    error
}

#[test]
fn a_missing_secret() {
    let error = check(
        TokenError::SecretMissing,
        "PGRST300",
        500,
        "Server lacks JWT secret",
    );
    assert_eq!(error.www_authenticate(), None);
    assert_eq!((error.details(), error.hint()), (None, None));
}

#[test]
fn anonymous_access() {
    let message = "Anonymous access is disabled";
    let error = check(TokenError::AnonymousDisabled, "PGRST302", 401, message);
    assert_eq!(error.www_authenticate().as_deref(), Some("Bearer"));
}

#[test]
fn tokens_that_cannot_be_decoded() {
    let table = [
        (
            DecodeError::Empty,
            "Empty JWT is sent in Authorization header",
            None,
        ),
        (
            DecodeError::UnexpectedParts(2),
            "Expected 3 parts in JWT; got 2",
            None,
        ),
        (
            DecodeError::NoSuitableKey,
            "No suitable key or wrong key type",
            Some("No suitable key was found to decode the JWT"),
        ),
        (
            DecodeError::BadSignature,
            "No suitable key or wrong key type",
            Some("None of the keys was able to decode the JWT"),
        ),
        (
            DecodeError::Unsecured,
            "Wrong or unsupported encoding algorithm",
            Some("JWT is unsecured but expected 'alg' was not 'none'"),
        ),
        (
            DecodeError::Malformed,
            "JWT cryptographic operation failed",
            None,
        ),
    ];
    for (error, message, details) in table {
        let error = check(error, "PGRST301", 401, message);
        assert_eq!(error.details(), details);
        assert_eq!(error.hint(), None);
        assert_eq!(
            error.www_authenticate().unwrap(),
            format!("Bearer error=\"invalid_token\", error_description=\"{message}\"")
        );
    }
}

#[test]
fn claims_that_do_not_hold() {
    let table = [
        (ClaimsError::Expired, "JWT expired"),
        (ClaimsError::NotYetValid, "JWT not yet valid"),
        (ClaimsError::IssuedAtFuture, "JWT issued at future"),
        (ClaimsError::NotInAudience, "JWT not in audience"),
        (ClaimsError::NotAnObject, "Parsing claims failed"),
        (
            ClaimsError::ExpNotNumber,
            "The JWT 'exp' claim must be a number",
        ),
        (
            ClaimsError::NbfNotNumber,
            "The JWT 'nbf' claim must be a number",
        ),
        (
            ClaimsError::IatNotNumber,
            "The JWT 'iat' claim must be a number",
        ),
        (
            ClaimsError::AudNotStringOrArray,
            "The JWT 'aud' claim must be a string or an array of strings",
        ),
    ];
    for (error, message) in table {
        let error = check(error, "PGRST303", 401, message);
        assert_eq!((error.details(), error.hint()), (None, None));
        assert_eq!(
            error.www_authenticate().unwrap(),
            format!("Bearer error=\"invalid_token\", error_description=\"{message}\"")
        );
    }
}
