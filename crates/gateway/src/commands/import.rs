//! `passerelle import`: what an application kept in browsers, into the database.

mod bar;

use std::io::{BufWriter, Write as _};
use std::path::Path;

use passerelle_import::{Exports, ImportError, Options, Report};
use passerelle_pg::ControlEndpoint;

use self::bar::Bar;
use super::{CommandError, print, tell};
use crate::cli::LocalStorageArguments;
use crate::environment::Environment;

/// Why nothing was imported, or not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportCommandError {
    /// No database is named.
    #[error("no database: set DATABASE_URL to the connection URI of its owner")]
    NoDatabase,
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The import failed; nothing was written.
    #[error("nothing is imported: {0}")]
    Import(#[from] ImportError),
    /// The report cannot be written; it is tried before anything is imported.
    #[error("the report cannot be written to {0}")]
    Report(String, #[source] std::io::Error),
    /// The report cannot be written, after all.
    #[error("all is done, but the report cannot be written to {0}")]
    Unreported(String, #[source] std::io::Error),
    /// No runtime.
    #[error("the runtime could not be started")]
    Runtime(#[source] std::io::Error),
}

pub(super) fn run(
    arguments: &LocalStorageArguments,
    environment: &Environment,
) -> Result<(), CommandError> {
    let url = environment
        .get("DATABASE_URL")
        .or_else(|| environment.get("PASSERELLE_DATABASE_URL"))
        .ok_or(ImportCommandError::NoDatabase)?;
    let file = match &arguments.report {
        Some(path) => Some((path.as_path(), create(path)?)),
        None => None,
    };
    let report = import(arguments, url)?;
    let written = file.map_or(Ok(()), |(path, file)| {
        let path = path.display().to_string();
        write(&report, file).map_err(|error| ImportCommandError::Unreported(path, error))
    });
    print(&report.to_string())?;
    if arguments.dry_run {
        tell("This was a dry run: nothing is imported.");
    }
    Ok(written?)
}

fn import(arguments: &LocalStorageArguments, url: &str) -> Result<Report, ImportCommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ImportCommandError::Runtime)?;
    let options = Options {
        dry_run: arguments.dry_run,
        no_administrators: arguments.no_admins,
        default_admin: arguments.default_admin.clone(),
    };
    let mut bar = Bar::new();
    let exports = Exports::read(&arguments.files, &mut bar)?;
    runtime.block_on(async {
        let endpoint = ControlEndpoint::parse(url)
            .map_err(|error| ImportCommandError::Connect(error.into()))?;
        let connected = endpoint.connect().await;
        let mut client = connected.map_err(|error| ImportCommandError::Connect(error.into()))?;
        Ok(exports.import(&mut client, &options, &mut bar).await?)
    })
}

/// Opens the file of the report; what it holds stays until there is something to say.
fn create(path: &Path) -> Result<std::fs::File, ImportCommandError> {
    std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| ImportCommandError::Report(path.display().to_string(), error))
}

fn write(report: &Report, file: std::fs::File) -> std::io::Result<()> {
    // What is no plain file, such as a pipe, has nothing to take away.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    let mut out = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut out, report)?;
    out.write_all(b"\n")?;
    out.flush()
}
