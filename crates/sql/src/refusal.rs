//! How a statement refuses to do an operation to what a column holds.
//!
//! SQL has no expression that fails with a text of one's choice. Asking for a setting that cannot
//! exist fails with its name, and does so only where it is evaluated: what `current_setting` returns
//! is not known before a statement runs.

use passerelle_syntax::ValueOperation;

use crate::writer::Writer;

/// SQLSTATE `undefined_object`, which an unknown setting is.
const UNKNOWN: &str = "42704";

/// What names of such settings begin with. No setting can have a blank in its name.
const BEGIN: &str = "pgrst.refused ";

/// What they end with, whatever the message goes on with.
const END: &str = " pgrst";

/// An operation that was refused because of what a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedOperation<'m> {
    /// The member that names the operation.
    pub operation: &'m str,
    /// The column.
    pub column: &'m str,
}

impl<'m> RefusedOperation<'m> {
    /// What an error of PostgreSQL says, in whatever language, if it comes of such an expression.
    pub fn read(code: &str, message: &'m str) -> Option<Self> {
        if code != UNKNOWN {
            return None;
        }
        let (_, name) = message.split_once(BEGIN)?;
        let (name, _) = name.rsplit_once(END)?;
        let (operation, column) = name.split_once(' ')?;
        Some(Self { operation, column })
    }
}

/// Writes an expression of the type that fails.
pub(crate) fn write_refusal(
    sql: &mut Writer,
    operation: ValueOperation,
    column: &str,
    type_name: &str,
) {
    sql.push("current_setting(");
    sql.literal(&format!("{BEGIN}{} {column}{END}", operation.as_str()));
    sql.push(")::");
    sql.push(type_name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_read_from_the_message() {
        let message = "paramètre « pgrst.refused $merge a \" pgrst b pgrst » inconnu";
        let refused = RefusedOperation {
            operation: "$merge",
            column: "a \" pgrst b",
        };
        assert_eq!(RefusedOperation::read("42704", message), Some(refused));
        assert_eq!(RefusedOperation::read("22P02", message), None);
        let other = "unrecognized configuration parameter \"app.other\"";
        assert_eq!(RefusedOperation::read("42704", other), None);
    }
}
