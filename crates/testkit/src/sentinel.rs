//! A Redis with a replica, watched by three sentinels.

use std::fmt::Write as _;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use passerelle_cluster::free_port;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::private_redis::{PrivateRedis, ask, directory};

/// Long enough for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);
const TICK: Duration = Duration::from_millis(50);
const SERVICE: &str = "main";

/// A master, a replica and three sentinels on 127.0.0.1; stopped with this value.
#[derive(Debug)]
pub struct TestSentinel {
    /// The server that is the master at first.
    pub master: PrivateRedis,
    /// The server that takes its place.
    pub replica: PrivateRedis,
    ports: Vec<u16>,
    password: String,
    _sentinels: Vec<(Child, TempDir)>,
}

impl TestSentinel {
    /// Starts all of them; returns when they would elect the replica.
    pub async fn start() -> Self {
        let password = passerelle_cluster::random_hex(16);
        let password = password.unwrap_or_else(|error| panic!("{error}"));
        let login = ("masterauth", password.as_str());
        // Replicas are not waited for: there is one.
        let at_once = ("repl-diskless-sync-delay", "0");
        let master = PrivateRedis::start_with_password(&password, &[login, at_once]).await;
        let origin = format!("127.0.0.1 {}", master.port());
        let follows = [login, ("replicaof", &origin)];
        let replica = PrivateRedis::start_with_password(&password, &follows).await;
        let sentinels: Vec<_> = (0..3).map(|_| sentinel(master.port(), &password)).collect();
        let ports = sentinels.iter().map(|(port, ..)| *port).collect();
        let started = Self {
            master,
            replica,
            ports,
            password,
            _sentinels: sentinels
                .into_iter()
                .map(|(_, child, dir)| (child, dir))
                .collect(),
        };
        started.agree().await;
        started
    }

    /// Its connection URI, with the password of the servers.
    pub fn url(&self) -> String {
        let hosts = self.ports.iter().map(|port| format!("127.0.0.1:{port}"));
        let hosts: Vec<String> = hosts.collect();
        let (password, hosts) = (&self.password, hosts.join(","));
        format!("redis+sentinel://:{password}@{hosts}/{SERVICE}")
    }

    /// Returns when all sentinels know the replica and each other.
    async fn agree(&self) {
        for port in &self.ports {
            until("the sentinels agree", || {
                let knows = |what, count: usize| {
                    ask(*port, None, &["sentinel", what, SERVICE])
                        .lines()
                        .filter(|line| line.trim() == "name")
                        .count()
                        == count
                };
                knows("replicas", 1)
                    && knows("sentinels", 2)
                    && ask(*port, None, &["sentinel", "ckquorum", SERVICE]).starts_with("OK")
            })
            .await;
        }
        until("the replica follows", || {
            let replication = self.replica.ask(&["info", "replication"]);
            replication.contains("master_link_status:up")
        })
        .await;
    }
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        sleep(TICK).await;
    }
}

fn sentinel(master: u16, password: &str) -> (u16, Child, TempDir) {
    let port = free_port().unwrap_or_else(|error| panic!("{error}"));
    let dir = directory();
    let mut text = format!(
        "bind 127.0.0.1\nport {port}\ndir \"{}\"\nlogfile \"\"\n",
        dir.path().display()
    );
    for line in [
        format!("monitor {SERVICE} 127.0.0.1 {master} 2"),
        format!("auth-pass {SERVICE} {password}"),
        format!("down-after-milliseconds {SERVICE} 1000"),
        format!("failover-timeout {SERVICE} 5000"),
    ] {
        let _ = writeln!(text, "sentinel {line}");
    }
    let path = dir.path().join("sentinel.conf");
    fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let child = Command::new("redis-server")
        .arg(&path)
        .arg("--sentinel")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let child = child.unwrap_or_else(|error| panic!("a sentinel does not start: {error}"));
    (port, child, dir)
}
