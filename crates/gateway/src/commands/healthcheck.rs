//! `passerelle healthcheck`: one request to `/ready` of an admin port.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;

use super::CommandError;
use crate::config::{ConfigError, Settings};
use crate::environment::Environment;

const PATIENCE: Duration = Duration::from_secs(5);
/// More than any answer of ours has; the rest is not read.
const ANSWER: u64 = 1024 * 1024;

/// Why a server does not count as ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HealthError {
    /// The URL is of another kind.
    #[error("{0} is not of the form http://host:port/path")]
    Url(String),
    /// Nobody answered.
    #[error("no answer from {address}")]
    Unreachable {
        /// Who was asked.
        address: String,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The answer was another than 200.
    #[error("not ready: {0}")]
    NotReady(String),
}

pub(super) fn run(
    config: Option<&Path>,
    url: Option<String>,
    environment: &Environment,
) -> Result<(), CommandError> {
    let url = match url {
        Some(url) => url,
        None => admin_url(&Settings::load(config, environment)?, "ready")?,
    };
    Ok(ask(&url)?)
}

/// Asks a URL of the form `http://host:port/path`.
pub(super) fn ask(url: &str) -> Result<(), HealthError> {
    fetch(url).map(drop)
}

/// The body of an answer with the status 200.
pub(super) fn fetch(url: &str) -> Result<String, HealthError> {
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| HealthError::Url(url.to_owned()))?;
    let (address, path) = rest.split_once('/').unwrap_or((rest, "ready"));
    let answer = exchange(address, path).map_err(|source| HealthError::Unreachable {
        address: address.to_owned(),
        source,
    })?;
    let status = answer.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") {
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
        return Ok(body.unwrap_or_default().to_owned());
    }
    Err(HealthError::NotReady(status.to_owned()))
}

fn exchange(address: &str, path: &str) -> std::io::Result<String> {
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return converse(stream, &address.to_string(), path),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn converse(mut stream: TcpStream, host: &str, path: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A page of a server's admin port.
pub(super) fn admin_url(settings: &Settings, page: &str) -> Result<String, ConfigError> {
    let server = &settings.server;
    if server.admin_port == 0 {
        let expected = "set: the admin port tells".to_owned();
        return Err(ConfigError::Value {
            key: "server.admin_port",
            expected,
        });
    }
    Ok(format!(
        "http://{}:{}/{page}",
        reachable(&server.admin_host),
        server.admin_port
    ))
}

/// An address to connect to, for one to listen on.
pub(super) fn reachable(host: &str) -> String {
    match host {
        "0.0.0.0" | "!4" | "*" | "*4" => "127.0.0.1".to_owned(),
        "::" | "!6" | "*6" => "[::1]".to_owned(),
        host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
        host => host.to_owned(),
    }
}
