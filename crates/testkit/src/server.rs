//! The servers that all test processes of a run share.
//!
//! Two lock files order the processes: `gate` is held while servers are started, `users` is held (shared) by every
//! test process for as long as it lives. The keeper stops the servers when nobody holds `users` any more.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use passerelle_cluster::{
    ClusterError, Durability, Postgres, PostgresEndpoint, PostgresSettings, Redis, RedisEndpoint,
    RedisSettings,
};
use tokio::sync::OnceCell;

use crate::{database, keeper};

/// The shared servers, as one test process sees them.
pub(crate) struct Servers {
    pub(crate) postgres: PostgresEndpoint,
    pub(crate) redis: Option<RedisEndpoint>,
    /// Held until the process ends; statics are never dropped, the kernel lets go.
    _users: Flock<File>,
}

/// The servers, started by the first caller of all processes.
pub(crate) async fn servers() -> &'static Servers {
    static SERVERS: OnceCell<Servers> = OnceCell::const_new();
    SERVERS.get_or_init(|| async { join(&home()).await }).await
}

/// Opens a lock file, making it where necessary.
pub(crate) fn lock_file(path: &Path) -> File {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    opened.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

async fn join(home: &Path) -> Servers {
    fs::create_dir_all(home).unwrap_or_else(|error| panic!("{}: {error}", home.display()));
    let gate = lock(lock_file(&home.join("gate")), FlockArg::LockExclusive);
    let users_path = home.join("users");
    let alone = Flock::lock(lock_file(&users_path), FlockArg::LockExclusiveNonblock);
    let is_first = alone.is_ok();
    drop(alone);
    // The gate keeps other test processes out; the keeper may be stopping the servers and is waited for.
    let users = lock(lock_file(&users_path), FlockArg::LockShared);
    let postgres = postgres(home).await;
    let redis = redis(home).await;
    keeper::ensure(home, &postgres, redis.as_ref());
    if is_first {
        database::drop_leftovers(&postgres).await;
    }
    drop(gate);
    Servers {
        postgres,
        redis,
        _users: users,
    }
}

async fn postgres(home: &Path) -> PostgresEndpoint {
    if let Ok(Some(running)) = Postgres::running(home).await {
        return running;
    }
    let mut settings = PostgresSettings::new(home);
    settings.durability = Durability::Volatile;
    settings.parameters = [
        ("max_connections", "300"),
        ("shared_buffers", "64MB"),
        ("max_wal_size", "256MB"),
        ("max_wal_senders", "100"),
        ("max_replication_slots", "100"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    match Postgres::start(&settings).await {
        Ok(server) => server.detach(),
        // Volatile data may not survive a crash of the machine, and may be of a version that is gone.
        Err(ClusterError::Failed { .. } | ClusterError::OtherVersion { .. }) => {
            let anew = async {
                Postgres::erase(home).await?;
                Postgres::start(&settings).await
            };
            anew.await
                .unwrap_or_else(|error| panic!("{}", told(&error)))
                .detach()
        }
        Err(error) => panic!("{}", told(&error)),
    }
}

async fn redis(home: &Path) -> Option<RedisEndpoint> {
    if let Ok(Some(running)) = Redis::running(home).await {
        return Some(running);
    }
    let settings = RedisSettings {
        durability: Durability::Volatile,
        ..RedisSettings::new(home)
    };
    match Redis::start(&settings).await {
        Ok(server) => Some(server.detach()),
        Err(ClusterError::MissingRedis) => None,
        Err(error) => panic!("{}", told(&error)),
    }
}

/// `target/testkit` of the build that this test program came from.
fn home() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let profile = program
        .ancestors()
        .find(|dir| dir.ends_with("deps"))
        .and_then(Path::parent);
    let target = profile.and_then(Path::parent).map(Path::to_owned);
    target
        .unwrap_or_else(|| crate::scripts::repository().join("target"))
        .join("testkit")
}

fn lock(file: File, how: FlockArg) -> Flock<File> {
    Flock::lock(file, how)
        .unwrap_or_else(|(_, errno)| panic!("could not lock the test servers: {errno}"))
}

fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
