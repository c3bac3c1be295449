//! A cursor over one parameter with Parsec's rules: which alternative is tried after a failure
//! depends on whether the failed one consumed input, and an error names all that was expected at
//! the furthest position.
//!
//! The wire contract includes those error texts, so the rules are kept exactly. Collecting them
//! costs allocations, so the same grammar is compiled twice: silently for the first reading, and
//! with `EXPLAIN` for a second reading of a parameter that turned out malformed.
//!
//! Never decides what the language is; that is `grammar`'s.

mod failure;
mod primitive;

use crate::{Limits, ParseError};
pub(crate) use failure::Label;
use failure::{Failure, Message};

/// The parser failed; the scanner's position tells whether it consumed input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fail;

/// Outcome of a parser.
pub(crate) type Parsed<T> = Result<T, Fail>;

/// The cursor.
pub(crate) struct Scanner<'t, const EXPLAIN: bool> {
    text: &'t str,
    at: usize,
    failure: Failure,
    /// Members of trees and lists met so far.
    items: usize,
    limits: &'t Limits,
    exceeded: Option<(&'static str, usize)>,
}

/// A text to read, and how errors speak of it.
pub(crate) struct Source<'t> {
    /// What is read: `filter`, `select parameter`.
    pub(crate) what: &'static str,
    /// The text as the client wrote it.
    pub(crate) shown: &'t str,
    /// What is read.
    pub(crate) text: &'t str,
}

impl<'t> Source<'t> {
    /// A text that is read as it is.
    pub(crate) fn new(what: &'static str, text: &'t str) -> Self {
        Self {
            what,
            shown: text,
            text,
        }
    }

    /// Reads with a grammar in its two compilations. Adds the number of items met to `items`.
    pub(crate) fn read<T>(
        &self,
        limits: &'t Limits,
        items: &mut usize,
        silent: impl FnOnce(&mut Scanner<'t, false>) -> Parsed<T>,
        explaining: impl FnOnce(&mut Scanner<'t, true>) -> Parsed<T>,
    ) -> Result<T, ParseError> {
        let mut scanner = Scanner::<false>::new(self.text, limits);
        let outcome = silent(&mut scanner);
        *items += scanner.items;
        if let Ok(value) = outcome {
            return Ok(value);
        }
        if let Some((what, limit)) = scanner.exceeded {
            return Err(ParseError::TooComplex { what, limit });
        }
        let mut scanner = Scanner::<true>::new(self.text, limits);
        match explaining(&mut scanner) {
            Ok(value) => Ok(value),
            Err(Fail) => Err(scanner.failure.into_error(self.what, self.shown, self.text)),
        }
    }
}

impl<'t, const EXPLAIN: bool> Scanner<'t, EXPLAIN> {
    /// At the beginning of a text.
    pub(crate) fn new(text: &'t str, limits: &'t Limits) -> Self {
        Self {
            text,
            at: 0,
            failure: Failure::default(),
            items: 0,
            limits,
            exceeded: None,
        }
    }

    /// Byte offset of the next character.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What was read since `start`.
    pub(crate) fn since(&self, start: usize) -> &'t str {
        &self.text[start..self.at]
    }

    /// The next character.
    pub(crate) fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// Counts one select item, filter or order term.
    pub(crate) fn count_item(&mut self) {
        self.items += 1;
    }

    /// How many were counted.
    #[cfg(test)]
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// Bounds of the request's trees.
    pub(crate) fn limits(&self) -> &'t Limits {
        self.limits
    }

    /// Ends parsing because `what` exceeds `limit`.
    pub(crate) fn exceed(&mut self, what: &'static str, limit: usize) -> Fail {
        self.exceeded = Some((what, limit));
        Fail
    }

    fn advance(&mut self, bytes: usize) {
        self.at += bytes;
        self.forget();
    }

    /// Drops what was expected so far; a repetition does so after each member.
    pub(crate) fn forget(&mut self) {
        if EXPLAIN {
            self.failure = Failure::default();
        }
    }

    fn miss(&mut self, at: usize, first: Message, labels: &[Label]) {
        if EXPLAIN {
            self.failure.merge(Failure::new(at, first, labels));
        }
    }

    /// What follows, without consuming it.
    pub(crate) fn ahead<T>(&mut self, parser: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let start = self.at;
        let outer = self.enter();
        let outcome = parser(self);
        if outcome.is_ok() {
            self.at = start;
            if EXPLAIN {
                self.failure = outer;
            }
        } else if self.at == start {
            self.leave(outer);
        }
        outcome
    }

    /// Goes back on failure, so that the next alternative is tried.
    pub(crate) fn attempt<T>(&mut self, parser: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let start = self.at;
        let outer = self.enter();
        let outcome = parser(self);
        if outcome.is_err() || self.at == start {
            self.leave(outer);
        }
        if outcome.is_err() {
            self.at = start;
        }
        outcome
    }

    /// Names the parser in errors where it consumed nothing.
    pub(crate) fn labelled<T>(
        &mut self,
        label: &'static str,
        parser: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let start = self.at;
        let outer = self.enter();
        let outcome = parser(self);
        if EXPLAIN && self.at == start {
            if outcome.is_err() || !self.failure.is_unknown() {
                self.failure.expect_only(Label::Name(label));
            }
            self.leave(outer);
        }
        outcome
    }

    /// `None` if the parser fails without consuming.
    pub(crate) fn optional<T>(
        &mut self,
        parser: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<Option<T>> {
        let start = self.at;
        match parser(self) {
            Ok(value) => Ok(Some(value)),
            Err(Fail) if self.at == start => Ok(None),
            Err(Fail) => Err(Fail),
        }
    }

    /// As many as there are; ends at a failure without consumption.
    pub(crate) fn many<T>(
        &mut self,
        mut parser: impl FnMut(&mut Self) -> Parsed<T>,
        mut each: impl FnMut(T),
    ) -> Parsed<()> {
        loop {
            let start = self.at;
            match self.optional(&mut parser)? {
                None => return Ok(()),
                Some(value) => {
                    each(value);
                    if self.at == start {
                        return Ok(());
                    }
                    self.forget();
                }
            }
        }
    }

    /// At least one `item`, divided by `separator`.
    pub(crate) fn separated<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
        mut separator: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<Vec<T>> {
        let mut all = vec![item(self)?];
        self.many(
            |s| {
                separator(s)?;
                item(s)
            },
            |next| all.push(next),
        )?;
        Ok(all)
    }

    fn enter(&mut self) -> Failure {
        if EXPLAIN {
            std::mem::take(&mut self.failure)
        } else {
            Failure::default()
        }
    }

    fn leave(&mut self, mut outer: Failure) {
        if EXPLAIN {
            outer.merge(std::mem::take(&mut self.failure));
            self.failure = outer;
        }
    }
}
