//! Who the servers run as: PostgreSQL refuses root, so root hands over to the user `postgres`.

use std::path::Path;

use nix::unistd::{Gid, Uid, User};
use tokio::process::Command;

use crate::error::ClusterError;

/// The user a server process runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The one who started us.
    Own,
    /// An unprivileged one, as we are root.
    Other { user: Uid, group: Gid },
}

impl Account {
    /// The account for server processes of this process.
    pub(crate) fn for_servers() -> Result<Self, ClusterError> {
        if !Uid::effective().is_root() {
            return Ok(Self::Own);
        }
        match User::from_name("postgres") {
            Ok(Some(found)) => Ok(Self::Other {
                user: found.uid,
                group: found.gid,
            }),
            _ => Err(ClusterError::NoServerAccount),
        }
    }

    /// A command that will run as this account, in a directory it may enter.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/");
        if let Self::Other { user, group } = self {
            command.uid(user.as_raw()).gid(group.as_raw());
        }
        command
    }

    /// Gives a path to this account.
    pub(crate) fn own(self, path: &Path) -> Result<(), ClusterError> {
        if let Self::Other { user, group } = self {
            std::os::unix::fs::chown(path, Some(user.as_raw()), Some(group.as_raw()))
                .map_err(|source| ClusterError::file(path, source))?;
        }
        Ok(())
    }

    /// Whether this account may pass through a directory, as the operating system sees it.
    pub(crate) async fn may_enter(self, dir: &Path) -> bool {
        if self == Self::Own {
            return true;
        }
        let status = self
            .command(Path::new("test"))
            .arg("-x")
            .arg(dir)
            .status()
            .await;
        status.is_ok_and(|status| status.success())
    }
}
