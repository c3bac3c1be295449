//! The `Prefer` header (RFC 7240) with the preferences that `PostgREST` knows.

/// All preferences of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// `resolution=`
    pub resolution: Option<Resolution>,
    /// `return=`
    pub representation: Option<Representation>,
    /// `count=`
    pub count: Option<Count>,
    /// `tx=`; only where the server allows the override.
    pub transaction: Option<TransactionEnd>,
    /// `missing=`
    pub missing: Option<Missing>,
    /// `handling=`
    pub handling: Option<Handling>,
    /// `timezone=`, as written.
    pub timezone: Option<String>,
    /// `max-affected=`
    pub max_affected: Option<u64>,
    /// Preferences that are not known, or whose value is not, as written; an error under
    /// `handling=strict`.
    pub invalid: Vec<String>,
}

/// What an insert does with rows that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the header's")]
pub enum Resolution {
    MergeDuplicates,
    IgnoreDuplicates,
}

/// What a write answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the header's")]
pub enum Representation {
    Full,
    HeadersOnly,
    Minimal,
}

/// How the total number of rows is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the header's")]
pub enum Count {
    Exact,
    Planned,
    Estimated,
}

/// How the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the header's")]
pub enum TransactionEnd {
    Commit,
    Rollback,
}

/// What stands for a key that is missing in a bulk insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The column's default.
    Default,
    /// NULL.
    Null,
}

/// What happens on a preference that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the header's")]
pub enum Handling {
    Strict,
    Lenient,
}
