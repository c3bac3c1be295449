//! What the database keeps for the gateway alone: sealed, so that reading the database gives nothing. And the keys for all that is
//! derived from the secret of the tokens.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use passerelle_identity::Secret;

/// What stored texts begin with that are sealed.
const SEALED: &str = "sealed:";
/// Bytes of a nonce.
const NONCE: usize = 12;

/// A key of HMAC-SHA256 for one purpose.
pub(crate) fn derived(secret: &Secret, purpose: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key_bytes(secret, purpose).as_ref())
}

/// Bytes for one purpose, apart from what the secret signs otherwise.
fn key_bytes(secret: &Secret, purpose: &str) -> hmac::Tag {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
    hmac::sign(&secret, purpose.as_bytes())
}

/// Seals bytes, each for the one row that they belong to.
pub(crate) struct Seals {
    key: Option<RandomizedNonceKey>,
}

impl Seals {
    pub(crate) fn new(secret: &Secret) -> Self {
        let key = key_bytes(secret, "passerelle factor secrets");
        Self {
            key: RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()).ok(),
        }
    }

    /// Bytes as they are stored with a row.
    pub(crate) fn seal(&self, bytes: &[u8], row: &str) -> Option<String> {
        let mut sealed = bytes.to_vec();
        let row = Aad::from(row.as_bytes());
        let nonce = self
            .key
            .as_ref()?
            .seal_in_place_append_tag(row, &mut sealed)
            .ok()?;
        let stored = [&nonce.as_ref()[..], &sealed].concat();
        Some(format!("{SEALED}{}", STANDARD_NO_PAD.encode(stored)))
    }

    /// What was sealed for a row; nothing if it was for another, or is not sealed.
    pub(crate) fn open(&self, stored: &str, row: &str) -> Option<Vec<u8>> {
        let mut bytes = STANDARD_NO_PAD.decode(stored.strip_prefix(SEALED)?).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let row = Aad::from(row.as_bytes());
        let opened = self.key.as_ref()?.open_in_place(nonce, row, sealed).ok()?;
        Some(opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_for_its_row_with_its_key_alone() {
        let seals = Seals::new(&Secret::from(vec![7; 40]));
        let sealed = seals.seal(b"something", "a").unwrap();
        assert!(sealed.starts_with(SEALED) && !sealed.contains("something"));
        assert_eq!(seals.open(&sealed, "a").unwrap(), b"something");
        assert_ne!(seals.seal(b"something", "a").unwrap(), sealed);
        assert!(seals.open(&sealed, "b").is_none());
        assert!(
            Seals::new(&Secret::from(vec![8; 40]))
                .open(&sealed, "a")
                .is_none()
        );
        for broken in ["", "something", SEALED, "sealed:AAAA"] {
            assert!(seals.open(broken, "a").is_none());
        }
    }
}
