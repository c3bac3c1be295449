//! The growing statement: text, identifiers and parameters. It knows nothing of plans.

use bytes::Bytes;
use passerelle_catalog::QualifiedName;
use passerelle_planner::Qualifier;
use passerelle_statement::{Param, Statement};

/// Enough for a statement on one relation, so that its text is allocated once.
const TEXT_CAPACITY: usize = 1024;

/// A statement under construction.
#[derive(Debug)]
pub(crate) struct Writer {
    text: String,
    params: Vec<Param>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self {
            text: String::with_capacity(TEXT_CAPACITY),
            params: Vec::with_capacity(4),
        }
    }

    pub(crate) fn finish(self) -> Statement {
        Statement {
            text: self.text,
            params: self.params,
        }
    }

    /// Appends SQL that is ours, or a type name the grammar has checked.
    pub(crate) fn push(&mut self, sql: &str) {
        self.text.push_str(sql);
    }

    /// Appends a number of ours (a setting, a position).
    pub(crate) fn number(&mut self, number: u64) {
        let mut digits = [0_u8; 20];
        let mut start = digits.len();
        let mut rest = number;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.text
            .extend(digits[start..].iter().map(|&digit| char::from(digit)));
    }

    /// Appends a quoted identifier.
    pub(crate) fn identifier(&mut self, name: &str) {
        let name = before_nul(name);
        self.text.push('"');
        let mut parts = name.split('"');
        if let Some(first) = parts.next() {
            self.text.push_str(first);
        }
        for part in parts {
            self.text.push_str("\"\"");
            self.text.push_str(part);
        }
        self.text.push('"');
    }

    /// Appends a name with its schema, if it has one.
    pub(crate) fn qualified_name(&mut self, name: &QualifiedName) {
        if !name.schema.is_empty() {
            self.identifier(&name.schema);
            self.text.push('.');
        }
        self.identifier(&name.name);
    }

    /// Appends what stands before the dot of a column.
    pub(crate) fn qualifier(&mut self, qualifier: &Qualifier) {
        match qualifier {
            Qualifier::Alias(alias) => self.identifier(alias),
            Qualifier::Relation(name) => self.qualified_name(name),
        }
    }

    /// Appends `qualifier.column`.
    pub(crate) fn column(&mut self, qualifier: &Qualifier, column: &str) {
        self.qualifier(qualifier);
        self.text.push('.');
        self.identifier(column);
    }

    /// Appends `"alias"."alias"`: the column of an embed's derived table that tells whether it has
    /// rows carries the same name as the table.
    pub(crate) fn own_column(&mut self, alias: &str) {
        self.identifier(alias);
        self.text.push('.');
        self.identifier(alias);
    }

    /// Appends ` AS "alias"`.
    pub(crate) fn alias(&mut self, alias: &str) {
        self.text.push_str(" AS ");
        self.identifier(alias);
    }

    /// Appends a parameter with this value.
    pub(crate) fn parameter(&mut self, value: &str) {
        self.parameter_bytes(Bytes::copy_from_slice(before_nul(value).as_bytes()));
    }

    /// Appends a parameter with this number as its value.
    pub(crate) fn number_parameter(&mut self, number: u64) {
        self.parameter_bytes(Bytes::from(number.to_string()));
    }

    /// Appends a parameter whose value is a `LIKE` pattern written with `*` for `%`.
    pub(crate) fn pattern_parameter(&mut self, pattern: &str) {
        let value = before_nul(pattern)
            .bytes()
            .map(|byte| if byte == b'*' { b'%' } else { byte })
            .collect::<Vec<u8>>();
        self.parameter_bytes(Bytes::from(value));
    }

    /// Appends a parameter whose value is an array literal of these elements.
    pub(crate) fn array_parameter(&mut self, elements: &[String]) {
        self.parameter_bytes(Bytes::from(array_literal(elements)));
    }

    /// Appends a parameter whose value is an array literal of these elements; a single empty one
    /// is an element here.
    pub(crate) fn elements_parameter(&mut self, elements: &[String]) {
        self.parameter_bytes(Bytes::from(quoted_elements(elements)));
    }

    /// Appends a parameter whose value is bytes of a body, shared and as they are.
    pub(crate) fn body_parameter(&mut self, body: &Bytes) {
        self.parameter_bytes(Bytes::clone(body));
    }

    /// Appends a parameter whose value is PostgreSQL's text of these bytes as `bytea`.
    pub(crate) fn bytea_parameter(&mut self, bytes: &[u8]) {
        self.parameter_bytes(Bytes::from(bytea_text(bytes)));
    }

    /// Appends a parameter that is NULL.
    pub(crate) fn null_parameter(&mut self) {
        self.push_param(None);
    }

    /// Appends a text of ours (a name from the catalogue) as a literal.
    pub(crate) fn literal(&mut self, text: &str) {
        let text = before_nul(text);
        if text.contains('\\') {
            self.text.push('E');
        }
        self.text.push('\'');
        for character in text.chars() {
            if matches!(character, '\'' | '\\') {
                self.text.push(character);
            }
            self.text.push(character);
        }
        self.text.push('\'');
    }

    fn parameter_bytes(&mut self, value: Bytes) {
        self.push_param(Some(value));
    }

    fn push_param(&mut self, value: Param) {
        self.params.push(value);
        self.text.push('$');
        self.number(self.params.len() as u64);
    }
}

