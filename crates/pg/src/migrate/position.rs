//! Where in a script a statement failed.

use std::fmt;

use tokio_postgres::error::ErrorPosition;

/// Line and column of a script, from 1; displayed as `:line:column`, or as nothing when unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position(Option<(usize, usize)>);

impl Position {
    pub(super) fn of(error: &tokio_postgres::Error, sql: &str) -> Self {
        match error.as_db_error().and_then(|report| report.position()) {
            Some(ErrorPosition::Original(character)) => Self::at(sql, *character),
            _ => Self(None),
        }
    }

    /// Line, if it is known.
    pub fn line(&self) -> Option<usize> {
        self.0.map(|(line, _)| line)
    }

    /// `character` counts from 1.
    fn at(sql: &str, character: u32) -> Self {
        let before = usize::try_from(character)
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        let (mut line, mut column) = (1, 1);
        for c in sql.chars().take(before) {
            if c == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        Self(Some((line, column)))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(formatter, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_become_lines_and_columns() {
        let sql = "select 1;\nsélect x\n";
        assert_eq!(Position::at(sql, 1), Position(Some((1, 1))));
        assert_eq!(Position::at(sql, 11), Position(Some((2, 1))));
        assert_eq!(Position::at(sql, 18).to_string(), ":2:8");
        assert_eq!(Position(None).to_string(), "");
    }
}
