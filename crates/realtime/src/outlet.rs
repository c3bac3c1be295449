//! Where messages to a socket wait until it takes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

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
    /// A session has ended: its channels close.
    SessionEnded(Uuid),
    /// Changes of rows were missed: channels that follow some are joined anew.
    Missed,
    /// The server ends.
    GoAway,
}

impl Out {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::SessionEnded(_) | Self::Missed | Self::GoAway => 0,
        }
    }
}

/// One socket, as others see it.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) id: u64,
    pub(crate) version: Version,
    queue: mpsc::Sender<Out>,
    waiting: Arc<AtomicUsize>,
    most: usize,
    /// It reads too slowly.
    is_lost: AtomicBool,
    lost: Notify,
}

/// The other end.
#[derive(Debug)]
pub(crate) struct Inlet {
    queue: mpsc::Receiver<Out>,
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
        // What comes after something that is missing is missing, too.
        if self.is_lost.load(Ordering::Acquire) {
            return;
        }
        let bytes = out.bytes();
        let waiting = self.waiting.fetch_add(bytes, Ordering::AcqRel) + bytes;
        if waiting > self.most || self.queue.try_send(out).is_err() {
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
}

impl Inlet {
    /// What comes next.
    pub(crate) async fn next(&mut self) -> Option<Out> {
        let out = self.queue.recv().await?;
        self.waiting.fetch_sub(out.bytes(), Ordering::AcqRel);
        Some(out)
    }

    /// What is there already.
    pub(crate) fn next_if_there(&mut self) -> Option<Out> {
        let out = self.queue.try_recv().ok()?;
        self.waiting.fetch_sub(out.bytes(), Ordering::AcqRel);
        Some(out)
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
