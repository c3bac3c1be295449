//! Where messages to a socket wait until it takes them.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use bytestring::ByteString;
use passerelle_identity::Principal;
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use crate::frame::Version;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Something for a socket.
#[derive(Debug)]
pub(crate) enum Out {
    /// A frame of text.
    Text(ByteString),
    /// A binary frame.
    Binary(Bytes),
    /// Changes of rows were missed: channels that follow some are joined anew.
    Missed,
    /// The server ends.
    GoAway,
}

impl Out {
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Missed | Self::GoAway => 0,
        }
    }
}

/// With the join that it is for; zero is the socket's own.
pub(crate) type ForJoin = (u64, Out);

/// One socket, as others see it.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) id: u64,
    pub(crate) version: Version,
    queue: mpsc::Sender<ForJoin>,
    waiting: Arc<AtomicUsize>,
    most: usize,
    /// It reads too slowly.
    is_lost: AtomicBool,
    lost: Notify,
    /// Sessions that have ended, and of which it does not know yet: that does not wait in line.
    ended: Mutex<Vec<Uuid>>,
    has_ended: AtomicBool,
    end: Notify,
}

/// The other end.
#[derive(Debug)]
pub(crate) struct Inlet {
    queue: mpsc::Receiver<ForJoin>,
    waiting: Arc<AtomicUsize>,
}

/// A new queue of at most so many messages and bytes.
pub(crate) fn outlet(version: Version, messages: usize, bytes: usize) -> (Arc<Outlet>, Inlet) {
    let (sender, receiver) = mpsc::channel(messages);
    let waiting = Arc::new(AtomicUsize::new(0));
    let outlet = Outlet {
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        version,
        queue: sender,
        waiting: Arc::clone(&waiting),
        most: bytes,
        is_lost: AtomicBool::new(false),
        lost: Notify::new(),
        ended: Mutex::default(),
        has_ended: AtomicBool::new(false),
        end: Notify::new(),
    };
    let inlet = Inlet {
        queue: receiver,
        waiting,
    };
    (Arc::new(outlet), inlet)
}

impl Outlet {
    /// Hands something over, without waiting. A socket that takes too little is given up.
    pub(crate) fn send(&self, out: Out) {
        self.send_for(0, out);
    }

    /// The same for one join: once that has been left, it is not written any more.
    pub(crate) fn send_for(&self, join: u64, out: Out) {
        // What comes after something that is missing is missing, too.
        if self.is_lost.load(Ordering::Acquire) {
            return;
        }
        let bytes = out.bytes();
        let waiting = self.waiting.fetch_add(bytes, Ordering::AcqRel) + bytes;
        // Where nothing waits, one may be as long as it is: who reads fast is not too slow.
        let is_too_much = waiting > self.most && waiting > bytes;
        if is_too_much || self.queue.try_send((join, out)).is_err() {
            self.waiting.fetch_sub(bytes, Ordering::AcqRel);
            if !self.queue.is_closed() && !self.is_lost.swap(true, Ordering::AcqRel) {
                self.lost.notify_one();
            }
        }
    }

    /// A frame of text.
    pub(crate) fn text(&self, text: String) {
        self.send(Out::Text(text.into()));
    }

    /// Returns when the socket reads too slowly.
    pub(crate) async fn lost(&self) {
        while !self.is_lost.load(Ordering::Acquire) {
            self.lost.notified().await;
        }
    }

    /// A session has ended: its channels close.
    pub(crate) fn end_session(&self, session: Uuid) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push(session);
        self.has_ended.store(true, Ordering::Release);
        drop(ended);
        self.end.notify_one();
    }

    /// Returns when a session has ended.
    pub(crate) async fn session_ended(&self) {
        while !self.has_ended.load(Ordering::Acquire) {
            self.end.notified().await;
        }
    }

    /// The sessions that have ended since this was asked the last time.
    pub(crate) fn ended_sessions(&self) -> Vec<Uuid> {
        if !self.has_ended.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_ended.store(false, Ordering::Release);
        std::mem::take(&mut ended)
    }
}

impl Inlet {
    /// What comes next.
    pub(crate) async fn next(&mut self) -> Option<ForJoin> {
        let next = self.queue.recv().await?;
        self.waiting.fetch_sub(next.1.bytes(), Ordering::AcqRel);
        Some(next)
    }

    /// What is there already.
    pub(crate) fn next_if_there(&mut self) -> Option<ForJoin> {
        let next = self.queue.try_recv().ok()?;
        self.waiting.fetch_sub(next.1.bytes(), Ordering::AcqRel);
        Some(next)
    }
}

/// Who has joined, as far as it matters to what they may see.
#[derive(Clone, Debug)]
pub(crate) struct Audience {
    pub(crate) role: Arc<str>,
    pub(crate) subject: Arc<str>,
    pub(crate) claims: Arc<str>,
}

impl Audience {
    pub(crate) fn of(principal: &Principal) -> Self {
        Self {
            role: Arc::clone(principal.role()),
            subject: principal.subject().unwrap_or_default().into(),
            claims: Arc::clone(principal.claims_json()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize) -> Out {
        Out::Text("x".repeat(length).into())
    }

    #[test]
    fn one_message_may_be_longer_than_what_may_wait() {
        let (outlet, mut inlet) = outlet(Version::V2, 4, 10);
        outlet.send(text(100));
        assert!(inlet.next_if_there().is_some());
        assert!(!outlet.is_lost.load(Ordering::Acquire));
        outlet.send(text(6));
        outlet.send(text(6));
        assert!(outlet.is_lost.load(Ordering::Acquire));
    }

    #[test]
    fn ended_sessions_are_told_once() {
        let (outlet, _inlet) = outlet(Version::V2, 4, 10);
        assert!(outlet.ended_sessions().is_empty());
        outlet.end_session(Uuid::nil());
        assert_eq!(outlet.ended_sessions(), [Uuid::nil()]);
        assert!(outlet.ended_sessions().is_empty());
    }
}
