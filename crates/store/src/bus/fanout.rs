//! From what arrives to the subscriptions of this process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;

use super::queue::Queue;
use super::{BusEvent, Message};

/// The subscriptions of this process, by channel.
#[derive(Debug, Default)]
pub(crate) struct Fanout {
    channels: Mutex<HashMap<String, Channel>>,
    /// Ids within this process.
    last: AtomicU64,
}

#[derive(Debug, Default)]
struct Channel {
    queues: Vec<Weak<Queue>>,
    /// The id of the last message, unless there was none since the last gap.
    last: Option<u64>,
    /// Whether the connection brings its messages.
    heard: bool,
    /// Whether somebody was told that it does not.
    lost: bool,
}

impl Channel {
    fn push(&mut self, event: &BusEvent) {
        self.queues.retain(|queue| match queue.upgrade() {
            Some(queue) => {
                queue.push(event.clone());
                true
            }
            None => false,
        });
    }
}

impl Fanout {
    /// Adds a subscription; whether the channel is heard already.
    pub(super) fn add(&self, channel: &str, queue: &Arc<Queue>) -> bool {
        self.with(|channels| {
            let channel = channels.entry(channel.to_owned()).or_default();
            channel.queues.push(Arc::downgrade(queue));
            channel.heard
        })
    }

    /// Delivers a message of this process, and returns its id.
    pub(super) fn publish(&self, channel: &str, payload: &Bytes) -> u64 {
        self.with(|channels| {
            // Within the lock, so that messages arrive in the order of their ids.
            let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
            if let Some(found) = channels.get_mut(channel) {
                let payload = payload.clone();
                found.push(&BusEvent::Message(Message { id, payload }));
                if found.queues.is_empty() {
                    channels.remove(channel);
                }
            }
            id
        })
    }

    /// Delivers a message that came over the connection.
    pub(super) fn deliver(&self, channel: &str, message: Message) {
        self.with(|channels| {
            // What comes before the channel counts as heard belongs to nobody, or to a gap.
            let channel = channels.get_mut(channel).filter(|channel| channel.heard);
            let Some(channel) = channel else {
                return;
            };
            let last = channel.last.replace(message.id);
            // A counter that was lost begins again.
            if last.is_some_and(|last| last.checked_add(1) != Some(message.id)) {
                channel.push(&BusEvent::Gap);
            }
            channel.push(&BusEvent::Message(message));
        });
    }

    /// Something arrived on a channel that is no message of ours.
    pub(super) fn garbled(&self, channel: &str) {
        self.with(|channels| {
            if let Some(channel) = channels.get_mut(channel) {
                channel.push(&BusEvent::Gap);
            }
        });
    }

    /// The connection brings a channel's messages from now on.
    pub(super) fn heard(&self, channel: &str) {
        self.with(|channels| {
            let Some(channel) = channels.get_mut(channel) else {
                return;
            };
            channel.heard = true;
            channel.last = None;
            if std::mem::take(&mut channel.lost) {
                channel.push(&BusEvent::Gap);
            }
        });
    }

    /// The connection did not bring a channel's messages in the time that a subscription waits.
    pub(super) fn unheard_by(&self, channel: &str, queue: &Queue) {
        self.with(|channels| {
            let channel = channels.get_mut(channel).filter(|channel| !channel.heard);
            if let Some(channel) = channel {
                channel.lost = true;
                queue.push(BusEvent::Lost);
            }
        });
    }

    /// The connection is gone.
    pub(super) fn lost(&self) {
        self.with(|channels| {
            for channel in channels.values_mut() {
                if std::mem::take(&mut channel.heard) {
                    channel.lost = true;
                    channel.push(&BusEvent::Lost);
                }
            }
        });
    }

    /// Channels with subscriptions that the connection does not bring yet.
    pub(super) fn unheard(&self) -> Vec<String> {
        self.with(|channels| {
            let unheard = channels.iter().filter(|(_, channel)| !channel.heard);
            unheard.map(|(name, _)| name.clone()).collect()
        })
    }

    /// Whether the connection brings a channel's messages.
    pub(super) fn hears(&self, channel: &str) -> bool {
        self.with(|channels| channels.get(channel).is_some_and(|channel| channel.heard))
    }

    /// Removes channels that nobody is subscribed to any more, and returns them.
    pub(super) fn abandoned(&self) -> Vec<String> {
        self.with(|channels| {
            let abandoned = channels.extract_if(|_, channel| {
                channel.queues.retain(|queue| queue.strong_count() > 0);
                channel.queues.is_empty()
            });
            abandoned.map(|(name, _)| name).collect()
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Channel>) -> T) -> T {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: u64) -> Message {
        let payload = Bytes::from_static(b"x");
        Message { id, payload }
    }

    #[tokio::test]
    async fn an_id_out_of_line_is_a_gap() {
        let fanout = Fanout::default();
        let queue = Arc::new(Queue::default());
        fanout.add("a", &queue);
        fanout.heard("a");
        for id in [7, 8, 10, 11, 1] {
            fanout.deliver("a", message(id));
        }
        let mut seen = Vec::new();
        for _ in 0..7 {
            seen.push(match queue.next().await {
                BusEvent::Message(message) => Some(message.id),
                _ => None,
            });
        }
        let expected = [Some(7), Some(8), None, Some(10), Some(11), None, Some(1)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_channel_that_nobody_hears_is_given_up() {
        let fanout = Fanout::default();
        let queue = Arc::new(Queue::default());
        fanout.add("a", &queue);
        assert_eq!(fanout.unheard(), ["a"]);
        assert!(fanout.abandoned().is_empty());
        drop(queue);
        assert_eq!(fanout.abandoned(), ["a"]);
        assert!(fanout.unheard().is_empty());
    }
}
