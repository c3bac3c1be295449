//! The keeper: a shell that outlives the test processes and stops the servers when the last of them is gone.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::fcntl::{Flock, FlockArg};
use passerelle_cluster::{PostgresEndpoint, RedisEndpoint};

use crate::server::lock_file;

/// Waits until nobody holds `users`, gives the next test program of the run two seconds to come, and stops the servers.
/// The keeper's own lock is given back before `users`, so that whoever comes next knows to start another keeper.
const SCRIPT: &str = r#"
cd "$1" || exit 1
exec 9>>keeper
flock -n 9 || exit 0
while :; do
    exec 8>>users
    flock 8
    exec 8>&-
    sleep 2
    exec 8>>users
    flock -n 8 && break
done
for pid in $(cat pids); do kill -INT "$pid"; done
# What has ended keeps its number until somebody reaps it, which a container's first process may never do.
works() {
    read -r stat < "/proc/$1/stat" || return 1
    case "${stat##*) }" in Z*) return 1 ;; esac
}
for pid in $(cat pids); do
    while works "$pid"; do sleep 0.05; done
done
exec 9>&-
"#;

/// Notes what is to be stopped and starts a keeper unless there is one.
pub(crate) fn ensure(home: &Path, postgres: &PostgresEndpoint, redis: Option<&RedisEndpoint>) {
    let pids = match redis {
        Some(redis) => format!("{} {}\n", postgres.pid, redis.pid),
        None => format!("{}\n", postgres.pid),
    };
    let noted = fs::write(home.join("pids"), pids);
    noted.unwrap_or_else(|error| panic!("{}: {error}", home.display()));
    let free = Flock::lock(
        lock_file(&home.join("keeper")),
        FlockArg::LockExclusiveNonblock,
    );
    if free.is_err() {
        return;
    }
    drop(free);
    let spawned = Command::new("sh")
        .args(["-c", SCRIPT, "testkit-keeper"])
        .arg(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    if let Err(error) = spawned {
        panic!("could not start the keeper of the test servers: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// A server that has ended and that nobody has reaped, as in a container whose first process does not.
    #[test]
    fn the_keeper_does_not_wait_for_the_dead() {
        let home = tempfile::TempDir::new().expect("a directory");
        let mut dead = Command::new("true").spawn().expect("a process");
        fs::write(home.path().join("pids"), format!("{}\n", dead.id())).expect("its number");
        let mut keeper = Command::new("sh")
            .args(["-c", SCRIPT, "testkit-keeper"])
            .arg(home.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let end = Instant::now() + Duration::from_secs(20);
        let ended = loop {
            if keeper.try_wait().expect("a state").is_some() {
                break true;
            }
            if Instant::now() > end {
                keeper.kill().expect("it ends");
                break false;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        dead.wait().expect("it has ended");
        assert!(ended, "the keeper waits for a process that has ended");
    }
}
