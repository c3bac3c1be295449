//! Work that is handed to whoever is free.
//!
//! Each entry of a stream is taken by one of its readers, in whatever process. An entry that its reader does not acknowledge soon
//! is taken by another, so that what a process had taken that died is not lost with it. What nobody takes up in
//! time is forgotten, and so is everything when Redis is emptied: whoever hands work over keeps account of it elsewhere.

mod local;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use self::local::LocalStream;
pub(crate) use self::local::LocalStreams;
use self::shared::SharedReader;
pub(crate) use self::shared::SharedStream;
use crate::error::StoreError;

/// The most entries that wait; older ones go when there are more.
const CAPACITY: usize = 10_000;
/// How long a reader waits at a time.
const BLOCK: Duration = Duration::from_secs(1);

/// An entry of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEntry {
    /// Its number, by which it is acknowledged.
    pub id: String,
    /// What was handed over.
    pub payload: Bytes,
}

/// A stream of entries, each for one reader; in Redis, or within this process where there is none.
#[derive(Clone, Debug)]
pub struct Stream(Place);

#[derive(Clone, Debug)]
enum Place {
    Redis(Arc<SharedStream>),
    Memory {
        stream: Arc<LocalStream>,
        life: Duration,
    },
}

/// Takes entries of a stream; in Redis over a connection of its own, on which it waits.
#[derive(Debug)]
pub struct StreamReader(ReaderPlace);

#[derive(Debug)]
enum ReaderPlace {
    Redis(Box<SharedReader>),
    Memory {
        stream: Arc<LocalStream>,
        life: Duration,
    },
}

impl Stream {
    pub(crate) fn in_redis(stream: SharedStream) -> Self {
        Self(Place::Redis(Arc::new(stream)))
    }

    pub(crate) fn in_memory(stream: Arc<LocalStream>, life: Duration) -> Self {
        Self(Place::Memory { stream, life })
    }

    /// Hands work over, none or more; how many entries nobody has acknowledged then.
    ///
    /// # Errors
    /// [`StoreError`]. When Redis did not answer it may have been handed over all the same.
    pub async fn add(&self, payloads: &[Bytes]) -> Result<usize, StoreError> {
        match &self.0 {
            Place::Redis(stream) => stream.add(payloads).await,
            Place::Memory { stream, life } => Ok(stream.add(payloads, *life)),
        }
    }

    /// How many entries nobody has acknowledged.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn waiting(&self) -> Result<usize, StoreError> {
        self.add(&[]).await
    }

    /// An entry has been taken up, and is given to nobody else.
    ///
    /// # Errors
    /// [`StoreError`]. Then it may be given to another reader.
    pub async fn acknowledge(&self, id: &str) -> Result<(), StoreError> {
        match &self.0 {
            Place::Redis(stream) => stream.acknowledge(id).await,
            // Who takes an entry of this process's memory cannot die alone.
            Place::Memory { .. } => Ok(()),
        }
    }

    /// Whether a reader that this stream has made here could take entries when it last tried.
    pub fn is_read(&self) -> bool {
        match &self.0 {
            Place::Redis(stream) => stream.is_read(),
            Place::Memory { .. } => true,
        }
    }

    /// A reader of it.
    pub fn reader(&self) -> StreamReader {
        StreamReader(match &self.0 {
            Place::Redis(stream) => {
                ReaderPlace::Redis(Box::new(SharedReader::new(Arc::clone(stream))))
            }
            Place::Memory { stream, life } => ReaderPlace::Memory {
                stream: Arc::clone(stream),
                life: *life,
            },
        })
    }
}

impl StreamReader {
    /// The next entries, one or more and at most so many; waits for them, and for Redis if it is away. What was taken
    /// by a call that is cancelled comes to another reader.
    pub async fn take(&mut self, most: usize) -> Vec<StreamEntry> {
        match &mut self.0 {
            ReaderPlace::Redis(reader) => reader.take(most).await,
            ReaderPlace::Memory { stream, life } => stream.take(most, *life).await,
        }
    }
}
