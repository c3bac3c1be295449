//! `postmaster.pid`: what a running PostgreSQL writes about itself into its data directory.
//!
//! The lines are those of PostgreSQL's `src/include/utils/pidfile.h`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::ClusterError;
use crate::process::{ServerProcess, works_in};

/// Fast shutdown, then immediate shutdown, then the end.
pub(crate) const SHUTDOWN: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(20)),
    (Signal::SIGQUIT, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];

/// The content of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PostmasterFile {
    pub(crate) pid: i32,
    pub(crate) port: u16,
    pub(crate) ready: bool,
}

impl PostmasterFile {
    pub(crate) fn read(data: &Path) -> Option<Self> {
        parse(&fs::read_to_string(data.join("postmaster.pid")).ok()?)
    }

    /// The file of a server that runs on this data directory now.
    pub(crate) fn of_running(data: &Path) -> Option<Self> {
        Self::read(data).filter(|file| works_in(file.pid, data))
    }
}

/// Ends a server that an earlier starter left and removes its file; a file whose process is gone, or is another
/// program by now, is removed alone.
pub(crate) async fn clear_leftover(data: &Path) -> Result<(), ClusterError> {
    if let Some(file) = PostmasterFile::of_running(data) {
        ServerProcess::stray(file.pid).end(&SHUTDOWN).await?;
    }
    let path = data.join("postmaster.pid");
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ClusterError::file(&path, error))
        }
        _ => Ok(()),
    }
}

fn parse(text: &str) -> Option<PostmasterFile> {
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    let port = lines
        .nth(2)
        .and_then(|line| line.trim().parse().ok())
        .unwrap_or(0);
    let ready = lines.nth(3).is_some_and(|line| line.trim() == "ready");
    Some(PostmasterFile { pid, port, ready })
}

#[cfg(test)]
mod tests {
    use super::{PostmasterFile, parse};

    #[test]
    fn reads_a_ready_server() {
        let text = "4711\n/data\n1763884800\n5999\n/sockets\n127.0.0.1\n 12 34\nready   \n";
        assert_eq!(
            parse(text),
            Some(PostmasterFile {
                pid: 4711,
                port: 5999,
                ready: true
            })
        );
    }

    #[test]
    fn an_unfinished_file_is_not_ready() {
        assert_eq!(
            parse("4711\n/data\n"),
            Some(PostmasterFile {
                pid: 4711,
                port: 0,
                ready: false
            })
        );
        assert_eq!(parse(""), None);
    }
}
