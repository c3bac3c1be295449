//! Configuration of `passerelle serve`: defaults, then a file, then environment variables.
//!
//! `config/passerelle.toml` is the reference of all keys. What is unknown or impossible is an error that names it.

mod cache;
mod check;
mod hooks;
mod jobs;
mod overlay;
mod providers;
mod rate_limits;
mod realtime;
mod settings;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use passerelle_identity::{Secret, SettingsError, Weakness};

use crate::environment::Environment;

pub(crate) use cache::{AudienceName, CacheSettings, CachedSettings, RequestPart, qualified};
pub(crate) use hooks::hooks;
pub(crate) use jobs::jobs;
pub(crate) use providers::{is_trusted, providers};
pub(crate) use settings::{AuthSettings, LogFormat, LogLevel, OpenApiMode, SessionCheck, Settings};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("could not read the configuration file {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML, or has a key that does not exist or a value of another type.
    #[error("configuration file {}: {fault}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        fault: String,
    },
    /// A variable that looks like ours names no key.
    #[error("environment variable {0} is no setting of passerelle")]
    UnknownVariable(String),
    /// The value of a variable does not fit its key.
    #[error("environment variable {variable}: {fault}")]
    Variable {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A value is out of its range.
    #[error("{key} must be {expected}")]
    Value {
        /// The key, with its section.
        key: &'static str,
        /// What it should be.
        expected: String,
    },
    /// A credential that everybody could know.
    #[error("{0}: set auth.jwt_secret to one made by `passerelle keys`")]
    Weak(Weakness),
    /// The identity settings contradict themselves.
    #[error("the [auth] settings cannot be used")]
    Identity(#[from] SettingsError),
}

impl Settings {
    /// Reads the file, if any, and the environment, and checks everything.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let table = match file {
            Some(path) => read(path)?,
            None => toml::Table::new(),
        };
        let table = overlay::apply(table, environment)?;
        let settings: Self = table.try_into().map_err(|fault: toml::de::Error| {
            let path = file.unwrap_or(Path::new("(environment)")).to_owned();
            ConfigError::File {
                path,
                fault: fault.message().to_owned(),
            }
        })?;
        check::check(&settings)?;
        Ok(settings)
    }

    /// Refuses secrets that are short or publicly known.
    pub(crate) fn check_secrets(&self) -> Result<(), ConfigError> {
        let verifier = passerelle_identity::Verifier::new(&self.auth.identity(&self.database))?;
        match verifier.weaknesses().into_iter().next() {
            Some(weakness) => Err(ConfigError::Weak(weakness)),
            None if self.auth.jwt_secret.is_empty() => Err(ConfigError::Value {
                key: "auth.jwt_secret",
                expected: "set (JWT_SECRET works as well): `passerelle keys` makes one".to_owned(),
            }),
            None => Ok(()),
        }
    }
}

fn read(path: &Path) -> Result<toml::Table, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    // Once as what it should be, for faults that name their line; then as a table to be overlaid.
    let fault = |fault: toml::de::Error| ConfigError::File {
        path: path.to_owned(),
        fault: located(&fault, &text),
    };
    toml::from_str::<Settings>(&text).map_err(fault)?;
    toml::from_str(&text).map_err(fault)
}

/// Says where a fault is, but not what stands there: it may be a secret.
fn located(fault: &toml::de::Error, text: &str) -> String {
    let at = fault.span().map_or(0, |span| span.start.min(text.len()));
    let number = text[..at].matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let key = line.split(['=', '#']).next().unwrap_or_default().trim();
    format!("line {number} ({key}): {}", fault.message())
}

/// A secret of the configuration.
fn secret(text: &str) -> Option<Secret> {
    (!text.is_empty()).then(|| Secret::from(text.to_owned()))
}
