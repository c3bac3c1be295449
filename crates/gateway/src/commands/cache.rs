//! `passerelle cache`: what kept replies do for a running server, and an end to all of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use passerelle_pg::ControlEndpoint;
use serde_json::json;

use super::healthcheck::{admin_url, fetch};
use super::{CommandError, print};
use crate::cli::CacheCommand;
use crate::config::Settings;
use crate::environment::Environment;

/// Every gateway that follows the database forgets what it has kept.
const FLUSH: &str = "select pg_logical_emit_message(true, 'passerelle.flush', '')";
/// The figures of the admin port that are shown.
const REQUESTS: &str = "passerelle_cache_requests_total{target=\"";

/// Why the gateways could not be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CacheError {
    /// No database is named.
    #[error("no database: set DATABASE_URL, or name the server's configuration with --config")]
    NoDatabase,
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It refused.
    #[error("the database did not take the message")]
    Tell(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No runtime.
    #[error("the runtime could not be started")]
    Runtime(#[source] std::io::Error),
    /// The server keeps no replies.
    #[error("the server keeps no replies: [cache] names no table")]
    Unused,
}

pub(super) fn run(command: CacheCommand, environment: &Environment) -> Result<(), CommandError> {
    match command {
        CacheCommand::Stats { config, url, json } => {
            let url = match url {
                Some(url) => url,
                None => admin_url(&Settings::load(config.as_deref(), environment)?, "metrics")?,
            };
            let stats = Stats::read(&fetch(&url).map_err(CommandError::Health)?);
            let stats = stats.ok_or(CacheError::Unused)?;
            print(&if json { stats.json() } else { stats.text() })
        }
        CacheCommand::Flush { config } => {
            flush(config.as_deref(), environment)?;
            print("all gateways forget what they have kept\n")
        }
    }
}

fn flush(config: Option<&Path>, environment: &Environment) -> Result<(), CommandError> {
    let url = Settings::load(config, environment)?.database.url;
    if url.is_empty() {
        return Err(CacheError::NoDatabase.into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CacheError::Runtime)?;
    let told = async {
        let endpoint = ControlEndpoint::parse(&url);
        let endpoint = endpoint.map_err(|error| CacheError::Connect(error.into()))?;
        let client = endpoint.connect().await;
        let client = client.map_err(|error| CacheError::Connect(error.into()))?;
        let told = client.execute(FLUSH, &[]).await;
        told.map_err(|error| CacheError::Tell(error.into()))
    };
    runtime.block_on(told)?;
    Ok(())
}

/// Counts by table or function, and then by what the cache did.
#[derive(Debug, PartialEq)]
struct Stats {
    is_sure: bool,
    bytes: u64,
    replies: u64,
    targets: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Stats {
    /// Reads the figures in Prometheus' text format; nothing where there are none of the cache.
    fn read(figures: &str) -> Option<Self> {
        let number = |name: &str| {
            let mut lines = figures.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        };
        let mut targets: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for line in figures.lines() {
            let Some((target, rest)) = line
                .strip_prefix(REQUESTS)
                .and_then(|rest| rest.split_once("\",result=\""))
            else {
                continue;
            };
            if let Some((result, count)) = rest.split_once("\"} ")
                && let Ok(count) = count.parse()
            {
                let counts = targets.entry(target.to_owned()).or_default();
                counts.insert(result.to_owned(), count);
            }
        }
        Some(Self {
            is_sure: number("passerelle_cache_sure")? == 1,
            bytes: number("passerelle_cache_bytes")?,
            replies: number("passerelle_cache_replies")?,
            targets,
        })
    }

    fn text(&self) -> String {
        let state = if self.is_sure {
            "kept replies are handed out"
        } else {
            "nothing is handed out: changes are not followed"
        };
        let mut text = format!(
            "{state}; {} replies, {} bytes\n\n",
            self.replies, self.bytes
        );
        let width = self
            .targets
            .keys()
            .map(String::len)
            .max()
            .unwrap_or(0)
            .max(5);
        let head = ["hits", "stale", "misses", "bypasses"];
        let _ = write!(text, "{:width$}", "");
        for name in head {
            let _ = write!(text, "{name:>12}");
        }
        text.push('\n');
        for (target, counts) in &self.targets {
            let _ = write!(text, "{target:width$}");
            for result in ["hit", "stale", "miss", "bypass"] {
                let _ = write!(text, "{:>12}", counts.get(result).copied().unwrap_or(0));
            }
            text.push('\n');
        }
        text
    }

    fn json(&self) -> String {
        let all = json!({
            "sure": self.is_sure,
            "bytes": self.bytes,
            "replies": self.replies,
            "targets": self.targets,
        });
        format!("{all}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURES: &str = "# TYPE passerelle_cache_sure gauge\n\
        passerelle_cache_sure 1\npasserelle_cache_bytes 2048\npasserelle_cache_replies 3\n\
        passerelle_cache_requests_total{target=\"public.tags\",result=\"hit\"} 41\n\
        passerelle_cache_requests_total{target=\"public.tags\",result=\"miss\"} 2\n\
        passerelle_cache_requests_total{target=\"public.tags\",result=\"bypass\"} 0\n";

    #[test]
    fn figures_become_a_table_or_json() {
        let stats = Stats::read(FIGURES).expect("figures");
        assert_eq!(stats.targets["public.tags"]["hit"], 41);
        let lines: Vec<String> = stats.text().lines().map(str::to_owned).collect();
        assert!(lines[0].starts_with("kept replies are handed out; 3 replies"));
        let row: Vec<&str> = lines[3].split_whitespace().collect();
        assert_eq!(row, ["public.tags", "41", "0", "2", "0"]);
        let value: serde_json::Value = serde_json::from_str(&stats.json()).expect("JSON");
        assert_eq!(value["targets"]["public.tags"]["miss"], 2);
        assert_eq!(Stats::read("passerelle_pool_max 10\n"), None);
    }
}
