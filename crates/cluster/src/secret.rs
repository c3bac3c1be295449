//! Secrets that are generated once and kept in a file that only its owner may read.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use crate::directory::write_private;
use crate::error::ClusterError;

/// `bytes` random bytes of the operating system as lower-case hexadecimal digits.
pub fn random_hex(bytes: usize) -> Result<String, ClusterError> {
    let mut raw = vec![0; bytes];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut raw))
        .map_err(ClusterError::NoRandomness)?;
    let mut text = String::with_capacity(2 * bytes);
    for byte in raw {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// The secret kept in a file (mode 0600): read when it is there, else 32 fresh random bytes in hexadecimal.
pub fn kept_secret(path: &Path) -> Result<String, ClusterError> {
    kept_text(path, || random_hex(32))
}

/// The text kept in a file (mode 0600): read when it is there, else made and written.
pub fn kept_text(
    path: &Path,
    make: impl FnOnce() -> Result<String, ClusterError>,
) -> Result<String, ClusterError> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(ClusterError::file(path, source)),
    }
    let text = make()?;
    write_private(path, format!("{text}\n").as_bytes())?;
    Ok(text)
}