/// PostgreSQL's text cannot hold a NUL: as in `PostgREST`, what follows the first one is dropped.
fn before_nul(text: &str) -> &str {
    text.find('\0').map_or(text, |end| &text[..end])
}

/// `{"a","b"}`; a single empty element is the empty list (`in.()`).
fn array_literal(elements: &[String]) -> Vec<u8> {
    if let [only] = elements
        && only.is_empty()
    {
        return b"{}".to_vec();
    }
    quoted_elements(elements)
}

fn quoted_elements(elements: &[String]) -> Vec<u8> {
    let mut literal = Vec::with_capacity(
        2 + elements
            .iter()
            .map(|element| element.len() + 3)
            .sum::<usize>(),
    );
    literal.push(b'{');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            literal.push(b',');
        }
        literal.push(b'"');
        for byte in before_nul(element).bytes() {
            if matches!(byte, b'"' | b'\\') {
                literal.push(b'\\');
            }
            literal.push(byte);
        }
        literal.push(b'"');
    }
    literal.push(b'}');
    literal
}

/// `\x` and two digits per byte.
fn bytea_text(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Vec::with_capacity(2 + 2 * bytes.len());
    text.extend_from_slice(b"\\x");
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 0xf)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(elements: &[&str]) -> String {
        let elements = elements.iter().map(ToString::to_string).collect::<Vec<_>>();
        String::from_utf8(array_literal(&elements)).unwrap()
    }

    #[test]
    fn array_literals_quote_every_element() {
        assert_eq!(literal(&[]), "{}");
        assert_eq!(literal(&[""]), "{}");
        assert_eq!(literal(&["", ""]), r#"{"",""}"#);
        assert_eq!(
            literal(&["a,b", r#"c"d\e"#, "NULL"]),
            r#"{"a,b","c\"d\\e","NULL"}"#
        );
        assert_eq!(literal(&["a\0b"]), r#"{"a"}"#);
    }

    #[test]
    fn elements_are_never_the_empty_list() {
        assert_eq!(quoted_elements(&[String::new()]), b"{\"\"}");
        assert_eq!(quoted_elements(&[]), b"{}");
    }

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(bytea_text(&[0x00, 0xff, 0x0a]), b"\\x00ff0a");
    }

    #[test]
    fn literals_stay_in_their_quotes() {
        let mut writer = Writer::new();
        writer.literal("it's");
        writer.literal(r"a\'b");
        assert_eq!(writer.finish().text, r"'it''s'E'a\\''b'");
    }

    #[test]
    fn identifiers_are_quoted_and_end_before_nul() {
        let mut writer = Writer::new();
        writer.identifier("a\"b\"");
        writer.identifier("c\0d\"");
        writer.identifier("");
        assert_eq!(writer.finish().text, r#""a""b""""c""""#);
    }

    #[test]
    fn parameters_count_from_one() {
        let mut writer = Writer::new();
        for index in 0..12_u64 {
            writer.number_parameter(index);
        }
        writer.pattern_parameter("a*\0b");
        let statement = writer.finish();
        assert_eq!(statement.text, "$1$2$3$4$5$6$7$8$9$10$11$12$13");
        assert_eq!(statement.params[11].as_deref(), Some(&b"11"[..]));
        assert_eq!(statement.params[12].as_deref(), Some(&b"a%"[..]));
    }

    #[test]
    fn numbers_are_decimal() {
        let mut writer = Writer::new();
        writer.number(0);
        writer.push(" ");
        writer.number(u64::MAX);
        assert_eq!(writer.finish().text, "0 18446744073709551615");
    }
}
