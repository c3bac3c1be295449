//! Ports of 127.0.0.1.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use crate::directory::write_private;
use crate::error::ClusterError;

/// A port that nobody listens on right now.
pub fn free_port() -> Result<u16, ClusterError> {
    let bound =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    Ok(bound
        .map_err(|source| ClusterError::Spawn {
            program: "a listener".to_owned(),
            source,
        })?
        .port())
}

/// The given port if nobody listens on it; else the one used last time if that is free; else any free one.
pub(crate) fn choose(given: Option<u16>, memory: &Path) -> Result<u16, ClusterError> {
    if let Some(port) = given {
        return if is_free(port) {
            Ok(port)
        } else {
            Err(ClusterError::PortInUse(port))
        };
    }
    let last = std::fs::read_to_string(memory)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    if let Some(port) = last.filter(|port| is_free(*port)) {
        return Ok(port);
    }
    let port = free_port()?;
    write_private(memory, format!("{port}\n").as_bytes())?;
    Ok(port)
}

fn is_free(port: u16) -> bool {
    // Privileged ports are refused for another reason, which the server itself will name.
    !matches!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)), Err(error) if error.kind() == ErrorKind::AddrInUse)
}
