//! Sockets to listen on, opened before anything else so that a taken port is noticed at once.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, TcpSocket};

use crate::deployment::ListenSettings;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// Why a socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    /// Another program listens there.
    #[error("port {port} is in use by another program: choose another one")]
    InUse {
        /// The port.
        port: u16,
    },
    /// A server listens on the socket file.
    #[error("{} is in use by another program", .0.display())]
    SocketInUse(PathBuf),
    /// The name of the host leads nowhere.
    #[error("the host {host} cannot be resolved")]
    Host {
        /// The configured host.
        host: String,
        /// The resolver's answer.
        #[source]
        source: std::io::Error,
    },
    /// The operating system refuses.
    #[error("cannot listen on {place}")]
    Refused {
        /// Address or path.
        place: String,
        /// The operating system's answer.
        #[source]
        source: std::io::Error,
    },
}

/// A place that is taken, where nobody is listened to yet.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpSocket, SocketAddr),
    /// A Unix socket takes its place by listening; who comes early waits.
    Unix(UnixListener, PathBuf),
}

/// An open socket.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(std::net::TcpListener),
    Unix(UnixListener),
}

/// Where a socket listens.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Socket {
    /// Where this server itself reaches it.
    pub(crate) fn address(&self) -> Address {
        match self {
            Self::Tcp(_, address) => Address::Tcp(*address),
            Self::Unix(_, path) => Address::Unix(path.clone()),
        }
    }

    /// Where clients reach it: `http://address:port`, or `unix:` and the path.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Tcp(_, address) => format!("http://{address}"),
            Self::Unix(_, path) => format!("unix:{}", path.display()),
        }
    }

    /// From now on clients are listened to.
    pub(crate) fn listen(self) -> Result<Listener, ListenError> {
        match self {
            Self::Unix(listener, _) => Ok(Listener::Unix(listener)),
            Self::Tcp(socket, address) => {
                let listener = socket.listen(BACKLOG).and_then(TcpListener::into_std);
                listener
                    .map(Listener::Tcp)
                    .map_err(|source| refused(address, source))
            }
        }
    }
}

/// Takes a place; must be called on a runtime.
pub(crate) fn bind(settings: &ListenSettings) -> Result<Socket, ListenError> {
    match settings {
        ListenSettings::Tcp {
            host,
            port,
            reuse_port,
        } => tcp(host, *port, *reuse_port),
        ListenSettings::Unix { path, mode } => unix(path, *mode),
    }
}

fn tcp(host: &str, port: u16, reuse_port: bool) -> Result<Socket, ListenError> {
    let mut last = None;
    for address in addresses(host, port)? {
        let open = || {
            let socket = if address.is_ipv4() {
                TcpSocket::new_v4()
            } else {
                TcpSocket::new_v6()
            }?;
            socket.set_reuseaddr(true)?;
            socket.set_reuseport(reuse_port)?;
            socket.bind(address)?;
            let bound = socket.local_addr()?;
            Ok(Socket::Tcp(socket, bound))
        };
        match open() {
            Ok(socket) => return Ok(socket),
            Err(error) => last = Some((address, error)),
        }
    }
    let unknown = || ListenError::Host {
        host: host.to_owned(),
        source: std::io::ErrorKind::NotFound.into(),
    };
    Err(last.map_or_else(unknown, |(address, source)| refused(address, source)))
}

fn refused(address: SocketAddr, source: std::io::Error) -> ListenError {
    match source.kind() {
        std::io::ErrorKind::AddrInUse => ListenError::InUse {
            port: address.port(),
        },
        _ => ListenError::Refused {
            place: address.to_string(),
            source,
        },
    }
}

/// The addresses a host stands for: an address, a name, or a word of Haskell's warp.
fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, ListenError> {
    let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    match host {
        "*" | "*4" => return Ok(vec![v4, v6]),
        "!4" => return Ok(vec![v4]),
        "*6" => return Ok(vec![v6, v4]),
        "!6" => return Ok(vec![v6]),
        _ => {}
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = (host, port).to_socket_addrs();
    let found = found.map_err(|source| ListenError::Host {
        host: host.to_owned(),
        source,
    })?;
    Ok(found.collect())
}

fn unix(path: &Path, mode: u32) -> Result<Socket, ListenError> {
    let refused = |source| ListenError::Refused {
        place: path.display().to_string(),
        source,
    };
    // A file that a killed server left is in the way of its successor.
    if fs::metadata(path).is_ok_and(|file| file.file_type().is_socket()) {
        if UnixStream::connect(path).is_ok() {
            return Err(ListenError::SocketInUse(path.to_owned()));
        }
        fs::remove_file(path).map_err(refused)?;
    }
    let listener = UnixListener::bind(path).map_err(refused)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(Socket::Unix(listener, path.to_owned()))
}
