//! What a subscription has not taken yet.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::BusEvent;

/// The most events that wait.
pub(super) const CAPACITY: usize = 1024;
/// The most bytes that wait.
const BYTES: usize = 32 * 1024 * 1024;

/// The events of one subscription; bounded.
#[derive(Debug, Default)]
pub(super) struct Queue {
    events: Mutex<Events>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Events {
    waiting: VecDeque<BusEvent>,
    bytes: usize,
}

fn size(event: &BusEvent) -> usize {
    match event {
        BusEvent::Message(message) => message.payload.len(),
        BusEvent::Gap | BusEvent::Lost => 0,
    }
}

impl Queue {
    pub(super) fn push(&self, event: BusEvent) {
        {
            let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
            // Twice the same news is none.
            let is_message = !matches!(event, BusEvent::Lost | BusEvent::Gap);
            if is_message || events.waiting.back() != Some(&event) {
                events.bytes += size(&event);
                if events.waiting.len() >= CAPACITY || events.bytes > BYTES {
                    events.waiting.clear();
                    events.waiting.push_back(BusEvent::Gap);
                    events.bytes = size(&event);
                }
                events.waiting.push_back(event);
            }
        }
        self.filled.notify_one();
    }

    pub(super) async fn next(&self) -> BusEvent {
        loop {
            let filled = self.filled.notified();
            let next = {
                let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
                let next = events.waiting.pop_front();
                events.bytes -= next.as_ref().map_or(0, size);
                next
            };
            match next {
                Some(event) => return event,
                None => filled.await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::bus::Message;

    fn message(id: u64) -> BusEvent {
        let payload = Bytes::new();
        BusEvent::Message(Message { id, payload })
    }

    #[tokio::test]
    async fn what_is_not_taken_in_time_becomes_a_gap_before_what_follows() {
        let queue = Queue::default();
        let most = u64::try_from(CAPACITY).unwrap();
        for id in 0..=most {
            queue.push(message(id));
        }
        assert_eq!(queue.next().await, BusEvent::Gap);
        assert_eq!(queue.next().await, message(most));
        queue.push(message(most + 1));
        assert_eq!(queue.next().await, message(most + 1));
    }

    #[tokio::test]
    async fn the_same_news_is_told_once() {
        let queue = Queue::default();
        for event in [
            BusEvent::Lost,
            BusEvent::Lost,
            BusEvent::Gap,
            BusEvent::Gap,
            message(1),
        ] {
            queue.push(event);
        }
        for expected in [BusEvent::Lost, BusEvent::Gap, message(1)] {
            assert_eq!(queue.next().await, expected);
        }
    }
}
