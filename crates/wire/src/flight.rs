//! What goes to PostgreSQL in one write: prelude, statement, transaction and scope.
//! It never touches a socket.

use std::sync::Arc;

use passerelle_statement::Statement;

/// One pipelined exchange: everything is written at once and answered up to `ReadyForQuery`.
#[derive(Clone, Copy, Debug)]
pub struct Flight<'a> {
    /// Statements run in order before [`Self::statement`], in the same transaction. Their rows
    /// are dropped; an error in any of them fails the flight.
    pub prelude: &'a [Statement],
    /// The statement whose rows are the result.
    pub statement: &'a Statement,
    /// Under whose role and search path the statement is parsed. The prelude's statements are kept
    /// apart by it as well, since those behind the change of role are parsed under it.
    pub scope: &'a Scope,
    /// How the transaction starts and ends.
    pub transaction: Transaction,
    /// Whether the result carries column names and types, at the cost of one more message.
    pub describe: bool,
    /// Statements run in order after [`Self::statement`], in the same transaction. Their rows are
    /// dropped; an error in any of them fails the flight.
    pub epilogue: &'a [Statement],
    /// Statements run last, in the same transaction. The row of the last of them is kept apart
    /// from the result: see [`ResultSet::closing`](crate::ResultSet::closing).
    pub closing: &'a [Statement],
}

impl<'a> Flight<'a> {
    /// A flight in the implicit transaction, without a prelude and without column names.
    pub fn new(statement: &'a Statement, scope: &'a Scope) -> Self {
        Self {
            prelude: &[],
            statement,
            scope,
            transaction: Transaction::Implicit,
            describe: false,
            epilogue: &[],
            closing: &[],
        }
    }

    /// The same flight with this prelude.
    #[must_use]
    pub fn prelude(self, prelude: &'a [Statement]) -> Self {
        Self { prelude, ..self }
    }

    /// The same flight in this transaction.
    #[must_use]
    pub fn transaction(self, transaction: Transaction) -> Self {
        Self {
            transaction,
            ..self
        }
    }

    /// The same flight with column names and types.
    #[must_use]
    pub fn describe(self) -> Self {
        Self {
            describe: true,
            ..self
        }
    }

    /// The same flight with this epilogue.
    #[must_use]
    pub fn epilogue(self, epilogue: &'a [Statement]) -> Self {
        Self { epilogue, ..self }
    }

    /// The same flight with these statements at its end.
    #[must_use]
    pub fn closing(self, closing: &'a [Statement]) -> Self {
        Self { closing, ..self }
    }
}

/// What a prepared statement belongs to besides its text: names are looked up, and the privileges
/// on schemas checked, when it is parsed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    role: Arc<str>,
    search_path: Arc<str>,
}

impl Scope {
    /// The scope of statements parsed as `role` with `search_path`.
    pub fn new(role: impl Into<Arc<str>>, search_path: impl Into<Arc<str>>) -> Self {
        Self {
            role: role.into(),
            search_path: search_path.into(),
        }
    }

    /// The role that the prelude switches to.
    pub fn role(&self) -> &Arc<str> {
        &self.role
    }

    /// The search path that the prelude sets.
    pub fn search_path(&self) -> &Arc<str> {
        &self.search_path
    }
}

/// How a flight's transaction starts and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transaction {
    /// The implicit transaction of the extended protocol: committed by the `Sync`, rolled back by
    /// any error.
    #[default]
    Implicit,
    /// `BEGIN`, and an end in the same flight.
    Explicit {
        /// How it starts.
        begin: Begin,
        /// How it ends when nothing failed.
        end: End,
    },
}

/// The characteristics of an explicit `BEGIN`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begin {
    /// The isolation level, or that of the session.
    pub isolation: Option<Isolation>,
    /// Whether the transaction is read only.
    pub read_only: bool,
}

impl Begin {
    pub(crate) fn sql(self) -> &'static str {
        match (self.isolation, self.read_only) {
            (None, false) => "BEGIN",
            (None, true) => "BEGIN READ ONLY",
            (Some(Isolation::ReadCommitted), false) => "BEGIN ISOLATION LEVEL READ COMMITTED",
            (Some(Isolation::ReadCommitted), true) => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
            }
            (Some(Isolation::RepeatableRead), false) => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            (Some(Isolation::RepeatableRead), true) => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            }
            (Some(Isolation::Serializable), false) => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            (Some(Isolation::Serializable), true) => "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
        }
    }
}

/// The isolation levels that differ in PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// All statements see one snapshot.
    RepeatableRead,
    /// As if transactions ran one after another.
    Serializable,
}

/// How an explicit transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Its writes stay.
    Commit,
    /// Its writes are undone.
    Rollback,
}

impl End {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Commit => "COMMIT",
            Self::Rollback => "ROLLBACK",
        }
    }
}
