//! Several requests in one transaction, all or nothing.
//!
//! What a client sends is a list of items, each a request with a method, a path, headers and a body.
//! An item goes through the same stages as a request of its own; what it refers to of the results
//! before it is put in after its parts have been read, so that no value changes what they say.

mod binding;
mod body;
mod error;
mod head;
mod item;
mod pointer;
mod results;

pub(crate) use self::binding::bind;
pub(crate) use self::body::{Text, references};
pub(crate) use self::error::{BatchError, ReferenceError};
pub(crate) use self::head::ItemHead;
pub(crate) use self::item::{Item, read};
pub(crate) use self::results::{BodyKind, Names, Results};

/// What the configuration says about batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSettings {
    /// Items at most.
    pub items: usize,
    /// Bytes of all results together.
    pub result_bytes: usize,
}
