//! Bytes on their way that are copied only when something is to be changed.

/// What is read, and what is made of it.
pub(super) struct Edit<'b> {
    bytes: &'b [u8],
    done: usize,
    /// What is made of the bytes that are done, when it is something else.
    out: Option<Vec<u8>>,
}

impl<'b> Edit<'b> {
    pub(super) fn of(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            done: 0,
            out: None,
        }
    }

    /// What is not done yet.
    pub(super) fn rest(&self) -> &'b [u8] {
        &self.bytes[self.done..]
    }

    /// The next bytes stay as they are.
    pub(super) fn keep(&mut self, bytes: usize) {
        let kept = &self.rest()[..bytes];
        if let Some(out) = &mut self.out {
            out.extend_from_slice(kept);
        }
        self.done += bytes;
    }

    /// The next bytes are left out.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.changed();
        self.done += bytes;
    }

    /// Something is put here.
    pub(super) fn insert(&mut self, bytes: &[u8]) {
        self.changed().extend_from_slice(bytes);
    }

    /// What the bytes became, if that is something else.
    pub(super) fn result(self) -> Option<Vec<u8>> {
        self.out
    }

    fn changed(&mut self) -> &mut Vec<u8> {
        let (bytes, done) = (self.bytes, self.done);
        self.out.get_or_insert_with(|| bytes[..done].to_vec())
    }
}
