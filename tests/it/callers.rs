//! Tokens of the people who call.

use std::time::{SystemTime, UNIX_EPOCH};

use passerelle_identity::{Secret, SigningKey, mint};
use serde_json::{Value, json};

/// Seconds since 1970, now.
pub(crate) fn now() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "tokens are minted for the present"
    )]
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970");
    i64::try_from(since.as_secs()).expect("seconds fit")
}

/// A token with these claims that expires in an hour.
pub(crate) fn token(secret: &str, mut claims: Value) -> String {
    claims["exp"] = json!(now() + 3600);
    mint(&claims, &SigningKey::hs256(&Secret::from(secret))).expect("the claims are an object")
}
