//! A stream in Redis: one group, of which each reader is a consumer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamAutoClaimReply, StreamId, StreamReadReply};
use redis::{RedisError, Script, Value, cmd};
use uuid::Uuid;

use super::{BLOCK, CAPACITY, StreamEntry};
use crate::backoff::Backoff;
use crate::endpoint::{Endpoint, Opened};
use crate::error::StoreError;
use crate::link::{HEARTBEAT, Link, NAMED, none};
use crate::presence::{Presence, Sighting};

static ADD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("add.lua")));
static RETIRE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("retire.lua")));

const GROUP: &str = "readers";
/// The field of an entry that is its payload.
const FIELD: &str = "p";
/// How long a stream is kept that nothing is added to.
const KEPT: Duration = Duration::from_hours(1);
/// An entry that was taken and not acknowledged for so long is another reader's.
const TAKEN_OVER: Duration = Duration::from_secs(2);
/// How often a reader looks for such entries.
const LOOK: Duration = Duration::from_secs(1);
/// How often a reader looks for consumers that are gone.
const CLEAR: Duration = Duration::from_mins(1);
/// A consumer that has asked for nothing for so long is gone.
const SILENT: Duration = Duration::from_mins(10);

/// A stream and the connection that fills it.
#[derive(Debug)]
pub(crate) struct SharedStream {
    link: Link,
    endpoint: Arc<Endpoint>,
    presence: Arc<Presence>,
    key: String,
    life: Duration,
    /// Readers that are connected.
    readers: AtomicUsize,
}

impl SharedStream {
    pub(crate) fn new(
        link: Link,
        endpoint: Arc<Endpoint>,
        presence: Arc<Presence>,
        key: String,
        life: Duration,
    ) -> Self {
        Self {
            link,
            endpoint,
            presence,
            key,
            life,
            readers: AtomicUsize::new(0),
        }
    }

    pub(super) async fn add(&self, payloads: &[Bytes]) -> Result<usize, StoreError> {
        let mut call = ADD.key(&self.key);
        call.arg(milliseconds(self.life)).arg(milliseconds(KEPT));
        call.arg(CAPACITY);
        for payload in payloads {
            call.arg(&payload[..]);
        }
        let add = async |connection: &mut _| call.invoke_async(connection).await;
        self.link.run(add).await
    }

    pub(super) async fn acknowledge(&self, id: &str) -> Result<(), StoreError> {
        let mut acknowledge = redis::pipe();
        acknowledge.cmd("XACK").arg(&self.key).arg(GROUP).arg(id);
        acknowledge.ignore();
        acknowledge.cmd("XDEL").arg(&self.key).arg(id).ignore();
        let acknowledge = async |connection: &mut _| acknowledge.query_async(connection).await;
        self.link.run(acknowledge).await
    }

    pub(super) fn is_read(&self) -> bool {
        self.readers.load(Ordering::Relaxed) > 0
    }
}

/// A consumer of the group.
#[derive(Debug)]
pub(super) struct SharedReader {
    stream: Arc<SharedStream>,
    consumer: String,
    live: Option<Live>,
    sighting: Sighting,
    backoff: Backoff,
    /// Whether the server knows the command (Redis 6.2 does). Without it, entries of readers that died are forgotten in time.
    takes_over: bool,
}

