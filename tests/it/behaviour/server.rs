//! `passerelle rest` as a child process, configured like PostgREST.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::gateway::SECRET;

/// Long enough for a machine that is busy with other tests.
const START_LIMIT: Duration = Duration::from_mins(1);

/// Where cargo puts the binary; built once, so that it is the one of this source tree.
static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let built = std::process::Command::new(cargo)
        .args(["build", "--quiet", "--package", "passerelle-gateway"])
        .args(["--bin", "passerelle"])
        .status()
        .expect("cargo starts");
    assert!(built.success(), "the binary does not build");
    let test = std::env::current_exe().expect("this test has a path");
    let target = test.parent().and_then(Path::parent);
    target
        .expect("it lies in target/debug/deps")
        .join("passerelle")
});

/// The variables of each configuration; what is null in one is unset.
pub(super) struct Configurations(BTreeMap<String, Map<String, Value>>);

impl Configurations {
    /// Reads the file of configurations.
    pub(super) fn read(folder: &Path) -> Self {
        let file = folder.join("configurations.json");
        let text = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let value: Map<String, Value> = serde_json::from_str(&text).expect("configurations");
        let entries = value.into_iter().map(|(name, variables)| {
            let variables = variables.as_object().expect("variables").clone();
            (name, variables)
        });
        Self(entries.collect())
    }

    /// `base`, changed by the configuration of this name.
    fn variables(&self, name: &str) -> BTreeMap<String, String> {
        let of = |name: &str| {
            let found = self.0.get(name);
            found.unwrap_or_else(|| panic!("no configuration is named {name}"))
        };
        let secret = ("PGRST_JWT_SECRET".to_owned(), SECRET.to_owned());
        let mut variables = BTreeMap::from([secret]);
        for (key, value) in of("base").iter().chain(of(name)) {
            match value {
                Value::String(value) => variables.insert(key.clone(), value.clone()),
                Value::Null => variables.remove(key),
                _ => panic!("{name}: {key} is a text or null"),
            };
        }
        variables
    }
}

/// A server on a port of its own; stopped with this value.
pub(super) struct Server {
    /// `http://127.0.0.1:PORT`
    pub(super) url: String,
    _process: Child,
}

impl Server {
    /// Serves a database; ready when this returns.
    pub(super) async fn start(uri: &str, configurations: &Configurations, name: &str) -> Self {
        let mut process = Command::new(&*BINARY)
            .arg("rest")
            .envs(configurations.variables(name))
            .env("PGRST_DB_URI", uri)
            .env("PGRST_SERVER_HOST", "127.0.0.1")
            .env("PGRST_SERVER_PORT", "0")
            .env("PGRST_DB_POOL", "3")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let stderr = process.stderr.take().expect("stderr is piped");
        let mut lines = BufReader::new(stderr).lines();
        let mut log = String::new();
        let url = timeout(START_LIMIT, async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, url)) = line.split_once("ready at ") {
                    return Some(url.trim().to_owned());
                }
                log.push_str(&line);
                log.push('\n');
            }
            None
        });
        let url = url.await.ok().flatten();
        let url = url.unwrap_or_else(|| panic!("{name}: the server is not ready:\n{log}"));
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            url,
            _process: process,
        }
    }
}
