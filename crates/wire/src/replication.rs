//! A session that follows the WAL: commands of the replication protocol, and the stream that the last
//! of them starts (PostgreSQL, "Streaming Replication Protocol").
//! It never looks into what an output plugin sends.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{Header, Message};
use postgres_protocol::message::frontend::{self, CopyData};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::endpoint::{Endpoint, Place};
use crate::error::{Origin, ServerError, WireError};
use crate::inbound;
use crate::startup;
use crate::stream::Stream;

/// Begins a stream of copied data in both directions.
const COPY_BOTH_RESPONSE_TAG: u8 = b'W';
/// The receive buffer's size in bytes.
const BUFFER: usize = 16 * 1024;

/// A session in which commands of the replication protocol, and SQL, can be run.
#[derive(Debug)]
pub struct Replication {
    stream: Stream,
    inbound: BytesMut,
    process_id: i32,
}

/// The stream of what happens in the database, in the order of commits.
#[derive(Debug)]
pub struct ReplicationStream(Replication);

/// What the server says in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicationMessage {
    /// Something that the output plugin has written.
    Data(Bytes),
    /// Everything up to here has been sent.
    Keepalive {
        /// Position in the WAL.
        end: u64,
        /// The server wants to be told at once how far the reader has come.
        wants_reply: bool,
    },
}

impl Replication {
    /// Connects to the first of the endpoint's hosts that answers.
    ///
    /// # Errors
    /// When none does, or when the role may not replicate.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, WireError> {
        endpoint
            .first_of_places(|place| Self::connect_to(endpoint, place))
            .await
    }

    async fn connect_to(endpoint: &Endpoint, place: &Place) -> Result<Self, WireError> {
        let mut stream = Stream::open(endpoint, place).await?;
        let mut inbound = BytesMut::with_capacity(BUFFER);
        let further = [("replication", "database")];
        let session = startup::start(endpoint, &further, &mut stream, &mut inbound).await?;
        endpoint.check_session(session.in_hot_standby || session.default_read_only)?;
        Ok(Self {
            stream,
            inbound,
            process_id: session.process_id,
        })
    }

    /// The server's process of this session.
    pub fn process_id(&self) -> i32 {
        self.process_id
    }

    /// Runs one command by the simple query protocol. Its rows, as text.
    ///
    /// # Errors
    /// When the server refuses it; the session can be used further unless the connection failed.
    pub async fn command(&mut self, text: &str) -> Result<Vec<Vec<Option<String>>>, WireError> {
        self.query(text).await?;
        let mut rows = Vec::new();
        let mut error = None;
        loop {
            match self.message().await? {
                Message::DataRow(row) => {
                    let buffer = row.buffer();
                    let values = row.ranges().map(|range| {
                        let value = range.and_then(|range| buffer.get(range));
                        Ok(value.map(|value| String::from_utf8_lossy(value).into_owned()))
                    });
                    rows.push(values.collect()?);
                }
                Message::ErrorResponse(body) => {
                    error = Some(ServerError::read(&body, Origin::Statement)?);
                }
                Message::ReadyForQuery(_) => break,
                _ => {}
            }
        }
        match error {
            None => Ok(rows),
            Some(error) => Err(WireError::Server(Box::new(error))),
        }
    }

    /// Runs the command that starts the stream (`START_REPLICATION …`).
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn start(mut self, command: &str) -> Result<ReplicationStream, WireError> {
        self.query(command).await?;
        loop {
            if self.begins_stream()? {
                return Ok(ReplicationStream(self));
            }
            match self.message_if_whole()? {
                Some(Message::ErrorResponse(body)) => {
                    let error = ServerError::read(&body, Origin::Statement)?;
                    return Err(WireError::Server(Box::new(error)));
                }
                Some(Message::ReadyForQuery(_)) => {
                    return Err(WireError::Protocol("a command that starts no stream"));
                }
                Some(_) => {}
                None => self.receive().await?,
            }
        }
    }

    /// Takes the message that says that the stream has begun, which the parser does not know, if
    /// it is the next one.
    fn begins_stream(&mut self) -> Result<bool, WireError> {
        let Some(header) = Header::parse(&self.inbound)? else {
            return Ok(false);
        };
        let length = usize::try_from(header.len()).unwrap_or(usize::MAX - 1) + 1;
        let begins = header.tag() == COPY_BOTH_RESPONSE_TAG && self.inbound.len() >= length;
        if begins {
            self.inbound.advance(length);
        }
        Ok(begins)
    }

    async fn query(&mut self, text: &str) -> Result<(), WireError> {
        let mut out = BytesMut::new();
        frontend::query(text, &mut out).map_err(WireError::Encode)?;
        self.send(&out).await
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    async fn message(&mut self) -> Result<Message, WireError> {
        loop {
            if let Some(message) = self.message_if_whole()? {
                return Ok(message);
            }
            self.receive().await?;
        }
    }

    fn message_if_whole(&mut self) -> Result<Option<Message>, WireError> {
        loop {
            match Message::parse(&mut self.inbound)? {
                Some(Message::NoticeResponse(body)) => {
                    inbound::trace_notice(&ServerError::read_notice(&body)?);
                }
                other => return Ok(other),
            }
        }
    }

    async fn receive(&mut self) -> Result<(), WireError> {
        if self.stream.read_buf(&mut self.inbound).await? == 0 {
            return Err(inbound::closed());
        }
        Ok(())
    }
}

