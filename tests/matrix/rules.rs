//! The rules, table by table.

mod functions;
mod groups;
mod library;
mod people;
mod resources;

use crate::Rule;

/// Everything that is tried, in the order of the page.
pub fn rules() -> Vec<Rule> {
    [
        people::rules(),
        resources::rules(),
        groups::rules(),
        library::rules(),
        functions::rules(),
    ]
    .concat()
}
