//! The id that ties a response, its log entry and a 5xx body together.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::{HeaderName, HeaderValue};

/// `X-Request-Id`
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of an id that a client may choose.
const LONGEST: usize = 128;

/// Where the ids of this process begin.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("request id"));
static ISSUED: AtomicU64 = AtomicU64::new(0);

/// Id of one request: the client's own, if it is sane, or one that is unique to this process.
/// It is a name, not a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id a client sent, or a new one.
    pub fn accept(sent: Option<&HeaderValue>) -> Self {
        match sent {
            Some(value) if is_sane(value.as_bytes()) => Self(value.clone()),
            _ => Self::generate(),
        }
    }

    /// A new id: sixteen hexadecimal digits.
    pub fn generate() -> Self {
        let number = mix(SEED.wrapping_add(ISSUED.fetch_add(1, Ordering::Relaxed)));
        let mut digits = [0u8; 16];
        for (index, digit) in digits.iter_mut().enumerate() {
            let nibble = (number >> (60 - 4 * index)) & 0xf;
            *digit = b"0123456789abcdef"[usize::try_from(nibble).unwrap_or(0)];
        }
        let value = HeaderValue::from_bytes(&digits);
        Self(value.unwrap_or_else(|_| HeaderValue::from_static("")))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The id as a header's value.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// What may stand in a log line without quoting.
fn is_sane(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte))
}

/// The finaliser of `SplitMix64`: a bijection, so that counting never repeats an id.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_kept() {
        let sent = HeaderValue::from_static("0af7651916cd43dd-8448:eb");
        assert_eq!(
            RequestId::accept(Some(&sent)).as_str(),
            "0af7651916cd43dd-8448:eb"
        );
    }

    #[test]
    fn what_could_disturb_a_log_is_replaced() {
        for sent in ["", "a b", "a\"b", "<x>", &"x".repeat(129)] {
            let id = RequestId::accept(HeaderValue::from_str(sent).ok().as_ref());
            assert_ne!(id.as_str(), sent);
            assert_eq!(id.as_str().len(), 16);
        }
        assert_eq!(RequestId::accept(None).as_str().len(), 16);
    }

    #[test]
    fn generated_ids_differ() {
        let ids: std::collections::HashSet<_> = (0..1000)
            .map(|_| RequestId::generate().as_str().to_owned())
            .collect();
        assert_eq!(ids.len(), 1000);
    }
}
