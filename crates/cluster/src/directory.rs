//! The directory servers live in: where it is, who may enter it, who works in it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use crate::account::Account;
use crate::error::ClusterError;

/// Where server data goes when root's own directories are closed to the server account.
const FALLBACK: &str = "/var/lib/passerelle";

/// A directory that the server account can reach.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    account: Account,
    moved: bool,
}

/// The right to work in a directory; ends with the value or with the process, however it ends.
#[derive(Debug)]
pub struct Occupation {
    _lock: Flock<File>,
}

impl Directory {
    /// Makes the directory usable for servers, or chooses one below `/var/lib/passerelle` when the server account may
    /// not enter the wanted one (root's home is closed to the user `postgres`).
    pub async fn prepare(wanted: &Path) -> Result<Self, ClusterError> {
        let account = Account::for_servers()?;
        let wanted = make(wanted, 0o755)?;
        if account.may_enter(&wanted).await {
            return Ok(Self {
                path: wanted,
                account,
                moved: false,
            });
        }
        let fallback = Path::new(FALLBACK).join(format!("{:016x}", fingerprint(&wanted)));
        let path = make(&fallback, 0o755)?;
        Ok(Self {
            path,
            account,
            moved: true,
        })
    }

    /// The absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this is not the wanted directory but the one below `/var/lib/passerelle`.
    pub fn is_moved(&self) -> bool {
        self.moved
    }

    /// Claims a part of the directory for this process; an error when another process works in it.
    pub fn occupy(&self, part: &str) -> Result<Occupation, ClusterError> {
        let path = self.path.join(format!("{part}.lock"));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|source| ClusterError::file(&path, source))?;
        let mut holder = String::new();
        file.read_to_string(&mut holder)
            .map_err(|source| ClusterError::file(&path, source))?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| {
            ClusterError::InUse {
                dir: self.path.clone(),
                owner: holder.trim().parse().ok(),
            }
        })?;
        let write = || {
            lock.set_len(0)?;
            std::os::unix::fs::FileExt::write_all_at(
                &*lock,
                format!("{}\n", std::process::id()).as_bytes(),
                0,
            )
        };
        write().map_err(|source| ClusterError::file(&path, source))?;
        Ok(Occupation { _lock: lock })
    }

    pub(crate) fn account(&self) -> Account {
        self.account
    }

    /// A directory below this one, for the server account alone.
    pub(crate) fn private(&self, name: &str) -> Result<PathBuf, ClusterError> {
        let path = make(&self.path.join(name), 0o700)?;
        self.account.own(&path)?;
        Ok(path)
    }
}

/// Replaces a file's content at once; nobody else may read it.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), ClusterError> {
    let fresh = path.with_extension("new");
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(content)?;
        fs::rename(&fresh, path)
    };
    write().map_err(|source| ClusterError::file(path, source))
}

fn make(wanted: &Path, mode: u32) -> Result<PathBuf, ClusterError> {
    let path = fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(wanted)
        .and_then(|()| wanted.canonicalize());
    path.map_err(|source| ClusterError::file(wanted, source))
}

/// FNV-1a: the same for the same path in every build, which the standard hasher does not promise.
fn fingerprint(path: &Path) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, step)
}
