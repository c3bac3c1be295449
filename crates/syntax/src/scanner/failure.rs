//! What a reading failed on, in Parsec's terms: messages at one position, of which only those at
//! the furthest position survive, rendered in the words that clients see.

use crate::ParseError;
use std::cmp::Ordering;
use std::fmt::Write as _;

/// What was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// A name, shown as it is.
    Name(&'static str),
    /// A text, shown in quotes.
    Text(&'static str),
    /// A character, shown in quotes.
    Char(char),
}

/// One message of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// The character, or the end, that no primitive could use; only the first is shown, and only
    /// if nothing was rejected.
    Found(Option<char>),
    /// A character that was expected not to follow.
    Rejected(char),
    /// What would have been fine.
    Expected(Label),
}

/// Messages at one position. Without any it is *unknown* and gives way to all others.
#[derive(Debug, Default)]
pub(super) struct Failure {
    at: usize,
    messages: Vec<Message>,
}

impl Failure {
    pub(super) fn new(at: usize, first: Message, labels: &[Label]) -> Self {
        let expected = labels.iter().copied().map(Message::Expected);
        Self {
            at,
            messages: std::iter::once(first).chain(expected).collect(),
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.messages.is_empty()
    }

    /// Keeps what is further on, or both in their order.
    pub(super) fn merge(&mut self, other: Self) {
        if other.is_unknown() {
            return;
        }
        if self.is_unknown() {
            *self = other;
            return;
        }
        match self.at.cmp(&other.at) {
            Ordering::Greater => {}
            Ordering::Less => *self = other,
            Ordering::Equal => {
                for message in other.messages {
                    if !self.messages.contains(&message) {
                        self.messages.push(message);
                    }
                }
            }
        }
    }

    /// Replaces all that was expected by one name.
    pub(super) fn expect_only(&mut self, label: Label) {
        self.messages
            .retain(|message| !matches!(message, Message::Expected(_)));
        self.messages.insert(0, Message::Expected(label));
    }

    /// The error that a client sees about the parameter `text`.
    pub(super) fn into_error(self, what: &str, shown: &str, text: &str) -> ParseError {
        let (line, column) = position(&text[..self.at.min(text.len())]);
        ParseError::Query {
            message: format!("\"failed to parse {what} ({shown})\" (line {line}, column {column})"),
            details: self.details(),
        }
    }

    fn details(&self) -> String {
        let mut details = String::new();
        let rejected: Vec<String> = self
            .messages
            .iter()
            .filter_map(|message| match message {
                Message::Rejected(found) => Some(quoted_char(*found)),
                _ => None,
            })
            .collect();
        let found = self.messages.iter().find_map(|message| match message {
            Message::Found(found) => Some(*found),
            _ => None,
        });
        if !rejected.is_empty() {
            details.push_str("unexpected ");
            push_choice(&mut details, &rejected);
        } else if let Some(found) = found {
            details.push_str("unexpected ");
            match found {
                None => details.push_str("end of input"),
                Some(found) => details.push_str(&quoted_text(found.encode_utf8(&mut [0; 4]))),
            }
        }
        let expected = self.expected();
        if !expected.is_empty() {
            details.push_str(if details.is_empty() {
                "expecting "
            } else {
                " expecting "
            });
            push_choice(&mut details, &expected);
        }
        if details.is_empty() {
            details.push_str("unknown parse error");
        }
        details
    }

    fn expected(&self) -> Vec<String> {
        let mut all = Vec::new();
        for message in &self.messages {
            if let Message::Expected(label) = message {
                let shown = match label {
                    Label::Name(name) => (*name).to_owned(),
                    Label::Text(text) => quoted_text(text),
                    Label::Char(char) => quoted_text(char.encode_utf8(&mut [0; 4])),
                };
                if !all.contains(&shown) {
                    all.push(shown);
                }
            }
        }
        all
    }
}

/// Line and column behind `read`, both from 1; a tab reaches to the next multiple of eight.
fn position(read: &str) -> (usize, usize) {
    let (mut line, mut column) = (1, 1);
    for char in read.chars() {
        match char {
            '\n' => (line, column) = (line + 1, 1),
            '\t' => column += 8 - (column - 1) % 8,
            _ => column += 1,
        }
    }
    (line, column)
}

fn push_choice(out: &mut String, choices: &[String]) {
    for (index, choice) in choices.iter().enumerate() {
        if index > 0 {
            out.push_str(if index + 1 == choices.len() {
                " or "
            } else {
                ", "
            });
        }
        out.push_str(choice);
    }
}

/// Names of the control characters in Haskell's notation, by code.
const CONTROLS: [&str; 32] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "a", "b", "t", "n", "v", "f", "r", "SO", "SI",
    "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS",
    "RS", "US",
];

fn push_escaped(out: &mut String, char: char, delimiter: char) {
    match char {
        '\\' => out.push_str("\\\\"),
        '\u{7f}' => out.push_str("\\DEL"),
        _ if char == delimiter => {
            out.push('\\');
            out.push(char);
        }
        _ if char < ' ' => {
            out.push('\\');
            out.push_str(CONTROLS[char as usize]);
        }
        _ if char.is_ascii() => out.push(char),
        _ => {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\{}", u32::from(char));
        }
    }
}

fn quoted_char(char: char) -> String {
    let mut out = String::from("'");
    push_escaped(&mut out, char, '\'');
    out.push('\'');
    out
}

fn quoted_text(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        push_escaped(&mut out, char, '"');
    }
    out.push('"');
    out
}
