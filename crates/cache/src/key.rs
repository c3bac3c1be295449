//! What a reply is kept under: a digest of everything that it is made from.

use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};

/// A digest of everything that a reply is made from, tables aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReplyKey([u8; 32]);

/// Collects what a reply is made from. Parts cannot run into each other: each is preceded by its
/// length.
#[derive(Debug, Default)]
pub struct KeyBuilder(Vec<u8>);

impl ReplyKey {
    /// The digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As text that any store takes.
    pub fn to_hex(self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = self.0.iter().flat_map(|byte| {
            [byte >> 4, byte & 0xf].map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        });
        digits.collect()
    }
}

impl KeyBuilder {
    /// With room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Adds a part.
    pub fn part(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        self.0
            .extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds a part that may be missing, which differs from an empty one.
    pub fn optional(&mut self, bytes: Option<impl AsRef<[u8]>>) -> &mut Self {
        if let Some(bytes) = bytes {
            return self.part(bytes);
        }
        self.number(u64::MAX)
    }

    /// Adds a number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// Adds whatever can be hashed.
    pub fn hashed(&mut self, value: &impl Hash) -> &mut Self {
        value.hash(&mut Bytes(&mut self.0));
        self
    }

    /// The key.
    pub fn finish(&self) -> ReplyKey {
        ReplyKey(Sha256::digest(&self.0).into())
    }
}

/// Takes down what is hashed instead of hashing it.
struct Bytes<'a>(&'a mut Vec<u8>);

impl Hasher for Bytes<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::KeyBuilder;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let key = |parts: &[&str]| {
            let mut builder = KeyBuilder::default();
            for part in parts {
                builder.part(part);
            }
            builder.finish()
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["a"]), key(&["a", ""]));
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
        let mut missing = KeyBuilder::default();
        missing.optional(None::<&str>);
        assert_ne!(missing.finish(), key(&[""]));
        assert_eq!(key(&["a"]).to_hex().len(), 64);
    }
}
