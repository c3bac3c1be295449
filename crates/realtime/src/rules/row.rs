//! Images of rows, in the order of their table's columns.

use passerelle_pg::{RowRelation, RowValue};

use super::rule::Table;

/// Rows as an array of PostgreSQL.
pub(crate) fn array<'a>(rows: impl Iterator<Item = &'a [Option<&'a str>]>) -> String {
    let mut out = String::from("{");
    for (index, row) in rows.enumerate() {
        if index > 0 {
            out.push(',');
        }
        let mut composite = String::from("(");
        for (index, value) in row.iter().enumerate() {
            if index > 0 {
                composite.push(',');
            }
            if let Some(value) = value {
                composite.push('"');
                for c in value.chars() {
                    if matches!(c, '"' | '\\') {
                        composite.push(c);
                    }
                    composite.push(c);
                }
                composite.push('"');
            }
        }
        composite.push(')');
        out.push('"');
        for c in composite.chars() {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
        out.push('"');
    }
    out.push('}');
    out
}

/// A row in the order of the table's columns; what is not known is absent.
pub(crate) fn arranged<'a>(
    table: &Table,
    relation: &RowRelation,
    values: &'a [RowValue],
    instead: Option<&'a [RowValue]>,
) -> Vec<Option<&'a RowValue>> {
    let place = |name: &str| relation.columns.iter().position(|column| column == name);
    let columns = table.columns.iter().map(|column| {
        let at = place(&column.name)?;
        let known = |values: &'a [RowValue]| {
            values
                .get(at)
                .filter(|value| **value != RowValue::Unchanged)
        };
        known(values).or_else(|| known(instead?))
    });
    columns.collect()
}

/// Whether a column is of the key by which rows are known. Where they are known by all they hold, that is the primary key.
pub(crate) fn is_key(table: &Table, relation: &RowRelation, column: usize) -> bool {
    let Some(of) = table.columns.get(column) else {
        return false;
    };
    if relation.is_full {
        return of.primary;
    }
    let at = relation.columns.iter().position(|name| *name == of.name);
    at.is_some_and(|at| relation.keys.get(at) == Some(&true))
}

/// A value as text; null and what is not known are absent.
pub(crate) fn text(value: Option<&RowValue>) -> Option<&str> {
    match value {
        Some(RowValue::Data(bytes)) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_arrays() {
        let rows = [vec![Some("a\""), None], vec![None, Some("")]];
        let text = array(rows.iter().map(Vec::as_slice));
        assert_eq!(text, r#"{"(\"a\"\"\",)","(,\"\")"}"#);
    }
}
