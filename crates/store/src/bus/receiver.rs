//! The bus in Redis: a script that numbers and publishes, and a connection that subscribes.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use redis::aio::SendError;
use redis::{PushInfo, PushKind, RedisError, Script, Value};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Message;
use super::fanout::Fanout;
use super::queue::Queue;
use crate::backoff::Backoff;
use crate::endpoint::{Endpoint, Opened, failure};
use crate::error::StoreError;
use crate::link::{HEARTBEAT, Link, watch_over};
use crate::presence::{Presence, Sighting};

static PUBLISH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("publish.lua")));

/// How long the last id of a silent channel is remembered. A subscription notices when it was not.
const REMEMBERED: Duration = Duration::from_hours(24);

/// Sends messages.
#[derive(Debug)]
pub(super) struct Publisher {
    link: Link,
    prefix: String,
}

impl Publisher {
    pub(super) fn new(link: Link, prefix: &str) -> Self {
        let prefix = prefix.to_owned();
        Self { link, prefix }
    }

    pub(super) async fn publish(&self, channel: &str, payload: &Bytes) -> Result<u64, StoreError> {
        let remembered = u64::try_from(REMEMBERED.as_millis()).unwrap_or(u64::MAX);
        let mut call = PUBLISH.key(key(&self.prefix, channel));
        call.arg(&payload[..]).arg(remembered);
        let publish = async |connection: &mut _| call.invoke_async(connection).await;
        self.link.run(publish).await
    }
}

/// The name of a channel, and of the key of its last id. The part in braces says where both belong
/// in a cluster.
fn key(prefix: &str, channel: &str) -> String {
    format!("{prefix}bus:{{{channel}}}")
}

/// Keeps a connection that brings the messages of all channels with subscriptions.
#[derive(Debug)]
pub(super) struct Receiver {
    shared: Arc<Shared>,
    keeper: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    endpoint: Arc<Endpoint>,
    prefix: String,
    fanout: Arc<Fanout>,
    /// There is a channel that is not heard yet.
    wanted: Notify,
    /// A channel is heard, or the try to hear it is over.
    settled: Notify,
}

impl Receiver {
    pub(super) fn start(
        endpoint: Arc<Endpoint>,
        presence: Arc<Presence>,
        prefix: &str,
        fanout: Arc<Fanout>,
    ) -> Self {
        let shared = Arc::new(Shared {
            endpoint,
            prefix: prefix.to_owned(),
            fanout,
            wanted: Notify::new(),
            settled: Notify::new(),
        });
        let sighting = Sighting::new(presence);
        let keeper = tokio::spawn(keep(Arc::clone(&shared), sighting));
        Self { shared, keeper }
    }

    /// Returns when the channel is heard, or cannot be heard now.
    pub(super) async fn subscribe(&self, channel: &str, queue: &Arc<Queue>) {
        let shared = &self.shared;
        if shared.fanout.add(channel, queue) {
            return;
        }
        shared.wanted.notify_one();
        let heard = async {
            loop {
                let settled = shared.settled.notified();
                if shared.fanout.hears(channel) {
                    return;
                }
                settled.await;
            }
        };
        // Connecting and subscribing have a timeout each.
        if timeout(2 * shared.endpoint.timeout, heard).await.is_err() {
            shared.fanout.unheard_by(channel, queue);
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn keep(shared: Arc<Shared>, mut sighting: Sighting) {
    let mut backoff = Backoff::new();
    loop {
        let disconnected = Arc::new(Notify::new());
        let pushes = deliverer(&shared, &disconnected);
        let reason = match shared.endpoint.open(Some(pushes)).await {
            Ok(opened) => {
                backoff.reset();
                sighting.found();
                let reason = tokio::select! {
                    reason = listen(&shared, &opened) => reason,
                    reason = watch_over(&shared.endpoint, &opened) => reason,
                    () = disconnected.notified() => failure("the connection was closed"),
                };
                shared.fanout.lost();
                reason
            }
            Err(error) => error,
        };
        sighting.lost(&reason);
        backoff.wait().await;
    }
}

/// Subscribes to what is wanted and unsubscribes from what is not; returns why it cannot.
async fn listen(shared: &Shared, opened: &Opened) -> RedisError {
    let mut connection = opened.connection.clone();
    let mut beats = interval(HEARTBEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        for channel in shared.fanout.unheard() {
            if let Err(error) = connection.subscribe(key(&shared.prefix, &channel)).await {
                return error;
            }
            shared.fanout.heard(&channel);
            shared.settled.notify_waiters();
        }
        tokio::select! {
            () = shared.wanted.notified() => {}
            _ = beats.tick() => {
                for channel in shared.fanout.abandoned() {
                    let gone = connection.unsubscribe(key(&shared.prefix, &channel)).await;
                    if let Err(error) = gone {
                        return error;
                    }
                }
            }
        }
    }
}

/// Hands what arrives on one connection to the subscriptions.
fn deliverer(
    shared: &Arc<Shared>,
    disconnected: &Arc<Notify>,
) -> impl Fn(PushInfo) -> Result<(), SendError> + Send + Sync + 'static {
    let prefix = key(&shared.prefix, "");
    // Up to the closing brace, which follows the channel.
    let prefix = prefix[..prefix.len() - 1].to_owned();
    let (fanout, disconnected) = (Arc::clone(&shared.fanout), Arc::clone(disconnected));
    move |push| {
        match push.kind {
            PushKind::Message => {
                let Some((name, content)) = message(push.data) else {
                    return Ok(());
                };
                let channel = name
                    .strip_prefix(prefix.as_str())
                    .and_then(|name| name.strip_suffix('}'));
                match (channel, numbered(&content)) {
                    (Some(channel), Some(message)) => fanout.deliver(channel, message),
                    (Some(channel), None) => fanout.garbled(channel),
                    (None, _) => {}
                }
            }
            PushKind::Disconnection => disconnected.notify_one(),
            _ => {}
        }
        Ok(())
    }
}

/// Channel and content.
fn message(data: Vec<Value>) -> Option<(String, Bytes)> {
    let mut parts = data.into_iter();
    let name = match parts.next()? {
        Value::BulkString(name) => String::from_utf8(name).ok()?,
        Value::SimpleString(name) => name,
        _ => return None,
    };
    match parts.next()? {
        Value::BulkString(content) => Some((name, content.into())),
        _ => None,
    }
}

/// The content as a message with its id.
fn numbered(content: &Bytes) -> Option<Message> {
    let colon = content.iter().position(|byte| *byte == b':')?;
    let id = std::str::from_utf8(&content[..colon]).ok()?.parse().ok()?;
    let payload = content.slice(colon + 1..);
    (payload.len() <= super::MAX_MESSAGE_BYTES).then_some(Message { id, payload })
}
