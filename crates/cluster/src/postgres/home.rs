//! The server's own part of the directory: its data, its log, and how a server comes to run there.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::time::sleep;

use super::{Durability, PostgresSettings};
use crate::binaries::{Major, PostgresBinaries};
use crate::directory::{Directory, write_private};
use crate::error::ClusterError;
use crate::postmaster::{PostmasterFile, SHUTDOWN};
use crate::process::{ServerProcess, TICK};

/// How long a server may take to recover and accept connections.
const PATIENCE: Duration = Duration::from_secs(90);
/// The longest path of a Unix socket that every system takes, with room for the file name.
const SOCKET_DIR_LENGTH: usize = 80;

/// The server's own part of the directory.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) directory: Directory,
    root: PathBuf,
    pub(super) data: PathBuf,
    log: PathBuf,
}

impl Home {
    pub(super) fn of(directory: Directory) -> Result<Self, ClusterError> {
        let root = directory.private("postgres")?;
        let data = root.join("data");
        let log = root.join("log");
        Ok(Self {
            directory,
            root,
            data,
            log,
        })
    }

    /// The newest installation, or the one that made the data.
    pub(super) async fn binaries(
        &self,
        given: Option<&Path>,
    ) -> Result<PostgresBinaries, ClusterError> {
        let found = PostgresBinaries::find(given).await?;
        let newest = found[0].clone();
        let Some(made_by) = self.version()? else {
            return Ok(newest);
        };
        let matching = found
            .into_iter()
            .find(|binaries| binaries.major() == made_by);
        matching.ok_or_else(|| ClusterError::OtherVersion {
            dir: self.data.clone(),
            found: made_by,
            installed: newest.major(),
        })
    }

    pub(super) fn remove_data(&self) -> Result<(), ClusterError> {
        remove(&self.data)
    }

    fn version(&self) -> Result<Option<Major>, ClusterError> {
        let path = self.data.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse().ok().map(Major)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ClusterError::file(&path, source)),
        }
    }

    /// Makes the data directory beside its place, so that an interrupted attempt never looks like a finished one.
    pub(super) async fn initialise(
        &self,
        binaries: &PostgresBinaries,
        password: &str,
    ) -> Result<(), ClusterError> {
        let password_file = self.root.join("initial-password");
        write_private(&password_file, password.as_bytes())?;
        self.directory.account().own(&password_file)?;
        // C.UTF-8 knows letters beyond ASCII; not every system has it.
        let mut made = Err(ClusterError::MissingPostgres(None));
        for locale in ["--locale=C.UTF-8", "--no-locale"] {
            made = self.run_initdb(binaries, locale, &password_file).await;
            if !matches!(&made, Err(ClusterError::Failed { reason, .. }) if reason.contains("locale"))
            {
                break;
            }
        }
        let _ = fs::remove_file(&password_file);
        if made.is_err() {
            // A full disk would stay full.
            let _ = remove(&self.root.join("data.new"));
        }
        made?;
        fs::rename(self.root.join("data.new"), &self.data)
            .map_err(|source| ClusterError::file(&self.data, source))
    }

    async fn run_initdb(
        &self,
        binaries: &PostgresBinaries,
        locale: &str,
        password_file: &Path,
    ) -> Result<(), ClusterError> {
        let fresh = self.root.join("data.new");
        remove(&fresh)?;
        let program = binaries.program("initdb");
        let output = self
            .directory
            .account()
            .command(&program)
            .args([
                "--encoding=UTF8",
                locale,
                "--username=postgres",
                "--auth=scram-sha-256",
                "--no-sync",
            ])
            .arg("--pwfile")
            .arg(password_file)
            .arg("--pgdata")
            .arg(&fresh)
            .env("LC_MESSAGES", "C")
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|source| ClusterError::Spawn {
                program: program.display().to_string(),
                source,
            })?;
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr);
        write_private(&self.log, text.as_bytes())?;
        Err(ClusterError::from_log("initdb", &text, &self.log, 0))
    }

    pub(super) async fn launch(
        &self,
        binaries: &PostgresBinaries,
        settings: &PostgresSettings,
        port: u16,
    ) -> Result<ServerProcess, ClusterError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let started = self.attempt(binaries, settings, port, deadline).await;
            // Backends of a killed server end by themselves within moments; until then their memory is in the way.
            let busy = matches!(&started, Err(ClusterError::Failed { reason, .. }) if reason.contains("shared memory"));
            if !busy || Instant::now() > deadline {
                return started;
            }
            sleep(TICK * 10).await;
        }
    }

    async fn attempt(
        &self,
        binaries: &PostgresBinaries,
        settings: &PostgresSettings,
        port: u16,
        deadline: Instant,
    ) -> Result<ServerProcess, ClusterError> {
        let program = binaries.program("postgres");
        let child = self
            .directory
            .account()
            .command(&program)
            .arg("-D")
            .arg(&self.data)
            .args(self.arguments(settings, port))
            .env("LC_MESSAGES", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.fresh_log()?)
            // Ctrl-C at the terminal reaches us alone; the servers stop after their clients.
            .process_group(0)
            .spawn()
            .map_err(|source| ClusterError::Spawn {
                program: program.display().to_string(),
                source,
            })?;
        let mut process = ServerProcess::child(child, Signal::SIGINT);
        while Instant::now() < deadline {
            if !process.is_alive() {
                let text = fs::read(&self.log).unwrap_or_default();
                return Err(ClusterError::from_log(
                    "PostgreSQL",
                    &String::from_utf8_lossy(&text),
                    &self.log,
                    port,
                ));
            }
            if PostmasterFile::read(&self.data)
                .is_some_and(|file| file.ready && file.pid == process.pid())
            {
                return Ok(process);
            }
            sleep(TICK).await;
        }
        process.end(&SHUTDOWN).await?;
        Err(ClusterError::NotReady {
            program: "PostgreSQL",
            seconds: PATIENCE.as_secs(),
            log: self.log.clone(),
        })
    }

    /// Where the Unix socket is, unless the path is too long for one.
    pub(super) fn socket_directory(&self) -> Option<PathBuf> {
        (self.root.as_os_str().len() <= SOCKET_DIR_LENGTH).then(|| self.root.clone())
    }

    fn arguments(&self, settings: &PostgresSettings, port: u16) -> Vec<String> {
        let sockets = self.socket_directory().unwrap_or_default();
        let sockets = sockets.display().to_string();
        let port = port.to_string();
        let mut parameters = vec![
            ("listen_addresses", "127.0.0.1"),
            ("port", &port),
            ("unix_socket_directories", &sockets),
            ("wal_level", "logical"),
            // A reader of changes that has stopped reading does not fill the disk.
            ("max_slot_wal_keep_size", "1GB"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("lc_messages", "C"),
            ("logging_collector", "off"),
            ("log_destination", "stderr"),
        ];
        if settings.durability == Durability::Volatile {
            parameters.extend([
                ("fsync", "off"),
                ("synchronous_commit", "off"),
                ("full_page_writes", "off"),
            ]);
        }
        parameters.extend(
            settings
                .parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        parameters
            .into_iter()
            .flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")])
            .collect()
    }

    fn fresh_log(&self) -> Result<File, ClusterError> {
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&self.log);
        opened.map_err(|source| ClusterError::file(&self.log, source))
    }
}

fn remove(dir: &Path) -> Result<(), ClusterError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ClusterError::file(dir, error))
        }
        _ => Ok(()),
    }
}
