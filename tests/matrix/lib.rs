//! Who may do what in Hub-Lib, as data: written from the rules that the application states, never read back from a database.
//!
//! [`rules()`] has one row for each thing that somebody may try. The tests try each of them as every [`Actor`] in every
//! [`State`] through the real binary, and [`page()`] prints the same rows for people.

mod actor;
mod page;
mod right;
mod rule;
mod rules;
mod state;

pub use actor::Actor;
pub use page::page;
pub use right::{Outcome, Right};
pub use rule::{Operation, Query, Rule};
pub use rules::rules;
pub use state::State;
