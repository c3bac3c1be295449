//! Any path to the role is read or refused, and finds a role or none in any claims; an older path
//! written anew is one of today.

#![no_main]

use libfuzzer_sys::fuzz_target;
use passerelle_identity::{
    IdentitySettings, RolePath, Secret, SigningKey, UnixTime, Verifier, mint,
};
use serde_json::value::RawValue;

const SECRET: &str = "reallyreallyreallyreallyverysafe";

fuzz_target!(|text: &str| {
    let (path, claims) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(read) = RolePath::parse(path) else {
        return;
    };
    if let Some(anew) = read.deprecated() {
        let again = RolePath::parse(&anew).expect("it can be read again");
        assert_eq!(again.deprecated(), None);
    }
    let verifier = Verifier::new(&IdentitySettings {
        secret: Some(Secret::from(SECRET)),
        role_claim_key: path.to_owned(),
        ..IdentitySettings::default()
    });
    let verifier = verifier.expect("the path is right");
    if let Ok(claims) = serde_json::from_str::<&RawValue>(claims) {
        let token = mint(&claims, &SigningKey::hs256(&Secret::from(SECRET))).expect("it is signed");
        let _ = verifier.verify(token.as_bytes(), UnixTime(1_700_000_000));
    }
});
