//! Reads the target list out of a view's query, as PostgreSQL prints it (`pg_node_tree`).
//!
//! The format is `{NODE :field value …}` with `(…)` for lists and `\` before characters that
//! would be taken for syntax. For each column of its result, the query says from which relation
//! and column it comes (`resorigtbl`, `resorigcol`). Only the outermost query is looked at; the
//! text is scanned once and nothing of it is kept.

/// A column that comes from a relation as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TargetEntry {
    pub(super) column: i16,
    pub(super) source: u32,
    pub(super) source_column: i16,
}

/// Depth of a query's own fields: the list of queries, then the query.
const QUERY_DEPTH: usize = 2;

/// Depth of a target entry's own fields: the target list, then the entry.
const ENTRY_DEPTH: usize = QUERY_DEPTH + 2;

/// The entries of the outermost target list that come from a relation.
pub(super) fn target_entries(tree: &str) -> impl Iterator<Item = TargetEntry> {
    Entries {
        tokens: Tokens::new(tree),
        depth: 0,
        in_targets: false,
        fields: Fields::default(),
    }
}

struct Entries<'a> {
    tokens: Tokens<'a>,
    depth: usize,
    in_targets: bool,
    fields: Fields,
}

#[derive(Default)]
struct Fields {
    column: i16,
    source: u32,
    source_column: i16,
}

impl Iterator for Entries<'_> {
    type Item = TargetEntry;

    fn next(&mut self) -> Option<TargetEntry> {
        while let Some(token) = self.tokens.next() {
            match token {
                "{" | "(" => self.depth += 1,
                "}" | ")" => {
                    let was_entry = self.in_targets && self.depth == ENTRY_DEPTH;
                    self.depth = self.depth.saturating_sub(1);
                    if self.in_targets && self.depth == QUERY_DEPTH {
                        return None;
                    }
                    if was_entry && let Some(entry) = std::mem::take(&mut self.fields).entry() {
                        return Some(entry);
                    }
                }
                ":targetList" if self.depth == QUERY_DEPTH => self.in_targets = true,
                field if self.in_targets && self.depth == ENTRY_DEPTH => self.field(field),
                // An empty list: the query has no result columns.
                _ if self.in_targets && self.depth == QUERY_DEPTH => return None,
                _ => {}
            }
        }
        None
    }
}

impl Entries<'_> {
    fn field(&mut self, name: &str) {
        match name {
            ":resno" => self.fields.column = self.number(),
            ":resorigtbl" => self.fields.source = self.number(),
            ":resorigcol" => self.fields.source_column = self.number(),
            _ => {}
        }
    }

    fn number<T: std::str::FromStr + Default>(&mut self) -> T {
        self.tokens
            .next()
            .and_then(|token| token.parse().ok())
            .unwrap_or_default()
    }
}

impl Fields {
    fn entry(self) -> Option<TargetEntry> {
        let entry = TargetEntry {
            column: self.column,
            source: self.source,
            source_column: self.source_column,
        };
        (entry.source != 0 && entry.source_column > 0 && entry.column > 0).then_some(entry)
    }
}

/// The tokens of a tree, brackets among them.
#[derive(Clone)]
pub(crate) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(tree: &'a str) -> Self {
        Self { rest: tree }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_ascii_start();
        let bytes = rest.as_bytes();
        let mut end = 0;
        while let Some(&byte) = bytes.get(end) {
            match byte {
                b'\\' => end += 2,
                b'{' | b'}' | b'(' | b')' => break,
                _ if byte.is_ascii_whitespace() => break,
                _ => end += 1,
            }
        }
        // A bracket is a token of its own.
        let (token, rest) = rest.split_at_checked(end.max(1))?;
        self.rest = rest;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(column: i16, source: u32, source_column: i16) -> TargetEntry {
        TargetEntry {
            column,
            source,
            source_column,
        }
    }

    #[test]
    fn finds_columns_of_the_outermost_query() {
        let tree = r#"({QUERY :commandType 1 :rtable ({RTE :subquery {QUERY :targetList (
            {TARGETENTRY :expr {VAR :varno 1} :resno 9 :resname z :resorigtbl 99 :resorigcol 9 :resjunk false}
            ) :x 1} :colnames ("a\ \(b" "c\}")}) :targetList ({TARGETENTRY :expr {VAR :varno 1
            :location 7} :resno 1 :resname id :ressortgroupref 0 :resorigtbl 16385 :resorigcol 2 :resjunk
            false} {TARGETENTRY :expr {CONST :constvalue 4 [ 1 0 0 0 ]} :resno 2 :resname \{x :resorigtbl 0
            :resorigcol 0 :resjunk false} {TARGETENTRY :expr {FUNCEXPR :args ({VAR :resno 4})} :resno 3 :resname <>
            :resorigtbl 16390 :resorigcol 1 :resjunk false}) :override 0 :returningList ({TARGETENTRY :resno 8
            :resorigtbl 5 :resorigcol 5})})"#;
        let entries: Vec<TargetEntry> = target_entries(tree).collect();
        assert_eq!(entries, [entry(1, 16385, 2), entry(3, 16390, 1)]);
    }

    #[test]
    fn no_columns_is_no_error() {
        assert_eq!(
            target_entries("({QUERY :targetList <> :x ({A :resno 1})})").count(),
            0
        );
    }

    #[test]
    fn broken_text_ends_the_list() {
        for tree in [
            "",
            "({QUERY :targetList ({T :resno",
            "\\",
            "}}}))",
            "({QUERY :targetList ({T :resno \\",
        ] {
            assert_eq!(target_entries(tree).count(), 0);
        }
    }
}
