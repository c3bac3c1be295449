//! Filters of bindings: `col=[not.]op.value`, several with commas between them.

use std::cmp::Ordering;

use regex::{Regex, RegexBuilder};

use crate::rules::{Column, Table};

/// Bytes that a compiled pattern may take.
const PATTERN: usize = 64 * 1024;
/// Conditions of one filter at most.
const MOST: usize = 20;

/// All of these have to hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter(Vec<Condition>);

#[derive(Clone, Debug)]
struct Condition {
    /// The place of the column in the table.
    column: usize,
    kind: Kind,
    is_negated: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Compare(Comparison, String),
    In(Vec<String>),
    Pattern(Regex),
    Null,
    Truth(bool),
    /// As equality, but that null is a value.
    Distinct(Option<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    /// Dates and moments.
    Moment,
    /// As text, character by character.
    Text,
    /// The same without blanks at the end.
    Padded,
    /// The same for capitals and others.
    Caseless,
    /// Equal or not, without an order: that of PostgreSQL is not the order of what it writes.
    Plain,
}

/// A value of a filter, which the database is to write in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    /// The type of its column, as statements name it.
    pub(crate) of: String,
    /// As people name it.
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl Kind {
    fn of(column: &Column) -> Self {
        match column.base.as_str() {
            _ if column.is_enum => Self::Plain,
            "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" | "oid" => Self::Number,
            "date" | "timestamp" | "timestamptz" => Self::Moment,
            "text" | "varchar" | "name" | "char" | "uuid" | "time" | "bool" | "bytea"
            | "macaddr" | "macaddr8" | "bit" | "varbit" => Self::Text,
            "bpchar" => Self::Padded,
            "citext" => Self::Caseless,
            _ => Self::Plain,
        }
    }

    fn compare(self, value: &str, known: &str) -> Option<Ordering> {
        match self {
            Self::Number => number(value, known),
            Self::Moment => Some(moment(value).cmp(&moment(known))),
            Self::Text | Self::Plain => Some(value.cmp(known)),
            Self::Padded => Some(value.trim_end_matches(' ').cmp(known.trim_end_matches(' '))),
            Self::Caseless => Some(value.to_lowercase().cmp(&known.to_lowercase())),
        }
    }
}

impl Filter {
    /// Reads a filter for a table. Values come through `canonical`, in their order.
    ///
    /// # Errors
    /// What is wrong with it, for whoever wrote it.
    pub(crate) fn read(
        text: &str,
        table: &Table,
        canonical: &mut dyn FnMut(&Column, &str) -> Option<String>,
    ) -> Result<Self, String> {
        let mut conditions = Vec::new();
        for part in split(text)? {
            if conditions.len() == MOST {
                return Err(format!("a filter has at most {MOST} conditions"));
            }
            let (name, rest) = part
                .split_once('=')
                .ok_or_else(|| format!("invalid filter {part:?}: expected column=op.value"))?;
            let column = table.columns.iter().position(|column| column.name == name);
            let column = column.ok_or_else(|| {
                format!(
                    "invalid column {name:?} for filter: table {}.{} has none of this name",
                    table.schema, table.name
                )
            })?;
            let of = &table.columns[column];
            let (is_negated, rest) = match rest.strip_prefix("not.") {
                Some(rest) => (true, rest),
                None => (false, rest),
            };
            let (operator, value) = rest
                .split_once('.')
                .ok_or_else(|| format!("invalid filter {part:?}: expected column=op.value"))?;
            let mut known = |text: &str| {
                canonical(of, text).ok_or_else(|| {
                    format!(
                        "invalid value {text:?} for column {name:?} of type {}",
                        of.kind
                    )
                })
            };
            let kind = Kind::of(of);
            if kind == Kind::Plain && ["lt", "lte", "gt", "gte"].contains(&operator) {
                return Err(format!(
                    "invalid filter operator {operator:?} for column {name:?}: values of type {} are compared by eq, neq, in and is",
                    of.kind
                ));
            }
            let condition = test(operator, value, &mut known)?;
            conditions.push(Condition {
                column,
                kind,
                is_negated,
                test: condition,
            });
        }
        Ok(Self(conditions))
    }

