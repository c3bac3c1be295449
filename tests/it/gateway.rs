//! The binary as a child process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use passerelle_testkit::TestDb;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

/// Long enough for a machine that is busy with other tests.
const START_LIMIT: Duration = Duration::from_mins(1);

/// The secret of all gateways of these tests.
pub(crate) const SECRET: &str = "a secret of these tests, long enough to be taken";

/// Where cargo puts the binary; built once, so that it is the one of this source tree.
static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    // Longer runs test what is shipped.
    let release = (!cfg!(debug_assertions)).then_some("--release");
    let built = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--package",
            "passerelle-gateway",
            "--bin",
            "passerelle",
        ])
        .args(release)
        .status()
        .expect("cargo starts");
    assert!(built.success(), "the binary does not build");
    let test = std::env::current_exe().expect("this test has a path");
    let target = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("it lies in target/debug/deps");
    target.join("passerelle")
});

/// The gateway on a port of its own; stopped with this value.
pub(crate) struct Gateway {
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    /// Where the REST surface is.
    pub(crate) prefix: &'static str,
    process: Child,
}

impl Gateway {
    /// `passerelle serve` for a database; ready when this returns.
    pub(crate) async fn serve(db: &TestDb, settings: &[(&str, &str)]) -> Self {
        let mut command = tokio::process::Command::new(&*BINARY);
        command
            .arg("serve")
            .env("DATABASE_URL", db.authenticator_url())
            .env("JWT_SECRET", SECRET)
            .env("PASSERELLE_SERVER_HOST", "127.0.0.1")
            .env("PASSERELLE_SERVER_PORT", "0")
            .env("PASSERELLE_SERVER_ADMIN_PORT", "0")
            .envs(settings.iter().copied());
        Self::start(command, "/rest/v1").await
    }

    /// `passerelle serve` with a configuration file.
    pub(crate) async fn configured(db: &TestDb, config: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = tokio::process::Command::new(&*BINARY);
        command
            .arg("serve")
            .arg("--config")
            .arg(config)
            .env("DATABASE_URL", db.authenticator_url())
            .env("PASSERELLE_DATABASE_FEED_URL", db.url())
            .env("JWT_SECRET", SECRET)
            .env("PASSERELLE_SERVER_HOST", "127.0.0.1")
            .env("PASSERELLE_SERVER_PORT", "0")
            .env("PASSERELLE_SERVER_ADMIN_PORT", "0")
            .envs(settings.iter().copied());
        Self::start(command, "/rest/v1").await
    }

    /// `passerelle rest` for a database; ready when this returns.
    pub(crate) async fn rest(db: &TestDb, settings: &[(&str, &str)]) -> Self {
        let mut command = tokio::process::Command::new(&*BINARY);
        command
            .arg("rest")
            .env("PGRST_DB_URI", db.authenticator_url())
            .env("PGRST_DB_SCHEMAS", "public")
            .env("PGRST_DB_ANON_ROLE", "anon")
            .env("PGRST_SERVER_HOST", "127.0.0.1")
            .env("PGRST_SERVER_PORT", "0")
            .envs(settings.iter().copied());
        Self::start(command, "").await
    }

    async fn start(mut command: tokio::process::Command, prefix: &'static str) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().expect("the binary starts");
        let stderr = process.stderr.take().expect("stderr is piped");
        let mut lines = BufReader::new(stderr).lines();
        let mut log = String::new();
        let url = timeout(START_LIMIT, async {
            while let Ok(Some(line)) = lines.next_line().await {
                log.push_str(&line);
                log.push('\n');
                if let Some(url) = ready_url(&line) {
                    return Some(url);
                }
            }
            None
        })
        .await;
        let url = url
            .ok()
            .flatten()
            .unwrap_or_else(|| panic!("the gateway is not ready:\n{log}"));
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            url,
            prefix,
            process,
        }
    }
}

impl Gateway {
    /// Sends its process a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.process.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Waits until its process has ended.
    pub(crate) async fn ended(&mut self) {
        let ended = timeout(START_LIMIT, self.process.wait()).await;
        ended.expect("it ends").expect("it can be waited for");
    }

    /// A figure in kilobytes of what the kernel tells about the process's memory, such as `VmRSS`.
    pub(crate) fn memory(&self, figure: &str) -> u64 {
        memory(self.process.id().expect("it runs"), figure)
    }
}

/// Runs `passerelle migrate` as the owner of a database; what it says.
pub(crate) async fn migrate(url: &str, config: &Path) -> String {
    let config = config.display().to_string();
    command(url, &["migrate", "--config", &config]).await
}

/// Runs the binary to its end with a database; what it says.
pub(crate) async fn command(url: &str, arguments: &[&str]) -> String {
    let mut command = tokio::process::Command::new(&*BINARY);
    command.args(arguments).env("DATABASE_URL", url);
    let output = command.output().await.expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complaint}");
    said
}

/// Runs the binary with a database to an end that is a failure; what it complains of.
pub(crate) async fn failure(url: &str, arguments: &[&str]) -> String {
    let mut command = tokio::process::Command::new(&*BINARY);
    command.args(arguments).env("DATABASE_URL", url);
    let output = command.output().await.expect("the binary starts");
    assert!(!output.status.success(), "{arguments:?} should fail");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A figure in kilobytes of what the kernel tells about a process's memory.
pub(crate) fn memory(process: u32, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"));
    let status = status.expect("the process runs");
    let mut lines = status.lines().map(str::split_whitespace);
    let number = lines.find_map(|mut words| {
        let named = words.next()?.strip_suffix(':') == Some(figure);
        named.then(|| words.next()).flatten()
    });
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no {figure} in:\n{status}"))
}

/// The address in the line that says the gateway is ready.
fn ready_url(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("ready")?;
    let start = rest.find("http://")?;
    let url = &rest[start..];
    let end = url
        .find(|c: char| c == '"' || c.is_whitespace())
        .unwrap_or(url.len());
    Some(url[..end].to_owned())
}
