//! Configuration as PostgREST reads it: a file of `key = value`, `PGRST_*` variables and settings kept in the
//! database. It is PostgREST's contract, defaults and aliases included; unknown keys are ignored as they are there.

mod dump;
mod example;
mod file;
pub(crate) mod in_database;
mod libpq;
mod settings;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use example::EXAMPLE;
pub(crate) use file::read_file;
pub(crate) use libpq::completed;
pub(crate) use settings::{LogLevel, OpenApiMode, PgrstSettings, Verbosity, is_proxy_uri};
pub(crate) use values::{Sources, Streams};

use std::path::PathBuf;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PgrstError {
    /// A file cannot be read.
    #[error("could not read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A file is not written as the format asks.
    #[error("{}:{line}: expected {expected}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// A string refers to a variable that does not exist or is no text.
    #[error("{}: no such variable: '{name}'", .path.display())]
    Variable {
        /// The file.
        path: PathBuf,
        /// The variable.
        name: String,
    },
    /// Files import each other without end.
    #[error("{}: too many imports inside each other", .0.display())]
    ImportDepth(PathBuf),
    /// A value is impossible.
    #[error("Error in config {key}: {fault}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        fault: String,
    },
}
