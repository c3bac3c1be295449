//! Turns a plan into SQL statements. Rendering cannot fail.
//!
//! Identifiers of a plan are quoted, type names were checked by the grammar, and text of the user
//! becomes a parameter: the text of a statement is the same for all values and all list lengths, so
//! prepared statements are reused. This crate never looks at a request and never runs anything.

mod body;
mod by_key;
mod call;
mod condition;
mod count;
mod embed;
mod explain;
mod export;
mod field;
mod json;
mod mutate;
mod node;
mod operation;
mod read;
mod refusal;
mod rows;
mod write;
mod writer;

pub use call::render_call;
pub use export::{ExportStatements, export_column, render_export};
pub use mutate::{render_mutate, write_column};
pub use read::{ReadStatements, column, render};
pub use refusal::RefusedOperation;
