//! Parsers of characters and texts, which all others are made of.

use super::failure::Message;
use super::{Fail, Label, Parsed, Scanner};

impl<'t, const EXPLAIN: bool> Scanner<'t, EXPLAIN> {
    /// One character that fits; `labels` name it in errors.
    pub(crate) fn one(&mut self, fits: impl Fn(char) -> bool, labels: &[Label]) -> Parsed<char> {
        let next = self.peek();
        match next {
            Some(found) if fits(found) => {
                self.advance(found.len_utf8());
                Ok(found)
            }
            _ => {
                self.miss(self.at, Message::Found(next), labels);
                Err(Fail)
            }
        }
    }

    /// This character.
    pub(crate) fn char(&mut self, wanted: char) -> Parsed<()> {
        self.one(|found| found == wanted, &[Label::Char(wanted)])
            .map(|_| ())
    }

    /// As many characters as fit.
    pub(crate) fn run(&mut self, fits: impl Fn(char) -> bool, labels: &[Label]) -> &'t str {
        let rest = &self.text[self.at..];
        let length = rest.find(|found| !fits(found)).unwrap_or(rest.len());
        if length > 0 {
            self.advance(length);
        }
        if EXPLAIN {
            let next = self.peek();
            self.miss(self.at, Message::Found(next), labels);
        }
        &rest[..length]
    }

    /// At least one character that fits.
    pub(crate) fn run1(
        &mut self,
        fits: impl Fn(char) -> bool,
        labels: &[Label],
    ) -> Parsed<&'t str> {
        match self.run(fits, labels) {
            "" => Err(Fail),
            found => Ok(found),
        }
    }

    /// A word of ASCII letters, digits and underscores, if one of `ends` or the end of the parameter is
    /// behind it; else nothing is consumed. It is a short cut for what most names are: a grammar that
    /// takes it has to read the same without it, as it does for explaining a failure.
    pub(crate) fn plain_word(&mut self, ends: &[u8]) -> Option<&'t str> {
        if EXPLAIN {
            return None;
        }
        let rest = &self.text[self.at..];
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let length = rest.bytes().take_while(|byte| fits(*byte)).count();
        let is_ended = rest
            .as_bytes()
            .get(length)
            .is_none_or(|byte| ends.contains(byte));
        if length == 0 || !is_ended {
            return None;
        }
        self.at += length;
        Some(&rest[..length])
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        if !rest.is_empty() {
            self.advance(rest.len());
        }
        self.miss(self.at, Message::Found(None), &[]);
        rest
    }

    /// This ASCII text. A failure behind its first character has consumed input, and is reported
    /// at the start.
    pub(crate) fn literal(&mut self, wanted: &'static str) -> Parsed<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let common = rest
            .iter()
            .zip(wanted.as_bytes())
            .take_while(|(a, b)| a == b)
            .count();
        if common == wanted.len() {
            self.advance(common);
            return Ok(());
        }
        let start = self.at;
        if common > 0 {
            self.advance(common);
        }
        if EXPLAIN {
            let found = self.peek();
            self.miss(start, Message::Found(found), &[Label::Text(wanted)]);
        }
        Err(Fail)
    }

    /// This ASCII text in lower or upper case, letter by letter.
    pub(crate) fn literal_any_case(&mut self, wanted: &'static str) -> Parsed<()> {
        for letter in wanted.chars() {
            let upper = letter.to_ascii_uppercase();
            self.one(
                |found| found == letter || found == upper,
                &[Label::Char(letter), Label::Char(upper)],
            )?;
        }
        Ok(())
    }

    /// The end of the parameter.
    pub(crate) fn end(&mut self) -> Parsed<()> {
        let label = &[Label::Name("end of input")];
        match self.peek() {
            None => {
                self.miss(self.at, Message::Found(None), label);
                Ok(())
            }
            Some(found) => {
                self.miss(self.at, Message::Rejected(found), label);
                Err(Fail)
            }
        }
    }

    /// One of these ASCII texts, or the end of the parameter, follows. Consumes nothing.
    pub(crate) fn before(&mut self, closers: &[&'static str]) -> Parsed<()> {
        for closer in closers {
            if self.attempt(|s| s.ahead(|s| s.literal(closer))).is_ok() {
                return Ok(());
            }
        }
        self.end()
    }

    /// No character that fits follows. Consumes nothing.
    pub(crate) fn not_before(
        &mut self,
        fits: impl Fn(char) -> bool,
        labels: &[Label],
    ) -> Parsed<()> {
        match self.peek() {
            Some(found) if fits(found) => {
                self.miss(self.at + found.len_utf8(), Message::Rejected(found), &[]);
                Err(Fail)
            }
            next => {
                self.miss(self.at, Message::Found(next), labels);
                Ok(())
            }
        }
    }
}
