//! Which tables a transaction has written, as the triggers of the database tell it.

/// Tables that a transaction has written, by object identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// The tables.
    pub tables: Vec<u32>,
    /// What tables are and who may read them has changed, too.
    pub definitions: bool,
}

impl Touched {
    /// Reads what the triggers leave in their setting: identifiers between commas, `*` for
    /// definitions. What is not understood counts as a change of definitions, which is the more.
    pub fn parse(text: &str) -> Self {
        let mut touched = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            match part.parse() {
                Ok(table) => touched.tables.push(table),
                Err(_) => touched.definitions = true,
            }
        }
        touched
    }

    /// Nothing was written that anybody follows.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && !self.definitions
    }

    /// Adds what another transaction, or a part of the same one, has written.
    pub fn add(&mut self, other: Self) {
        for table in other.tables {
            if !self.tables.contains(&table) {
                self.tables.push(table);
            }
        }
        self.definitions |= other.definitions;
    }
}

#[cfg(test)]
mod tests {
    use super::Touched;

    #[test]
    fn reads_what_triggers_leave() {
        assert!(Touched::parse("").is_empty());
        assert_eq!(Touched::parse(",16384,16390,").tables, [16384, 16390]);
        assert!(!Touched::parse(",16384,").definitions);
        assert!(Touched::parse(",16384,*,").definitions);
        assert!(Touched::parse("nonsense").definitions);
    }
}
