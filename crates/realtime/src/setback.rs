//! Questions that the database did not answer, and what is to be done about it.

/// What kind of a failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setback {
    /// The question was not heard. It is asked again for as long as it takes.
    Unheard,
    /// There was no time or room for it. It is asked again, but not for ever.
    Busy,
    /// Something has perhaps been defined anew since the question was made up.
    Stale,
    /// It is refused, and would be again.
    Refused,
}

impl Setback {
    /// Of an SQLSTATE (PostgreSQL, appendix A).
    pub(crate) fn of(code: &str) -> Self {
        match code {
            // Cancelled by a timeout, no lock, serialization, deadlock, no disk, no memory, a limit.
            "57014" | "55P03" | "40001" | "40P01" | "53100" | "53200" | "53400" => Self::Busy,
            // A row, column, table, type or function is not what it was.
            "22P02" | "42703" | "42P01" | "42704" | "42883" | "42804" => Self::Stale,
            _ if ["08", "53", "57P"]
                .iter()
                .any(|class| code.starts_with(class)) =>
            {
                Self::Unheard
            }
            _ => Self::Refused,
        }
    }
}
