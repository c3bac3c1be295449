//! Turns a plan into SQL statements. Rendering cannot fail.
//!
//! Identifiers of a plan are quoted, type names were checked by the grammar, and text of the user
//! becomes a parameter: the text of a statement is the same for all values and all list lengths, so
//! prepared statements are reused. This crate never looks at a request and never runs anything.

mod body;
mod condition;
mod count;
mod embed;
mod field;
mod node;
mod read;
mod writer;

pub use read::{ReadStatements, column, render};
