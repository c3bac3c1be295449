//! `passerelle keys`: a secret, and the two API keys that supabase-js is given.

use std::fs::File;
use std::io::Read as _;

use passerelle_identity::{
    ApiKeyClaims, MintError, RANDOM_SECRET_BYTES, Secret, SigningKey, UnixTime, Weakness,
    generate_secret, mint,
};

use super::{CommandError, print};
use crate::clock;

const ISSUER: &str = "passerelle";

/// Why no keys could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    /// The operating system gave no randomness.
    #[error("no source of randomness")]
    Randomness(#[source] std::io::Error),
    /// A token could not be written.
    #[error("could not sign a key")]
    Mint(#[from] MintError),
    /// The given secret should not be used.
    #[error(transparent)]
    Weak(#[from] Weakness),
}

/// The keys of a deployment.
pub(crate) struct ApiKeys {
    /// For everybody: the role `anon`.
    pub(crate) anon: String,
    /// For servers only: the role `service_role`.
    pub(crate) service_role: String,
}

impl ApiKeys {
    /// The keys that a secret signs; the same for the same time.
    pub(crate) fn mint(secret: &Secret, now: UnixTime) -> Result<Self, MintError> {
        let key = SigningKey::hs256(secret);
        let of = |role| mint(&ApiKeyClaims::new(ISSUER, role, now), &key);
        Ok(Self {
            anon: of("anon")?,
            service_role: of("service_role")?,
        })
    }
}

pub(super) fn run(secret: Option<String>, json: bool) -> Result<(), CommandError> {
    let secret = match secret {
        Some(text) => Secret::from(text),
        None => fresh_secret()?,
    };
    if let Some(weakness) = secret.weakness() {
        return Err(KeysError::from(weakness).into());
    }
    let keys = ApiKeys::mint(&secret, clock::now()).map_err(KeysError::from)?;
    let secret = String::from_utf8_lossy(secret.expose());
    if json {
        let line = serde_json::json!({
            "jwt_secret": secret,
            "anon_key": keys.anon,
            "service_role_key": keys.service_role,
        });
        return print(&format!("{line}\n"));
    }
    print(&format!(
        "JWT secret        {secret}\nanon key          {}\nservice-role key  {}\n",
        keys.anon, keys.service_role
    ))
}

fn fresh_secret() -> Result<Secret, KeysError> {
    let mut random = [0; RANDOM_SECRET_BYTES];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random));
    read.map_err(KeysError::Randomness)?;
    Ok(generate_secret(&random))
}
