//! What is handed to a worker.

use bytes::Bytes;
use uuid::Uuid;

/// A job that is claimed for whoever gets this: enough to find it, nothing of what is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// The job's number.
    pub(crate) id: i64,
    /// Under which it was claimed; another claim of the same job makes this one void.
    pub(crate) claim: Uuid,
    /// The job's name.
    pub(crate) job: String,
}

impl Ticket {
    /// As an entry of a stream.
    pub(crate) fn to_payload(&self) -> Bytes {
        format!("{} {} {}", self.id, self.claim, self.job).into()
    }

    /// Read from an entry of a stream; nothing if it is something else.
    pub(crate) fn of_payload(payload: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(payload).ok()?.splitn(3, ' ');
        Some(Self {
            id: parts.next()?.parse().ok()?,
            claim: parts.next()?.parse().ok()?,
            job: parts.next()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let ticket = Ticket {
            id: 42,
            claim: Uuid::from_u128(7),
            job: "passerelle.mail".to_owned(),
        };
        assert_eq!(Ticket::of_payload(&ticket.to_payload()), Some(ticket));
        for payload in ["", "42", "42 7 mail", "\u{ff} a b"] {
            assert_eq!(Ticket::of_payload(payload.as_bytes()), None);
        }
    }
}
