//! Starts real servers in directories of their own.

mod postgres;
mod redis;

use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

/// A directory that the server account may enter, too.
fn directory() -> TempDir {
    let dir = TempDir::new().expect("a temporary directory");
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755))
        .expect("the system does as it is told");
    dir
}

/// Ends a process as a crash would.
fn kill(pid: i32) {
    let kill = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .expect("the system does as it is told");
    assert!(kill.success());
}

fn runs(pid: i32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}/cwd"))
        .read_link()
        .is_ok()
}