    /// The values that it compares with.
    pub(crate) fn literals(text: &str, table: &Table) -> Result<Vec<Literal>, String> {
        let mut literals = Vec::new();
        Self::read(text, table, &mut |column, text| {
            literals.push(Literal {
                of: column.of.clone(),
                kind: column.kind.clone(),
                text: text.to_owned(),
            });
            Some(text.to_owned())
        })?;
        Ok(literals)
    }

    /// Which columns it looks at.
    pub(crate) fn columns(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|condition| condition.column)
    }

    /// Whether a row passes, whose values are in the order of the table.
    pub(crate) fn matches(&self, row: &[Option<&str>]) -> bool {
        self.0.iter().all(|condition| condition.holds(row))
    }
}

fn test(
    operator: &str,
    value: &str,
    known: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Test, String> {
    let compare = |comparison, text| Ok(Test::Compare(comparison, text));
    match operator {
        "eq" => compare(Comparison::Eq, known(&unquoted(value))?),
        "neq" => compare(Comparison::Neq, known(&unquoted(value))?),
        "lt" => compare(Comparison::Lt, known(&unquoted(value))?),
        "lte" => compare(Comparison::Lte, known(&unquoted(value))?),
        "gt" => compare(Comparison::Gt, known(&unquoted(value))?),
        "gte" => compare(Comparison::Gte, known(&unquoted(value))?),
        "in" => {
            let list = value
                .strip_prefix('(')
                .and_then(|rest| rest.strip_suffix(')'));
            let list = list.ok_or_else(|| format!("invalid list {value:?}: expected (a,b)"))?;
            let items = split(list)?;
            if items.len() > 100 {
                return Err("too many values for `in` filter. Maximum 100".to_owned());
            }
            let items = items.iter().map(|item| known(&unquoted(item)));
            Ok(Test::In(items.collect::<Result<_, _>>()?))
        }
        "like" => pattern(&like(&unquoted(value)), false),
        "ilike" => pattern(&like(&unquoted(value)), true),
        "match" => pattern(&unquoted(value), false),
        "imatch" => pattern(&unquoted(value), true),
        "is" => match value.to_ascii_lowercase().as_str() {
            "null" => Ok(Test::Null),
            "true" => Ok(Test::Truth(true)),
            "false" => Ok(Test::Truth(false)),
            _ => Err(format!(
                "invalid value {value:?} for is: null, true or false"
            )),
        },
        "isdistinct" if value == "null" => Ok(Test::Distinct(None)),
        "isdistinct" => Ok(Test::Distinct(Some(known(&unquoted(value))?))),
        _ => Err(format!("invalid filter operator {operator:?}")),
    }
}

fn pattern(text: &str, is_caseless: bool) -> Result<Test, String> {
    let built = RegexBuilder::new(text)
        .case_insensitive(is_caseless)
        .size_limit(PATTERN)
        .build();
    built
        .map(Test::Pattern)
        .map_err(|_| format!("invalid pattern {text:?}"))
}

/// A pattern of LIKE as a regular expression. `*` stands for `%`, as in queries.
fn like(text: &str) -> String {
    let mut out = String::from("(?s)^");
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '%' | '*' => out.push_str(".*"),
            '_' => out.push('.'),
            '\\' => {
                if let Some(next) = rest.next() {
                    out.push_str(&regex::escape(next.encode_utf8(&mut [0; 4])));
                }
            }
            c => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push('$');
    out
}

/// Parts between commas that are neither in quotes nor in parentheses.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let (mut depth, mut is_quoted, mut is_escaped) = (0_u32, false, false);
    for c in text.chars() {
        let is_plain = !is_quoted && !is_escaped;
        if is_escaped {
            is_escaped = false;
        } else if is_quoted && c == '\\' {
            is_escaped = true;
        } else if c == '"' {
            // Only where a value begins is it more than a character of the value.
            let begins = part.is_empty() || part.ends_with(['.', '(', ',']);
            is_quoted = !is_quoted && begins;
        }
        match c {
            '(' if is_plain => depth += 1,
            ')' if is_plain => {
                depth = depth
                    .checked_sub(1)
                    .ok_or("a parenthesis is closed that is not open")?;
            }
            ',' if is_plain && depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    if is_quoted || depth > 0 {
        return Err("a quote or a parenthesis is not closed".to_owned());
    }
    parts.push(part);
    Ok(parts)
}

/// The value of what may stand in double quotes.
fn unquoted(text: &str) -> String {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut is_escaped = false;
    for c in inner.chars() {
        if c == '\\' && !is_escaped {
            is_escaped = true;
            continue;
        }
        is_escaped = false;
        out.push(c);
    }
    out
}

impl Condition {
    fn holds(&self, row: &[Option<&str>]) -> bool {
        let value = row.get(self.column).copied().flatten();
        let held = match (&self.test, value) {
            (Test::Null, value) => Some(value.is_none()),
            (Test::Truth(wanted), value) => Some(value == Some(if *wanted { "t" } else { "f" })),
            (Test::Distinct(known), value) => Some(match (known, value) {
                (None, None) => false,
                (Some(known), Some(value)) => {
                    self.kind.compare(value, known) != Some(Ordering::Equal)
                }
                _ => true,
            }),
            // What is compared with null is unknown, negated or not.
            (_, None) => None,
            (Test::Compare(comparison, known), Some(value)) => self
                .kind
                .compare(value, known)
                .map(|order| comparison.holds(order)),
            (Test::In(all), Some(value)) => Some(
                all.iter()
                    .any(|known| self.kind.compare(value, known) == Some(Ordering::Equal)),
            ),
            (Test::Pattern(pattern), Some(value)) => Some(pattern.is_match(value)),
        };
        held.is_some_and(|held| held != self.is_negated)
    }
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order == Ordering::Equal,
            Self::Neq => order != Ordering::Equal,
            Self::Lt => order == Ordering::Less,
            Self::Lte => order != Ordering::Greater,
            Self::Gt => order == Ordering::Greater,
            Self::Gte => order != Ordering::Less,
        }
    }
}

