//! Where PostgreSQL's programs are and which version they are of.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::error::ClusterError;

/// Where Debian and its descendants keep every installed version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A major version of PostgreSQL, such as 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Major(pub u16);

impl fmt::Display for Major {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The directory of one installation's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresBinaries {
    dir: PathBuf,
    major: Major,
}

impl PostgresBinaries {
    /// All installations: only the given directory, or else what `pg_config` names, every version of the distribution
    /// and the search path; newest first.
    pub async fn find(given: Option<&Path>) -> Result<Vec<Self>, ClusterError> {
        let mut found: Vec<Self> = Vec::new();
        for dir in candidates(given).await {
            if let Some(binaries) = Self::probe(&dir).await
                && !found.contains(&binaries)
            {
                found.push(binaries);
            }
        }
        if found.is_empty() {
            return Err(ClusterError::MissingPostgres(given.map(Path::to_owned)));
        }
        found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
        Ok(found)
    }

    /// The version.
    pub fn major(&self) -> Major {
        self.major
    }

    /// The path of one program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    async fn probe(dir: &Path) -> Option<Self> {
        // Client-only packages have neither of the two.
        if dir.is_absolute() && !dir.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(dir.join("postgres"))
            .arg("--version")
            .output()
            .await
            .ok()?;
        let major = major_of(std::str::from_utf8(&output.stdout).ok()?)?;
        Some(Self {
            dir: dir.to_owned(),
            major,
        })
    }
}

async fn candidates(given: Option<&Path>) -> Vec<PathBuf> {
    if let Some(dir) = given {
        return vec![std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned())];
    }
    let mut dirs = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output().await
        && let Ok(text) = std::str::from_utf8(&output.stdout)
    {
        dirs.push(PathBuf::from(text.trim()));
    }
    if let Ok(versions) = fs::read_dir(DEBIAN) {
        dirs.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    // A program without a directory is looked up in the search path.
    dirs.push(PathBuf::new());
    dirs
}

/// The version in `postgres (PostgreSQL) 15.14 (Debian …)`; pre-releases read `17beta1`.
fn major_of(version: &str) -> Option<Major> {
    let number = version.split(')').nth(1)?.trim_start();
    let digits = number
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(number.len());
    number[..digits].parse().ok().map(Major)
}

#[cfg(test)]
mod tests {
    use super::{Major, major_of};

    #[test]
    fn reads_the_version_line() {
        assert_eq!(
            major_of("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"),
            Some(Major(15))
        );
        assert_eq!(major_of("postgres (PostgreSQL) 17beta1"), Some(Major(17)));
        assert_eq!(major_of("something else"), None);
    }
}
