//! How far an import is.

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Files are read; in bytes.
    Reading,
    /// Rows are written.
    Writing,
}

/// Who is told how far it is.
pub trait Progress {
    /// So much is done, of so much.
    fn at(&mut self, stage: Stage, done: u64, of: u64);
}

/// Nobody.
impl Progress for () {
    fn at(&mut self, _: Stage, _: u64, _: u64) {}
}