/// A date or moment, in a way that has its order: `infinity`, years of any length, and those before the first.
fn moment(text: &str) -> (i8, i64, &str) {
    match text {
        "-infinity" => return (-1, 0, ""),
        "infinity" => return (1, 0, ""),
        _ => {}
    }
    let (year, rest) = text.split_once('-').unwrap_or((text, ""));
    let year = year.parse().unwrap_or(0);
    match rest.strip_suffix(" BC") {
        Some(rest) => (0, -year, rest),
        None => (0, year, rest),
    }
}

/// Numbers, of any length. PostgreSQL has NaN as the greatest.
fn number(a: &str, b: &str) -> Option<Ordering> {
    let rank = |text: &str| match text {
        "-Infinity" => -1,
        "Infinity" => 1,
        "NaN" => 2,
        _ => 0,
    };
    if rank(a) != 0 || rank(b) != 0 {
        return Some(rank(a).cmp(&rank(b)));
    }
    if a.contains(['e', 'E']) || b.contains(['e', 'E']) {
        return a.parse::<f64>().ok()?.partial_cmp(&b.parse::<f64>().ok()?);
    }
    let parts = |text: &str| -> (bool, String, String) {
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        (
            is_negative,
            whole.trim_start_matches('0').to_owned(),
            fraction.trim_end_matches('0').to_owned(),
        )
    };
    let (a, b) = (parts(a), parts(b));
    let is_zero =
        |(_, whole, fraction): &(bool, String, String)| whole.is_empty() && fraction.is_empty();
    if is_zero(&a) && is_zero(&b) {
        return Some(Ordering::Equal);
    }
    if a.0 != b.0 {
        return Some(if a.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    }
    let order = (a.1.len(), &a.1, &a.2).cmp(&(b.1.len(), &b.1, &b.2));
    Some(if a.0 { order.reverse() } else { order })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        serde_json::from_value::<Vec<Column>>(serde_json::json!([
            { "name": "id", "type": "int8", "base": "int8", "number": 1, "primary": true },
            { "name": "title", "type": "text", "base": "text", "number": 2, "primary": false },
            { "name": "done", "type": "bool", "base": "bool", "number": 3, "primary": false },
        ]))
        .map(Table::for_tests)
        .expect("a table")
    }

    fn matches(filter: &str, row: [Option<&str>; 3]) -> bool {
        let read = Filter::read(filter, &table(), &mut |_, text| Some(text.to_owned()));
        read.expect(filter).matches(&row)
    }

    #[test]
    fn operators() {
        let row = [Some("10"), Some("Hello, \"World\""), None];
        for (filter, expected) in [
            ("id=eq.10", true),
            ("id=eq.10.0", true),
            ("id=gt.9", true),
            ("id=lt.9", false),
            ("id=not.lt.9", true),
            ("id=in.(1,10)", true),
            ("id=not.in.(1,10)", false),
            ("title=eq.\"Hello, \\\"World\\\"\"", true),
            ("title=like.Hello*", true),
            ("title=like.hello%", false),
            ("title=ilike.hello%", true),
            ("title=match.^H.*d\"$", true),
            ("title=imatch.^h", true),
            ("title=in.(\"Hello, \\\"World\\\"\",x)", true),
            ("done=is.null", true),
            ("done=not.is.null", false),
            ("done=eq.t", false),
            ("done=not.eq.t", false),
            ("done=isdistinct.t", true),
            ("done=isdistinct.null", false),
            ("id=eq.10,title=like.H%", true),
            ("id=eq.10,title=like.X%", false),
        ] {
            assert_eq!(matches(filter, row), expected, "{filter}");
        }
        for wrong in [
            "",
            "id",
            "id=10",
            "id=foo.1",
            "none=eq.1",
            "id=in.1",
            "title=eq.\"x",
            "id=in.(1",
            "done=is.maybe",
            "title=match.(",
        ] {
            let read = Filter::read(wrong, &table(), &mut |_, text| Some(text.to_owned()));
            assert!(read.is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments() {
        for (a, b, order) in [
            (
                "2026-01-02 03:04:05+00",
                "2026-01-02 03:04:05.5+00",
                Ordering::Less,
            ),
            ("10000-01-01", "2026-01-01", Ordering::Greater),
            ("0044-03-15 BC", "0001-01-01", Ordering::Less),
            ("0044-03-15 BC", "0043-01-01 BC", Ordering::Less),
            ("0044-03-15 BC", "0044-03-16 BC", Ordering::Less),
            ("infinity", "10000-01-01", Ordering::Greater),
            ("-infinity", "4713-01-01 BC", Ordering::Less),
            ("2026-01-02", "2026-01-02", Ordering::Equal),
        ] {
            assert_eq!(Kind::Moment.compare(a, b), Some(order), "{a} {b}");
        }
    }

    #[test]
    fn kinds_of_text() {
        assert_eq!(Kind::Padded.compare("a  ", "a"), Some(Ordering::Equal));
        assert_eq!(Kind::Caseless.compare("Ada", "aDA"), Some(Ordering::Equal));
        let columns = serde_json::json!([
            { "name": "mood", "type": "mood", "base": "mood", "is_enum": true, "number": 1, "primary": false },
            { "name": "gap", "type": "interval", "base": "interval", "number": 2, "primary": false },
        ]);
        let table = Table::for_tests(serde_json::from_value(columns).expect("columns"));
        for (filter, is_offered) in [
            ("mood=eq.sad", true),
            ("mood=gt.sad", false),
            ("gap=in.(a,b)", true),
            ("gap=not.lte.a", false),
        ] {
            let read = Filter::read(filter, &table, &mut |_, text| Some(text.to_owned()));
            assert_eq!(read.is_ok(), is_offered, "{filter}");
        }
    }

    #[test]
    fn numbers_of_any_length() {
        for (a, b, order) in [
            ("1", "2", Ordering::Less),
            ("-1", "-2", Ordering::Greater),
            ("0", "-0.00", Ordering::Equal),
            (
                "123456789012345678901",
                "123456789012345678900.5",
                Ordering::Greater,
            ),
            ("1.50", "1.5", Ordering::Equal),
            ("1e3", "999", Ordering::Greater),
            ("NaN", "Infinity", Ordering::Greater),
            ("-Infinity", "-5", Ordering::Less),
        ] {
            assert_eq!(number(a, b), Some(order), "{a} {b}");
        }
    }
}
