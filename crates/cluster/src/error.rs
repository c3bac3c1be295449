//! What can keep a private server from running, each as one sentence for the person who started it.

use std::io;
use std::path::{Path, PathBuf};

use crate::binaries::Major;

/// Why a private server could not be started, reused or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// No PostgreSQL server binaries were found.
    #[error("no PostgreSQL server found{}: install the package `postgresql` or name its directory with --pg-bin", looked_in(.0.as_deref()))]
    MissingPostgres(Option<PathBuf>),
    /// No `redis-server` was found.
    #[error("no redis-server found: install the package `redis-server`")]
    MissingRedis,
    /// Another program listens on the wanted port.
    #[error("port {0} of 127.0.0.1 is in use by another program: choose another one")]
    PortInUse(u16),
    /// The file system has no room left.
    #[error("no space left on the disk that holds {}", .0.display())]
    NoSpace(PathBuf),
    /// The data directory was made by another major version, and that version is not installed.
    #[error("{} holds data of PostgreSQL {found}, but the installed server is PostgreSQL {installed}: install postgresql-{found}, or start anew in another directory", .dir.display())]
    OtherVersion {
        /// The data directory.
        dir: PathBuf,
        /// The version that made it.
        found: Major,
        /// The version that would be started.
        installed: Major,
    },
    /// Another running process works in the directory.
    #[error("{} is in use by {}", .dir.display(), owner.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")))]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// Who holds it, where known.
        owner: Option<i32>,
    },
    /// The operating system refuses access.
    #[error("not permitted to use {}", .path.display())]
    NotPermitted {
        /// What was to be used.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// PostgreSQL refuses to run as root, and the account it could run as does not exist.
    #[error(
        "PostgreSQL does not run as root and there is no user `postgres` to run it as: install the package `postgresql` or start as an ordinary user"
    )]
    NoServerAccount,
    /// A file could not be read or written.
    #[error("could not use {}", .path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// A program could not be started at all.
    #[error("could not run {program}")]
    Spawn {
        /// The program.
        program: String,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// A server gave up while starting; `reason` is its own last word.
    #[error("{program} did not start: {reason} (log: {})", .log.display())]
    Failed {
        /// The program.
        program: &'static str,
        /// The line of its log that says why.
        reason: String,
        /// Where the whole log is.
        log: PathBuf,
    },
    /// A server neither became ready nor gave up in time.
    #[error("{program} was not ready after {seconds} seconds (log: {})", .log.display())]
    NotReady {
        /// The program.
        program: &'static str,
        /// How long was waited.
        seconds: u64,
        /// Where its log is.
        log: PathBuf,
    },
    /// A process of an earlier start could not be ended.
    #[error("could not stop process {pid}")]
    NotStopped {
        /// The process.
        pid: i32,
    },
    /// The operating system gave no randomness.
    #[error("no source of randomness")]
    NoRandomness(#[source] io::Error),
}

impl ClusterError {
    /// Sorts a failed file operation by what the person can do about it.
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull => Self::NoSpace(path),
            io::ErrorKind::PermissionDenied => Self::NotPermitted { path, source },
            _ => Self::File { path, source },
        }
    }

    /// Sorts the failure of a server by the log it left.
    pub(crate) fn from_log(program: &'static str, text: &str, log: &Path, port: u16) -> Self {
        if ["No space left on device", "Check free disk space"]
            .iter()
            .any(|sign| text.contains(sign))
        {
            return Self::NoSpace(log.to_owned());
        }
        if text.contains("Address already in use") {
            return Self::PortInUse(port);
        }
        let telling = |line: &&str| {
            line.contains("FATAL") || line.contains("PANIC") || line.contains("error:")
        };
        let reason = text
            .lines()
            .rev()
            .find(telling)
            .or_else(|| text.lines().last());
        let reason = reason.unwrap_or("it said nothing").trim().to_owned();
        Self::Failed {
            program,
            reason,
            log: log.to_owned(),
        }
    }
}

fn looked_in(dir: Option<&Path>) -> String {
    dir.map(|dir| format!(" in {}", dir.display()))
        .unwrap_or_default()
}
