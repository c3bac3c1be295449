//! Where mails land during development.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::template::Message;

/// The newest are kept, so many.
const KEPT: usize = 200;

/// The newest mails, for people and tests to look at.
#[derive(Debug, Default)]
pub struct Inbox {
    mails: Mutex<(u64, VecDeque<Received>)>,
}

/// A mail that arrived.
#[derive(Clone, Debug, Serialize)]
pub struct Received {
    /// Its number, from 1.
    pub id: u64,
    /// What it says.
    #[serde(flatten)]
    pub message: Message,
}

impl Inbox {
    /// Puts a mail into it.
    pub fn put(&self, message: Message) {
        let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, mails) = &mut *mails;
        *count += 1;
        mails.push_front(Received {
            id: *count,
            message,
        });
        mails.truncate(KEPT);
    }

    /// All of them, or those to one address; the newest first.
    pub fn mails(&self, to: Option<&str>) -> Vec<Received> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        let all = mails.1.iter();
        let wanted = |mail: &&Received| to.is_none_or(|to| mail.message.to == to);
        all.filter(wanted).cloned().collect()
    }
}
