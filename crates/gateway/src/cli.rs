//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

/// Passerelle serves PostgreSQL to supabase-js.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts a private PostgreSQL and Redis, applies the SQL of an application, and serves it.
    Dev(DevArguments),
    /// Serves an existing database, as configured by a file and PASSERELLE_* variables.
    Serve {
        /// The configuration file; config/passerelle.toml of the repository explains all keys.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Serves the REST surface alone, configured like PostgREST.
    #[command(disable_version_flag = true)]
    Rest(RestArguments),
    /// Applies the platform's migrations to the database of `PASSERELLE_MIGRATION_URL` or `DATABASE_URL`, as its owner.
    Migrate {
        /// Then applies init.sql and policies.sql of this directory.
        #[arg(long, value_name = "DIR")]
        app: Option<PathBuf>,
        /// And its seed.sql: people and rows that are examples.
        #[arg(long, requires = "app")]
        seed: bool,
        /// Then has the changes followed that kept replies depend on, and those recorded that jobs follow, as this
        /// file says; app.toml of the application otherwise.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Brings data from elsewhere into the database of `DATABASE_URL`, as its owner.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Makes a JWT secret and the API keys signed with it.
    #[command(args_conflicts_with_subcommands = true)]
    Keys {
        #[command(subcommand)]
        command: Option<KeysCommand>,
        /// Signs with this secret instead of a new one.
        #[arg(long, value_name = "SECRET")]
        secret: Option<String>,
        /// Prints one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tells what kept replies do for a running server, or has all of them forgotten.
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Tells how many jobs wait, and decides about those that failed too often, in the database of `PASSERELLE_MIGRATION_URL` or
    /// `DATABASE_URL`.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Asks a running server whether it is ready; the exit code is the answer.
    Healthcheck {
        /// The configuration file of that server.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// What to ask instead, such as `http://127.0.0.1:8001/ready`.
        #[arg(long, value_name = "URL", conflicts_with = "config")]
        url: Option<String>,
    },
}

/// Where data come from.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Imports what Hub-Lib kept in browsers: exports of the page, of its script, or whole dumps of localStorage.
    #[command(name = "localstorage")]
    LocalStorage(LocalStorageArguments),
}

/// What to import, and how.
#[derive(Args, Debug)]
pub(crate) struct LocalStorageArguments {
    /// Export files, of up to 50 MB each.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Does everything, tells what it did, and takes it back.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Writes what became of every row to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Nobody becomes an administrator, whatever the files say.
    #[arg(long)]
    pub(crate) no_admins: bool,
    /// The e-mail address of the administrator that browsers make at their first start, who has none.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) default_admin: Option<String>,
}

/// What to do about jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// Shows how many jobs wait, and how many are dead, by name.
    List {
        /// Prints one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows the first thousand dead jobs, and why they failed.
    Dead {
        /// Prints one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Has dead jobs tried again.
    Retry {
        /// The number of the job.
        id: Option<i64>,
        /// All dead jobs.
        #[arg(long)]
        all: bool,
    },
    /// Drops dead jobs.
    Drop {
        /// The number of the job.
        id: Option<i64>,
        /// All dead jobs.
        #[arg(long)]
        all: bool,
    },
}

/// What to do about kept replies.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Shows how often replies were kept and handed out, as the admin port tells.
    Stats {
        /// The configuration file of that server.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// What to ask instead, such as `http://127.0.0.1:8001/metrics`.
        #[arg(long, value_name = "URL", conflicts_with = "config")]
        url: Option<String>,
        /// Prints one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Has all gateways of the database forget what they have kept.
    Flush {
        /// The configuration file of one of them.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// What to do in PostgREST's place; its own command line has the same options.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
#[derive(Args, Debug)]
pub(crate) struct RestArguments {
    /// A configuration file of PostgREST; PGRST_* variables come before it.
    #[arg(value_name = "FILENAME")]
    pub(crate) file: Option<PathBuf>,
    /// Shows the version.
    #[arg(short = 'v', long, action = ArgAction::Version)]
    version: Option<bool>,
    /// Prints an example of a configuration file, and ends.
    #[arg(short, long)]
    pub(crate) example: bool,
    /// Prints the configuration in force, secrets included, and ends.
    #[arg(long, group = "instead")]
    pub(crate) dump_config: bool,
    /// Prints the schema as JSON, whose structure may change, and ends.
    #[arg(long, group = "instead")]
    pub(crate) dump_schema: bool,
    /// Asks a running server's admin port whether it is ready, and ends.
    #[arg(long, group = "instead")]
    pub(crate) ready: bool,
}

/// How to run the development servers.
#[derive(Args, Debug)]
pub(crate) struct DevArguments {
    /// The directory that holds the servers' data and the secrets.
    #[arg(long, value_name = "DIR", default_value = ".passerelle")]
    pub(crate) dir: PathBuf,
    /// The port to serve on; 0 takes any free one.
    #[arg(long, value_name = "PORT", default_value_t = 54321)]
    pub(crate) port: u16,
    /// The directory of the application's SQL, or none; sql/hub-lib where there is one.
    #[arg(long, value_name = "DIR")]
    pub(crate) app: Option<PathBuf>,
    /// Begins with empty databases; secrets stay.
    #[arg(long)]
    pub(crate) reset: bool,
    /// The JWT secret; one is generated and kept otherwise.
    #[arg(long, value_name = "SECRET")]
    pub(crate) jwt_secret: Option<String>,
    /// The directory of PostgreSQL's server programs; the newest installation otherwise.
    #[arg(long, value_name = "DIR")]
    pub(crate) pg_bin: Option<PathBuf>,
    /// Prints one line of JSON when ready, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}

/// `passerelle keys …`
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Changes the key pairs that access tokens are signed with (`auth.signing_keys_file`): the next one signs, and another
    /// is next. Nobody is signed out; servers read the file again on SIGUSR2.
    Rotate {
        /// The file, which is made if it is not there.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
}
