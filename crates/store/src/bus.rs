//! Messages between gateways.
//!
//! Messages of a channel have ids that only grow. A subscription that may have missed some says so
//! ([`BusEvent::Gap`]), and so does one that hears nothing for the time being ([`BusEvent::Lost`]),
//! so that whoever keeps something that messages keep right can throw it away. Nothing is ever
//! delivered twice.

mod fanout;
mod queue;
mod receiver;

use std::sync::Arc;

use bytes::Bytes;

use self::fanout::Fanout;
use self::queue::Queue;
use self::receiver::{Publisher, Receiver};
use crate::endpoint::Endpoint;
use crate::error::StoreError;
use crate::link::Link;
use crate::presence::Presence;

/// The longest message.
pub const MAX_MESSAGE_BYTES: usize = 512 * 1024;

/// A message of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Greater than those of the channel's earlier messages.
    pub id: u64,
    /// What was published.
    pub payload: Bytes,
}

/// What a subscription hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusEvent {
    /// A message.
    Message(Message),
    /// Messages may have been missed before this point; those after it are complete again.
    Gap,
    /// The connection is gone. [`BusEvent::Gap`] follows as soon as messages come again.
    Lost,
}

/// Carries messages between gateways, or within this process where there is no Redis.
#[derive(Debug)]
pub struct Bus {
    fanout: Arc<Fanout>,
    remote: Option<Remote>,
}

#[derive(Debug)]
struct Remote {
    publisher: Publisher,
    receiver: Receiver,
}

/// Hears the messages of a channel, from when it was made to when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    queue: Arc<Queue>,
}

impl Bus {
    /// A bus within this process.
    pub(crate) fn local(fanout: Arc<Fanout>) -> Self {
        Self {
            fanout,
            remote: None,
        }
    }

    /// A bus over Redis, with connections kept by the current runtime.
    pub(crate) fn remote(endpoint: Arc<Endpoint>, presence: Arc<Presence>, prefix: &str) -> Self {
        let fanout = Arc::new(Fanout::default());
        let link = Link::start(Arc::clone(&endpoint), Arc::clone(&presence));
        let publisher = Publisher::new(link, prefix);
        let receiver = Receiver::start(endpoint, presence, prefix, Arc::clone(&fanout));
        Self {
            fanout,
            remote: Some(Remote {
                publisher,
                receiver,
            }),
        }
    }

    /// Sends a message to whoever is subscribed now, and returns its id.
    ///
    /// # Errors
    /// [`StoreError`]. When Redis did not answer it may have been sent all the same; it is not sent
    /// again.
    pub async fn publish(&self, channel: &str, payload: Bytes) -> Result<u64, StoreError> {
        if payload.len() > MAX_MESSAGE_BYTES {
            let bytes = payload.len();
            return Err(StoreError::MessageTooLong { bytes });
        }
        match &self.remote {
            Some(remote) => remote.publisher.publish(channel, &payload).await,
            None => Ok(self.fanout.publish(channel, &payload)),
        }
    }

    /// Hears a channel's messages from now on. While Redis is away the subscription begins with
    /// [`BusEvent::Lost`].
    pub async fn subscribe(&self, channel: &str) -> Subscription {
        let queue = Arc::new(Queue::default());
        match &self.remote {
            Some(remote) => remote.receiver.subscribe(channel, &queue).await,
            None => {
                self.fanout.add(channel, &queue);
            }
        }
        Subscription { queue }
    }
}

impl Subscription {
    /// The next event. What comes faster than it is taken is forgotten beyond 1024 messages, and
    /// [`BusEvent::Gap`] says so. Cancelling loses nothing.
    pub async fn next(&mut self) -> BusEvent {
        self.queue.next().await
    }
}

pub(crate) use self::fanout::Fanout as LocalBus;