/// A connection on which the reader waits.
struct Live {
    stream: Arc<SharedStream>,
    opened: Opened,
    /// With more patience for answers.
    connection: MultiplexedConnection,
    named: Instant,
    looked: Option<Instant>,
    cleared: Instant,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Live")
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stream.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl SharedReader {
    pub(super) fn new(stream: Arc<SharedStream>) -> Self {
        Self {
            consumer: Uuid::new_v4().to_string(),
            live: None,
            sighting: Sighting::new(Arc::clone(&stream.presence)),
            backoff: Backoff::new(),
            takes_over: true,
            stream,
        }
    }

    pub(super) async fn take(&mut self, most: usize) -> Vec<StreamEntry> {
        loop {
            match self.read(most.max(1)).await {
                Ok(entries) if entries.is_empty() => {}
                Ok(entries) => return entries,
                Err(reason) => {
                    self.live = None;
                    self.sighting.lost(&reason);
                    self.backoff.wait().await;
                }
            }
        }
    }

    /// What comes within a short time, perhaps nothing.
    async fn read(&mut self, most: usize) -> Result<Vec<StreamEntry>, RedisError> {
        let live = match &mut self.live {
            Some(live) => live,
            live => live.insert(open(&self.stream).await?),
        };
        live.check(&self.stream.endpoint).await?;
        let asked = if self.takes_over && live.is_time_to_look() {
            match live.take_over(&self.consumer, most).await {
                Err(error) if error.code() == Some("ERR") => {
                    self.takes_over = false;
                    Ok(Vec::new())
                }
                taken => taken,
            }
        } else {
            live.wait(&self.consumer, most).await
        };
        match asked {
            Ok(entries) => {
                self.backoff.reset();
                self.sighting.found();
                Ok(entries)
            }
            // There is no stream yet, or no more.
            Err(error) if error.code() == Some("NOGROUP") => {
                live.make_group().await?;
                Ok(Vec::new())
            }
            // What was waited for is gone, or the server became another's replica.
            Err(error) if error.code() == Some("UNBLOCKED") => {
                self.stream.endpoint.check(&live.opened).await?;
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}

async fn open(stream: &Arc<SharedStream>) -> Result<Live, RedisError> {
    let opened = stream.endpoint.open(none()).await?;
    let mut connection = opened.connection.clone();
    connection.set_response_timeout(BLOCK + stream.endpoint.timeout);
    stream.readers.fetch_add(1, Ordering::Relaxed);
    Ok(Live {
        stream: Arc::clone(stream),
        opened,
        connection,
        named: Instant::now(),
        looked: None,
        cleared: Instant::now(),
    })
}

impl Live {
    /// What there is no other heartbeat for: whether the sentinels name another server, and consumers that are gone.
    async fn check(&mut self, endpoint: &Endpoint) -> Result<(), RedisError> {
        if self.named.elapsed() >= HEARTBEAT * NAMED {
            self.named = Instant::now();
            endpoint.check_named(&self.opened).await?;
        }
        if self.cleared.elapsed() >= CLEAR {
            self.cleared = Instant::now();
            let mut call = RETIRE.key(&self.stream.key);
            call.arg(GROUP).arg(milliseconds(SILENT));
            let retired: Result<usize, RedisError> = call.invoke_async(&mut self.connection).await;
            if let Err(error) = retired {
                tracing::debug!(%error, "consumers that are gone stay in Redis");
            }
        }
        Ok(())
    }

    fn is_time_to_look(&mut self) -> bool {
        let is_time = self.looked.is_none_or(|since| since.elapsed() >= LOOK);
        if is_time {
            self.looked = Some(Instant::now());
        }
        is_time
    }

    async fn take_over(
        &mut self,
        consumer: &str,
        most: usize,
    ) -> Result<Vec<StreamEntry>, RedisError> {
        let mut command = cmd("XAUTOCLAIM");
        command.arg(&self.stream.key).arg(GROUP).arg(consumer);
        command.arg(milliseconds(TAKEN_OVER)).arg("0-0");
        command.arg("COUNT").arg(most);
        let reply: StreamAutoClaimReply = command.query_async(&mut self.connection).await?;
        Ok(reply.claimed.into_iter().filter_map(entry).collect())
    }

    async fn wait(&mut self, consumer: &str, most: usize) -> Result<Vec<StreamEntry>, RedisError> {
        let mut command = cmd("XREADGROUP");
        command.arg("GROUP").arg(GROUP).arg(consumer);
        command.arg("COUNT").arg(most);
        command.arg("BLOCK").arg(milliseconds(BLOCK));
        command.arg("STREAMS").arg(&self.stream.key).arg(">");
        let reply: Option<StreamReadReply> = command.query_async(&mut self.connection).await?;
        let keys = reply.into_iter().flat_map(|reply| reply.keys);
        Ok(keys.flat_map(|key| key.ids).filter_map(entry).collect())
    }

    async fn make_group(&mut self) -> Result<(), RedisError> {
        let mut command = cmd("XGROUP");
        command.arg("CREATE").arg(&self.stream.key).arg(GROUP);
        command.arg("0").arg("MKSTREAM");
        match command.query_async::<()>(&mut self.connection).await {
            // Another reader was faster.
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                let mut command = cmd("PEXPIRE");
                command.arg(&self.stream.key).arg(milliseconds(KEPT));
                command.query_async(&mut self.connection).await
            }
        }
    }
}

/// Something else in the stream is nobody's, and goes in time.
fn entry(mut found: StreamId) -> Option<StreamEntry> {
    match found.map.remove(FIELD) {
        Some(Value::BulkString(payload)) => Some(StreamEntry {
            id: found.id,
            payload: payload.into(),
        }),
        _ => None,
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
