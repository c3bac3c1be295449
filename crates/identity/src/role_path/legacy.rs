//! The notation of PostgREST before version 16, deprecated there: `.key."quoted"[0][?(@ == "x")]`.

use std::fmt;

use serde_json::{Map, Value};

/// Members and indices to follow, and at most one filter at the end.
#[derive(Clone, Debug)]
pub(super) struct LegacyPath {
    steps: Vec<Step>,
    filter: Option<Filter>,
}

#[derive(Clone, Debug)]
enum Step {
    /// `.name` or `."any name"`
    Key(String),
    /// `[0]`
    Index(usize),
}

/// `[?(@ == "text")]`: the first string of an array that compares so.
#[derive(Clone, Debug)]
struct Filter {
    comparison: Comparison,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equals,
    NotEquals,
    StartsWith,
    EndsWith,
    Contains,
}

/// Operators, longest first where one begins another.
const OPERATORS: [(&str, Comparison); 5] = [
    ("==^", Comparison::EndsWith),
    ("==", Comparison::Equals),
    ("!=", Comparison::NotEquals),
    ("^==", Comparison::StartsWith),
    ("*==", Comparison::Contains),
];

/// As PostgREST writes it: every name in quotes.
impl fmt::Display for LegacyPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            match step {
                Step::Key(name) => write!(out, ".\"{name}\"")?,
                Step::Index(index) => write!(out, "[{index}]")?,
            }
        }
        if let Some(Filter { comparison, text }) = &self.filter {
            let operator = OPERATORS.iter().find(|(_, meaning)| meaning == comparison);
            let operator = operator.map_or("==", |(operator, _)| operator);
            write!(out, "[?(@ {operator} \"{text}\")]")?;
        }
        Ok(())
    }
}

impl LegacyPath {
    /// Reads a path; `None` if it is not in this notation.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = path;
        while !rest.is_empty() {
            if let Some(filter) = rest.strip_prefix("[?(") {
                let filter = Some(Filter::parse(filter)?);
                return Some(Self { steps, filter });
            }
            let (step, after) = Step::parse(rest)?;
            steps.push(step);
            rest = after;
        }
        (!steps.is_empty()).then_some(Self {
            steps,
            filter: None,
        })
    }

    /// The value at the path.
    pub(super) fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, others) = self.steps.split_first()?;
        let Step::Key(key) = first else { return None };
        let value = others
            .iter()
            .try_fold(claims.get(key)?, |value, step| match step {
                Step::Key(key) => value.as_object()?.get(key),
                Step::Index(index) => value.as_array()?.get(*index),
            })?;
        match &self.filter {
            None => Some(value),
            Some(filter) => value.as_array()?.iter().find(|item| filter.accepts(item)),
        }
    }
}

impl Step {
    fn parse(text: &str) -> Option<(Self, &str)> {
        if let Some(index) = text.strip_prefix('[') {
            let (digits, rest) = index.split_once(']')?;
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            return plain
                .then(|| digits.parse().ok())
                .flatten()
                .map(|at| (Self::Index(at), rest));
        }
        let key = text.strip_prefix('.')?;
        if key.starts_with('"') {
            return quoted(key).map(|(name, rest)| (Self::Key(name.to_owned()), rest));
        }
        let end = key.find(|c: char| !(c.is_alphanumeric() || "_$@".contains(c)));
        let (name, rest) = key.split_at(end.unwrap_or(key.len()));
        (!name.is_empty()).then(|| (Self::Key(name.to_owned()), rest))
    }
}

impl Filter {
    /// Reads what follows `[?(`, up to the end of the path.
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('@')?.trim_start();
        let (comparison, operand) = OPERATORS.into_iter().find_map(|(operator, comparison)| {
            text.strip_prefix(operator)
                .map(|operand| (comparison, operand.trim_start()))
        })?;
        match quoted(operand)? {
            (text, ")]") => Some(Self {
                comparison,
                text: text.to_owned(),
            }),
            _ => None,
        }
    }

    fn accepts(&self, item: &Value) -> bool {
        let Some(item) = item.as_str() else {
            return false;
        };
        let text = self.text.as_str();
        match self.comparison {
            Comparison::Equals => item == text,
            Comparison::NotEquals => item != text,
            Comparison::StartsWith => item.starts_with(text),
            Comparison::EndsWith => item.ends_with(text),
            Comparison::Contains => item.contains(text),
        }
    }
}

/// The text between the leading quote and the next one, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('"')?.split_once('"')
}
