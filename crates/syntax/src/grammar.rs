//! The languages of the parameters: `select`, filters, logic trees, `order`, lists of columns.
//!
//! Each function is one production; what is tried first, and where it goes back, follows
//! `PostgREST`'s grammar, because the error texts follow from it. Recursion is bounded by
//! [`Limits`](crate::Limits).

mod filter;
mod logic;
mod name;
mod order;
mod select;

pub(crate) use filter::{operation, rest_value};
pub(crate) use logic::{logic_path, logic_tree};
pub(crate) use name::{columns, tree_path};
pub(crate) use order::order_terms;
pub(crate) use select::select_items;

use crate::scanner::{Label, Parsed, Scanner};

/// Spaces and tabs.
fn blanks<const E: bool>(s: &mut Scanner<'_, E>) {
    s.run(|found| found == ' ' || found == '\t', &[]);
}

/// A production with blanks around it.
fn lexeme<'t, T, const E: bool>(
    s: &mut Scanner<'t, E>,
    parser: impl FnOnce(&mut Scanner<'t, E>) -> Parsed<T>,
) -> Parsed<T> {
    blanks(s);
    let value = parser(s)?;
    blanks(s);
    Ok(value)
}

/// The dot between the parts of a path, an operator or an order term.
fn delimiter<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<()> {
    s.one(|found| found == '.', &[Label::Name("delimiter (.)")])
        .map(|_| ())
}

#[cfg(test)]
mod tests;
