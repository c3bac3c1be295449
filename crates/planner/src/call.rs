//! Which function is going to be called, and what is shown of its result.

use bytes::Bytes;
use passerelle_catalog::QualifiedName;

use crate::{ColumnRef, CountSpec, Handler, OutcomeCheck, ReadNode, ReplySpec, TransactionSpec};

/// A call of a function and the read of its result.
#[derive(Clone, Debug, PartialEq)]
pub struct CallPlan {
    /// The function.
    pub function: QualifiedName,
    /// What it is given.
    pub arguments: Arguments,
    /// What it returns.
    pub result: ResultKind,
    /// Columns of the result that the read needs, without duplicates; empty: all. Not used for
    /// scalar results.
    pub returning: Vec<ColumnRef>,
    /// The read of its result: its root's source is [`Source::Written`](crate::Source).
    pub read: ReadNode,
    /// How the total is found, when it was asked for.
    pub count: Option<CountSpec>,
    /// What turns the rows into a body.
    pub handler: Handler,
    /// How the transaction runs.
    pub transaction: TransactionSpec,
    /// What the reply says beside the body.
    pub reply: ReplySpec,
    /// What the outcome has to be for the transaction to be committed.
    pub check: OutcomeCheck,
    /// Settings of the function that hold for the whole transaction.
    pub settings: Box<[(Box<str>, Box<str>)]>,
    /// Isolation level of the function, as PostgreSQL writes it.
    pub isolation: Option<String>,
}

/// What a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// Nothing: 204.
    Void,
    /// One value.
    Scalar,
    /// A set of values.
    SetOfScalar,
    /// One row.
    Composite,
    /// A set of rows.
    SetOfComposite,
}

/// What a function is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// Nothing.
    None,
    /// The whole body as its only, unnamed parameter.
    Body {
        /// The bytes; absent is NULL.
        bytes: Option<Bytes>,
        /// Type of the parameter.
        type_name: String,
    },
    /// Members of a JSON object as parameters of the same names.
    Json {
        /// The object.
        bytes: Bytes,
        /// The parameters that are given.
        parameters: Vec<CallParameter>,
    },
    /// Values as text: from the query string or a form.
    Text(Vec<(CallParameter, TextArgument)>),
}

/// A parameter that is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallParameter {
    /// Its name.
    pub name: String,
    /// Its type, without limits of length.
    pub type_name: String,
    /// It takes the rest of the arguments, as an array.
    pub variadic: bool,
}

/// A value given as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextArgument {
    /// One value.
    One(String),
    /// The values of a variadic parameter.
    Many(Vec<String>),
}
