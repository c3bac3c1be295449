//! One private PostgreSQL: made on first start, reused later, stopped with its starter.

mod home;

use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

use self::home::Home;
use crate::directory::{Directory, Occupation};
use crate::error::ClusterError;
use crate::port;
use crate::postmaster::{PostmasterFile, SHUTDOWN, clear_leftover};
use crate::process::ServerProcess;
use crate::secret::kept_secret;

/// What survives a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Committed data does.
    Durable,
    /// Nothing has to: for tests, several times faster.
    Volatile,
}

/// How a private PostgreSQL is to run.
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    /// The directory; the server keeps everything below `postgres/` of it.
    pub dir: PathBuf,
    /// Where the server's programs are; searched for when absent.
    pub bin: Option<PathBuf>,
    /// The port on 127.0.0.1; the last used or any free one when absent.
    pub port: Option<u16>,
    /// What survives a crash of the machine.
    pub durability: Durability,
    /// Further server settings, as name and value.
    pub parameters: Vec<(String, String)>,
}

impl PostgresSettings {
    /// A durable server on any free port.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            bin: None,
            port: None,
            durability: Durability::Durable,
            parameters: Vec::new(),
        }
    }
}

/// Where a private PostgreSQL is reached, as its superuser `postgres`.
#[derive(Clone)]
pub struct PostgresEndpoint {
    /// Always on 127.0.0.1.
    pub port: u16,
    /// The superuser's password.
    pub password: String,
    /// The server's process.
    pub pid: i32,
    /// Where its Unix socket is, unless the path is too long for one.
    pub socket_directory: Option<PathBuf>,
}

impl PostgresEndpoint {
    /// A connection URI for the superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_for("postgres", &self.password, database)
    }

    /// A connection URI for another role; the three must need no escaping in a URI.
    pub fn url_for(&self, role: &str, password: &str, database: &str) -> String {
        format!(
            "postgresql://{role}:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// As [`PostgresEndpoint::url_for`], through the Unix socket where there is one: that spares
    /// both sides a good part of what TCP costs.
    pub fn local_url_for(&self, role: &str, password: &str, database: &str) -> String {
        let Some(directory) = &self.socket_directory else {
            return self.url_for(role, password, database);
        };
        let directory = directory.as_os_str().as_encoded_bytes();
        let directory = percent_encode(directory, NON_ALPHANUMERIC);
        format!(
            "postgresql://{role}:{password}@{directory}:{}/{database}",
            self.port
        )
    }
}

impl std::fmt::Debug for PostgresEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresEndpoint")
            .field("port", &self.port)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

/// A running private PostgreSQL. Dropping it stops the server; [`Postgres::stop`] also says whether that worked.
#[derive(Debug)]
pub struct Postgres {
    process: Option<ServerProcess>,
    endpoint: PostgresEndpoint,
    home: Home,
    _occupation: Occupation,
}

impl Postgres {
    /// Starts the server, making its data directory first if there is none, and waits until it takes connections.
    /// What a crashed starter left running in the directory is stopped before.
    pub async fn start(settings: &PostgresSettings) -> Result<Self, ClusterError> {
        let directory = Directory::prepare(&settings.dir).await?;
        let occupation = directory.occupy("postgres")?;
        let home = Home::of(directory)?;
        clear_leftover(&home.data).await?;
        let password = kept_secret(&home.directory.path().join("postgres.password"))?;
        let binaries = home.binaries(settings.bin.as_deref()).await?;
        if !home.data.exists() {
            home.initialise(&binaries, &password).await?;
        }
        let port = port::choose(settings.port, &home.directory.path().join("postgres.port"))?;
        let process = home.launch(&binaries, settings, port).await?;
        let endpoint = PostgresEndpoint {
            port,
            password,
            pid: process.pid(),
            socket_directory: home.socket_directory(),
        };
        Ok(Self {
            process: Some(process),
            endpoint,
            home,
            _occupation: occupation,
        })
    }

    /// The server that runs in a directory now, whoever started it.
    pub async fn running(dir: &Path) -> Result<Option<PostgresEndpoint>, ClusterError> {
        let home = Home::of(Directory::prepare(dir).await?)?;
        let Some(file) = PostmasterFile::of_running(&home.data).filter(|file| file.ready) else {
            return Ok(None);
        };
        let password = kept_secret(&home.directory.path().join("postgres.password"))?;
        Ok(Some(PostgresEndpoint {
            port: file.port,
            password,
            pid: file.pid,
            socket_directory: home.socket_directory(),
        }))
    }

    /// Removes a server's data; whatever still runs on it is stopped first.
    pub async fn erase(dir: &Path) -> Result<(), ClusterError> {
        let directory = Directory::prepare(dir).await?;
        let _occupation = directory.occupy("postgres")?;
        let home = Home::of(directory)?;
        clear_leftover(&home.data).await?;
        home.remove_data()
    }

    /// Where it is reached.
    pub fn endpoint(&self) -> &PostgresEndpoint {
        &self.endpoint
    }

    /// The directory it lives in, which is another than the wanted one when [`Directory::is_moved`] says so.
    pub fn directory(&self) -> &Directory {
        &self.home.directory
    }

    /// Lets the server run on when this value and this process end.
    pub fn detach(mut self) -> PostgresEndpoint {
        if let Some(process) = self.process.take() {
            process.release();
        }
        self.endpoint.clone()
    }

    /// Stops the server and waits for its end.
    pub async fn stop(mut self) -> Result<(), ClusterError> {
        match self.process.take() {
            Some(mut process) => process.end(&SHUTDOWN).await,
            None => Ok(()),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end_blocking(&SHUTDOWN);
        }
    }
}
