//! Why a batch, or an item of it, is not understood.

use actix_web::http::header::InvalidHeaderName;
use thiserror::Error;

/// Why a batch is refused, beside what any request may be refused for.
#[derive(Debug, Error)]
pub(crate) enum BatchError {
    /// It is not a list of items (PSR620).
    #[error("the batch is malformed")]
    Malformed(#[source] serde_json::Error),
    /// It has too many items (PSR621).
    #[error("the batch has more than {limit} items")]
    TooManyItems {
        /// Items at most.
        limit: usize,
    },
    /// An item's header is for the batch to have (PSR622).
    #[error("an item may not have the header {name}")]
    HeaderRefused {
        /// Its name.
        name: String,
    },
    /// An item's header has a name or a value that no header can have (PSR622).
    #[error("a header of an item is malformed")]
    HeaderMalformed {
        /// Its name.
        name: String,
        /// Why, if it is the name.
        #[source]
        source: Option<InvalidHeaderName>,
    },
    /// An item wants to end the transaction in its own way (PSR622).
    #[error("an item cannot choose how the transaction ends")]
    TransactionEnd,
    /// An item's path is longer than that of a request may be (PSR414).
    #[error("the path of an item exceeds {limit} bytes")]
    PathTooLong {
        /// Bytes at most.
        limit: usize,
    },
    /// An item asks for something that has no place in a batch (PSR623).
    #[error("an item asks for {what}")]
    NoPlace {
        /// What it asks for.
        what: &'static str,
    },
    /// A reference cannot be resolved (PSR624).
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A function needs another isolation level than the batch has (PSR625).
    #[error("a function needs an isolation level of its own")]
    Isolation,
    /// The results are too large (PSR626).
    #[error("the results exceed {limit} bytes")]
    ResultsTooLarge {
        /// Bytes at most.
        limit: usize,
    },
    /// A result is neither JSON nor text (PSR627).
    #[error("the result of an item is not text")]
    NotText,
}

/// Why a reference cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ReferenceError {
    /// The name is not one.
    #[error(
        "the name \"{name}\" is not a letter or _ followed by letters, digits and _, 63 at most"
    )]
    Name {
        /// What was to be a name.
        name: String,
    },
    /// Two items declare the name.
    #[error("the name \"{name}\" is declared twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// No item declares it.
    #[error("the reference \"{name}\" is not declared by an item before")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The pointer is not one.
    #[error("the pointer \"{pointer}\" of the reference \"{name}\" is no JSON pointer")]
    Pointer {
        /// The name.
        name: String,
        /// Its pointer.
        pointer: String,
    },
    /// The pointer leads nowhere.
    #[error("the pointer \"{pointer}\" of the reference \"{name}\" finds nothing in the result")]
    Missing {
        /// The name.
        name: String,
        /// Its pointer.
        pointer: String,
    },
    /// Where it stands, only text, a number or a truth value can be put.
    #[error(
        "the reference \"{name}\" is not text, a number, true or false, as a filter or argument needs"
    )]
    NotScalar {
        /// The name.
        name: String,
    },
    /// The values of an item's filters and arguments are too long.
    #[error("the values of the references of an item exceed {limit} bytes")]
    TooLong {
        /// Bytes at most.
        limit: usize,
    },
    /// It stands in the place of the list of `(any)` or `(all)`.
    #[error(
        "the reference \"{name}\" cannot stand for the list of an operator with (any) or (all)"
    )]
    InList {
        /// The name.
        name: String,
    },
}
