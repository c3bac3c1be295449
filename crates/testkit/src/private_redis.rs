//! A Redis for one test alone, which may be stopped, killed and started again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use passerelle_cluster::{Durability, Redis, RedisSettings};
use tempfile::TempDir;

/// A Redis of one test; stopped with this value. It keeps its address and its password.
#[derive(Debug)]
pub struct PrivateRedis {
    settings: RedisSettings,
    redis: Option<Redis>,
    _dir: TempDir,
}

impl PrivateRedis {
    /// Starts one with these lines in its configuration.
    pub async fn start(parameters: &[(&str, &str)]) -> Self {
        Self::start_in(directory(), parameters).await
    }

    /// Starts one with a password that another has, too.
    pub(crate) async fn start_with_password(password: &str, parameters: &[(&str, &str)]) -> Self {
        let dir = directory();
        let kept = fs::write(dir.path().join("redis.password"), password);
        kept.unwrap_or_else(|error| panic!("{}: {error}", dir.path().display()));
        Self::start_in(dir, parameters).await
    }

    async fn start_in(dir: TempDir, parameters: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let settings = RedisSettings {
            durability: Durability::Volatile,
            parameters: parameters.iter().map(owned).collect(),
            ..RedisSettings::new(dir.path())
        };
        let mut server = Self {
            settings,
            redis: None,
            _dir: dir,
        };
        server.restart().await;
        server
    }

    /// Starts it again, empty and at the same address.
    pub async fn restart(&mut self) {
        drop(self.redis.take());
        let started = Redis::start(&self.settings).await;
        let redis = started.unwrap_or_else(|error| panic!("Redis does not start: {error}"));
        self.settings.port = Some(redis.endpoint().port);
        self.redis = Some(redis);
    }

    /// Ends it without a word.
    pub async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        if let Some(redis) = self.redis.take() {
            let stopped = redis.stop().await;
            stopped.unwrap_or_else(|error| panic!("Redis does not end: {error}"));
        }
    }

    /// Lets it stand still: connections stay open and nothing is answered.
    pub fn pause(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Its connection URI.
    pub fn url(&self) -> String {
        self.running().endpoint().url()
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.running().endpoint().port
    }

    /// Its password.
    pub fn password(&self) -> &str {
        &self.running().endpoint().password
    }

    /// What it answers to a command.
    pub fn ask(&self, command: &[&str]) -> String {
        ask(self.port(), Some(self.password()), command)
    }

    fn running(&self) -> &Redis {
        let redis = self.redis.as_ref();
        redis.unwrap_or_else(|| panic!("this Redis was killed"))
    }

    fn signal(&self, signal: Signal) {
        if let Some(redis) = &self.redis {
            let _ = kill(Pid::from_raw(redis.endpoint().pid), signal);
        }
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        // One that stands still would not hear that it is to stop.
        self.resume();
    }
}

/// What a server on 127.0.0.1 answers.
pub(crate) fn ask(port: u16, password: Option<&str>, command: &[&str]) -> String {
    let mut cli = Command::new("redis-cli");
    cli.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    if let Some(password) = password {
        cli.env("REDISCLI_AUTH", password);
    }
    let output = cli.args(command).output();
    let output = output.unwrap_or_else(|error| panic!("redis-cli does not run: {error}"));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A directory that the account of the servers may enter.
pub(crate) fn directory() -> TempDir {
    let dir = TempDir::new().unwrap_or_else(|error| panic!("no temporary directory: {error}"));
    open(dir.path());
    dir
}

fn open(dir: &Path) {
    let opened = fs::set_permissions(dir, fs::Permissions::from_mode(0o755));
    opened.unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
}
