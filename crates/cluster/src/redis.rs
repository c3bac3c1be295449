//! One private Redis, or none where it is not installed.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::directory::{Directory, Occupation, write_private};
use crate::error::ClusterError;
use crate::port;
use crate::postgres::Durability;
use crate::process::{ServerProcess, TICK, works_in};
use crate::secret::kept_secret;

const PATIENCE: Duration = Duration::from_secs(20);
const SHUTDOWN: [(Signal, Duration); 2] = [
    (Signal::SIGTERM, Duration::from_secs(10)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];

/// How a private Redis is to run.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    /// The directory; the server keeps everything below `redis/` of it.
    pub dir: PathBuf,
    /// The port on 127.0.0.1; the last used or any free one when absent.
    pub port: Option<u16>,
    /// Whether its content survives a restart.
    pub durability: Durability,
    /// Further lines of its configuration.
    pub parameters: Vec<(String, String)>,
}

impl RedisSettings {
    /// A durable server on any free port.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            port: None,
            durability: Durability::Durable,
            parameters: Vec::new(),
        }
    }
}

/// Where a private Redis is reached.
#[derive(Clone)]
pub struct RedisEndpoint {
    /// Always on 127.0.0.1.
    pub port: u16,
    /// The password of the default user.
    pub password: String,
    /// The server's process.
    pub pid: i32,
}

impl RedisEndpoint {
    /// A connection URI.
    pub fn url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}", self.password, self.port)
    }

    /// Whether the server answers and accepts the password.
    async fn answers(&self) -> bool {
        let exchange = async {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
            stream
                .write_all(format!("AUTH {}\r\nPING\r\n", self.password).as_bytes())
                .await?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await?;
            Ok::<_, std::io::Error>(answer == *b"+OK\r\n+PONG\r\n")
        };
        matches!(
            timeout(Duration::from_secs(1), exchange).await,
            Ok(Ok(true))
        )
    }
}

impl std::fmt::Debug for RedisEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisEndpoint")
            .field("port", &self.port)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

/// A running private Redis. Dropping it stops the server.
#[derive(Debug)]
pub struct Redis {
    process: Option<ServerProcess>,
    endpoint: RedisEndpoint,
    _occupation: Occupation,
}

impl Redis {
    /// Starts the server and waits until it answers; [`ClusterError::MissingRedis`] where it is not installed.
    pub async fn start(settings: &RedisSettings) -> Result<Self, ClusterError> {
        let directory = Directory::prepare(&settings.dir).await?;
        let occupation = directory.occupy("redis")?;
        let root = directory.private("redis")?;
        clear_leftover(&root).await?;
        let password = kept_secret(&directory.path().join("redis.password"))?;
        let port = port::choose(settings.port, &directory.path().join("redis.port"))?;
        let configuration = root.join("redis.conf");
        write_private(
            &configuration,
            configuration_text(&root, port, &password, settings).as_bytes(),
        )?;
        directory.account().own(&configuration)?;
        let (process, endpoint) = launch(&directory, &root, port, password).await?;
        Ok(Self {
            process: Some(process),
            endpoint,
            _occupation: occupation,
        })
    }

    /// The server that runs in a directory now, whoever started it.
    pub async fn running(dir: &Path) -> Result<Option<RedisEndpoint>, ClusterError> {
        let directory = Directory::prepare(dir).await?;
        let root = directory.private("redis")?;
        let port = fs::read_to_string(directory.path().join("redis.port"))
            .ok()
            .and_then(|text| text.trim().parse().ok());
        let (Some(pid), Some(port)) = (running_pid(&root), port) else {
            return Ok(None);
        };
        let password = kept_secret(&directory.path().join("redis.password"))?;
        let endpoint = RedisEndpoint {
            port,
            password,
            pid,
        };
        Ok(if endpoint.answers().await {
            Some(endpoint)
        } else {
            None
        })
    }

    /// Removes a server's data; whatever still runs on it is stopped first.
    pub async fn erase(dir: &Path) -> Result<(), ClusterError> {
        let directory = Directory::prepare(dir).await?;
        let _occupation = directory.occupy("redis")?;
        let root = directory.private("redis")?;
        clear_leftover(&root).await?;
        fs::remove_dir_all(&root).map_err(|source| ClusterError::file(&root, source))
    }

    /// Where it is reached.
    pub fn endpoint(&self) -> &RedisEndpoint {
        &self.endpoint
    }

    /// Lets the server run on when this value and this process end.
    pub fn detach(mut self) -> RedisEndpoint {
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

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end_blocking(&SHUTDOWN);
        }
    }
}

async fn launch(
    directory: &Directory,
    root: &Path,
    port: u16,
    password: String,
) -> Result<(ServerProcess, RedisEndpoint), ClusterError> {
    let log = root.join("log");
    let output = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&log);
    let child = directory
        .account()
        .command(Path::new("redis-server"))
        .arg(root.join("redis.conf"))
        .stdin(Stdio::null())
        .stdout(output.map_err(|source| ClusterError::file(&log, source))?)
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => ClusterError::MissingRedis,
            _ => ClusterError::Spawn {
                program: "redis-server".to_owned(),
                source,
            },
        })?;
    let mut process = ServerProcess::child(child, Signal::SIGTERM);
    let endpoint = RedisEndpoint {
        port,
        password,
        pid: process.pid(),
    };
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if !process.is_alive() {
            let text = fs::read(&log).unwrap_or_default();
            return Err(ClusterError::from_log(
                "Redis",
                &String::from_utf8_lossy(&text),
                &log,
                port,
            ));
        }
        if endpoint.answers().await {
            return Ok((process, endpoint));
        }
        sleep(TICK).await;
    }
    process.end(&SHUTDOWN).await?;
    Err(ClusterError::NotReady {
        program: "Redis",
        seconds: PATIENCE.as_secs(),
        log,
    })
}

async fn clear_leftover(root: &Path) -> Result<(), ClusterError> {
    match running_pid(root) {
        Some(pid) => ServerProcess::stray(pid).end(&SHUTDOWN).await,
        None => Ok(()),
    }
}

fn running_pid(root: &Path) -> Option<i32> {
    let pid = fs::read_to_string(root.join("redis.pid"))
        .ok()?
        .trim()
        .parse()
        .ok()?;
    works_in(pid, root).then_some(pid)
}

fn configuration_text(root: &Path, port: u16, password: &str, settings: &RedisSettings) -> String {
    let root = root.display();
    let append = match settings.durability {
        Durability::Durable => "yes",
        Durability::Volatile => "no",
    };
    let mut text = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir \"{root}\"\npidfile \"{root}/redis.pid\"\n\
         daemonize no\nsave \"\"\nappendonly {append}\nlogfile \"\"\n"
    );
    for (name, value) in &settings.parameters {
        let _ = writeln!(text, "{name} {value}");
    }
    text
}
