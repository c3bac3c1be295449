//! Starts real servers in directories of their own.

mod postgres;
mod redis;

use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

/// A directory that the server account may enter, too.
fn directory() -> TempDir {
    let dir = TempDir::new().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// Ends a process as a crash would.
fn kill(pid: i32) {
    let kill = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
}

fn runs(pid: i32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}/cwd"))
        .read_link()
        .is_ok()
}
