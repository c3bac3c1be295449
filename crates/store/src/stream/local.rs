//! A stream within this process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;

use super::{CAPACITY, StreamEntry};

/// The streams of this process by name; there are as many as the program has names for.
#[derive(Debug, Default)]
pub(crate) struct LocalStreams(Mutex<HashMap<String, Arc<LocalStream>>>);

/// What nobody has taken yet; bounded.
#[derive(Debug, Default)]
pub(crate) struct LocalStream {
    entries: Mutex<Entries>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Entries {
    waiting: VecDeque<(StreamEntry, Instant)>,
    last: u64,
}

impl LocalStreams {
    pub(crate) fn named(&self, name: &str) -> Arc<LocalStream> {
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(streams.entry(name.to_owned()).or_default())
    }
}

impl LocalStream {
    pub(super) fn add(&self, payloads: &[Bytes], life: Duration) -> usize {
        let waiting = self.with(life, |entries| {
            for payload in payloads {
                entries.last += 1;
                let id = entries.last.to_string();
                let payload = payload.clone();
                let entry = StreamEntry { id, payload };
                entries.waiting.push_back((entry, Instant::now()));
                if entries.waiting.len() > CAPACITY {
                    entries.waiting.pop_front();
                }
            }
            entries.waiting.len()
        });
        for _ in payloads {
            self.filled.notify_one();
        }
        waiting
    }

    pub(super) async fn take(&self, most: usize, life: Duration) -> Vec<StreamEntry> {
        loop {
            let filled = self.filled.notified();
            let taken: Vec<StreamEntry> = self.with(life, |entries| {
                let count = entries.waiting.len().min(most.max(1));
                let taken = entries.waiting.drain(..count);
                taken.map(|(entry, _)| entry).collect()
            });
            if !taken.is_empty() {
                return taken;
            }
            filled.await;
        }
    }

    fn with<T>(&self, life: Duration, work: impl FnOnce(&mut Entries) -> T) -> T {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((_, since)) = entries.waiting.front()
            && since.elapsed() >= life
        {
            entries.waiting.pop_front();
        }
        work(&mut entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[tokio::test]
    async fn each_entry_is_taken_once_and_none_after_its_time() {
        let stream = LocalStream::default();
        let life = Duration::from_hours(1);
        assert_eq!(stream.add(&[payload("a"), payload("b")], life), 2);
        assert_eq!(stream.take(1, life).await[0].payload, "a");
        assert_eq!(stream.take(5, life).await[0].payload, "b");
        stream.add(&[payload("late")], life);
        assert_eq!(stream.add(&[payload("c")], Duration::ZERO), 1);
        assert_eq!(stream.take(5, life).await.len(), 1);
    }
}
