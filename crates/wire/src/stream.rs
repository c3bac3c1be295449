//! The socket to the server: TCP, TLS over TCP, or a Unix socket.
//! It knows nothing of PostgreSQL's messages but the request for TLS.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

use crate::endpoint::{Encryption, Endpoint, Place};
use crate::error::WireError;
use crate::tls;

/// An open socket, encrypted or not.
#[derive(Debug)]
pub struct Stream(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

impl Stream {
    pub(crate) async fn open(endpoint: &Endpoint, place: &Place) -> Result<Self, WireError> {
        match place {
            Place::Unix { socket } => Ok(Self(Kind::Unix(UnixStream::connect(socket).await?))),
            Place::Tcp {
                host,
                address,
                port,
            } => {
                let stream = match address {
                    Some(address) => TcpStream::connect((*address, *port)).await?,
                    None => TcpStream::connect((host.as_str(), *port)).await?,
                };
                configure(endpoint, &stream)?;
                match &endpoint.tls {
                    Encryption::Disable => Ok(Self(Kind::Tcp(stream))),
                    Encryption::Prefer(connector) => encrypt(connector, host, stream, false).await,
                    Encryption::Require(connector) => encrypt(connector, host, stream, true).await,
                }
            }
        }
    }

    /// Whether nothing has arrived and the other side still listens. Costs a system call at most.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let peeked = match &self.0 {
            Kind::Tcp(stream) => peek_tcp(stream, &mut byte),
            Kind::Tls(stream) => peek_tcp(stream.get_ref().0, &mut byte),
            Kind::Unix(stream) => {
                stream.try_io(Interest::READABLE, || SockRef::from(stream).peek(&mut byte))
            }
        };
        matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Writes as much as the socket takes at once, for a farewell that nobody waits for.
    pub(crate) fn write_now(&self, bytes: &[u8]) {
        let _written = match &self.0 {
            Kind::Tcp(stream) => stream.try_write(bytes),
            Kind::Unix(stream) => stream.try_write(bytes),
            Kind::Tls(_) => Ok(0),
        };
    }
}

fn peek_tcp(stream: &TcpStream, byte: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    stream.try_io(Interest::READABLE, || SockRef::from(stream).peek(byte))
}

fn configure(endpoint: &Endpoint, stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let config = &endpoint.config;
    let socket = SockRef::from(stream);
    if config.get_keepalives() {
        let mut keepalive = TcpKeepalive::new().with_time(config.get_keepalives_idle());
        if let Some(interval) = config.get_keepalives_interval() {
            keepalive = keepalive.with_interval(interval);
        }
        if let Some(retries) = config.get_keepalives_retries() {
            keepalive = keepalive.with_retries(retries);
        }
        socket.set_tcp_keepalive(&keepalive)?;
    }
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(config.get_tcp_user_timeout().copied())?;
    Ok(())
}

/// Asks the server for TLS (PostgreSQL protocol, "SSL Session Encryption").
async fn encrypt(
    connector: &tls::Connector,
    host: &str,
    mut stream: TcpStream,
    required: bool,
) -> Result<Stream, WireError> {
    let mut request = BytesMut::with_capacity(8);
    frontend::ssl_request(&mut request);
    stream.write_all(&request).await?;
    // Exactly one byte is read: more of them before the handshake would be someone else's.
    match stream.read_u8().await? {
        b'S' => Ok(Stream(Kind::Tls(Box::new(
            connector.connect(host, stream).await?,
        )))),
        b'N' if !required => Ok(Stream(Kind::Tcp(stream))),
        b'N' => Err(WireError::Tls {
            reason: "the server does not support it",
            source: None,
        }),
        _ => Err(WireError::Protocol(
            "an unknown answer to the request for TLS",
        )),
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Kind::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            Kind::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Kind::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            Kind::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Kind::Tls(stream) => Pin::new(stream).poll_flush(context),
            Kind::Unix(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Kind::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Kind::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            Kind::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