impl ReplicationStream {
    /// The next message. Dropping the future loses none.
    ///
    /// # Errors
    /// When the server ends the stream, or says what has no place in it.
    pub async fn next(&mut self) -> Result<ReplicationMessage, WireError> {
        loop {
            if let Some(message) = self.next_if_there()? {
                return Ok(message);
            }
            self.0.receive().await?;
        }
    }

    /// The next message if it has been received already.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn next_if_there(&mut self) -> Result<Option<ReplicationMessage>, WireError> {
        while let Some(message) = self.0.message_if_whole()? {
            match message {
                Message::CopyData(body) => return copied(body.into_bytes()).map(Some),
                Message::ErrorResponse(body) => {
                    let error = ServerError::read(&body, Origin::Statement)?;
                    return Err(WireError::Server(Box::new(error)));
                }
                Message::ParameterStatus(_) => {}
                Message::CopyDone => return Err(WireError::Closed),
                _ => {
                    return Err(WireError::Protocol(
                        "a message that has no place in a stream",
                    ));
                }
            }
        }
        Ok(None)
    }

    /// Tells the server up to where everything has been processed, and may ask it to tell how far
    /// it has come.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn confirm(&mut self, position: u64, wants_reply: bool) -> Result<(), WireError> {
        // Standby status update: written, flushed and applied up to here, no clock.
        let mut status = BytesMut::with_capacity(34);
        status.put_u8(b'r');
        for _ in 0..3 {
            status.put_u64(position);
        }
        status.put_i64(0);
        status.put_u8(u8::from(wants_reply));
        let mut out = BytesMut::with_capacity(40);
        CopyData::new(status.freeze())
            .map_err(WireError::Encode)?
            .write(&mut out);
        self.0.send(&out).await
    }
}

/// What a message of copied data holds (PostgreSQL, `XLogData` and `Primary keepalive message`).
fn copied(mut body: Bytes) -> Result<ReplicationMessage, WireError> {
    let malformed = || WireError::Protocol("a malformed message in a stream");
    match body.try_get_u8().map_err(|_| malformed())? {
        // Where it starts, where the WAL ends, and the server's clock come before what it holds.
        b'w' if body.len() >= 24 => Ok(ReplicationMessage::Data(body.split_off(24))),
        b'k' if body.len() == 17 => Ok(ReplicationMessage::Keepalive {
            end: body.get_u64(),
            wants_reply: body.get(8).is_some_and(|byte| *byte != 0),
        }),
        _ => Err(malformed()),
    }
}
