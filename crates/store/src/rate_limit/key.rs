//! Whose requests are counted together.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What a caller is counted under: a digest, because ids, keys and addresses of people are nobody's
/// business who looks into Redis, and because it is short however long they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LimitKey([u8; 16]);

impl LimitKey {
    /// The key of a caller for one class of requests; the parts are kept apart.
    pub fn of(class: &str, kind: &str, caller: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        for part in [class.as_bytes(), kind.as_bytes()] {
            hasher.update(part);
            hasher.update([0]);
        }
        hasher.update(caller);
        let digest: [u8; 32] = hasher.finalize().into();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }

    pub(super) fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LimitKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_makes_a_difference() {
        let key = LimitKey::of("read", "user", b"1");
        assert_eq!(key, LimitKey::of("read", "user", b"1"));
        for other in [
            LimitKey::of("write", "user", b"1"),
            LimitKey::of("read", "address", b"1"),
            LimitKey::of("read", "user", b"2"),
            LimitKey::of("rea", "duser", b"1"),
        ] {
            assert_ne!(key, other);
        }
        assert_eq!(key.to_string().len(), 32);
    }
}
