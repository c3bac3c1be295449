//! `passerelle keys`: a secret, and the two API keys that supabase-js is given.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use passerelle_identity::{
    ApiKeyClaims, MintError, RANDOM_SECRET_BYTES, Secret, SigningKey, SigningKeys,
    SigningKeysError, UnixTime, Weakness, generate_secret, mint,
};

use super::{CommandError, print, tell};
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
    /// The signing keys cannot be used.
    #[error(transparent)]
    Signing(#[from] SigningKeysError),
    /// Their file cannot be read or written.
    #[error("could not change {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
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

/// Keys that signed before and are kept for the tokens they have signed.
const KEPT: usize = 3;

/// Changes the signing keys of a file; a file that is there is whole at every moment.
pub(super) fn rotate(path: &Path) -> Result<(), CommandError> {
    let failed = |source| KeysError::File {
        path: path.to_owned(),
        source,
    };
    let before = match std::fs::read(path) {
        Ok(text) => Some(Secret::from(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error).into()),
    };
    let mut random = [0; 32];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random));
    read.map_err(KeysError::Randomness)?;
    let name = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
    };
    let (one, other) = (name(&random[..16]), name(&random[16..]));
    let keys =
        SigningKeys::rotate(before.as_ref(), [&one, &other], KEPT).map_err(KeysError::from)?;
    let draft = path.with_extension("new");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(keys.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&draft, path));
    written.map_err(failed)?;
    tell(&format!(
        "passerelle: {} has the next key; send SIGUSR2 to servers that read it",
        path.display()
    ));
    Ok(())
}

fn fresh_secret() -> Result<Secret, KeysError> {
    let mut random = [0; RANDOM_SECRET_BYTES];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random));
    read.map_err(KeysError::Randomness)?;
    Ok(generate_secret(&random))
}
