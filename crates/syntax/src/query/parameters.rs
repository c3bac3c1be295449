//! Parameters of the query string: how they are divided, decoded, told apart, and their canonical
//! form.

use crate::ParseError;
use crate::decode::{decode_form, push_encoded};
use std::borrow::Cow;

/// All parameters in their order.
pub(super) struct Parameters<'q>(Vec<Parameter<'q>>);

struct Parameter<'q> {
    kind: Kind,
    name: Cow<'q, str>,
    /// Absent without an equals sign; the parameter is then ignored.
    value: Option<Cow<'q, str>>,
}

/// What a parameter is, by its name alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Select,
    Columns,
    OnConflict,
    Order,
    Limit,
    Offset,
    Logic,
    Filter,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "select" => return Self::Select,
            "columns" => return Self::Columns,
            "on_conflict" => return Self::OnConflict,
            _ => {}
        }
        match name.rsplit('.').next() {
            Some("order") => Self::Order,
            Some("limit") => Self::Limit,
            Some("offset") => Self::Offset,
            Some("and" | "or") => Self::Logic,
            _ => Self::Filter,
        }
    }
}

impl<'q> Parameters<'q> {
    /// Divides at ampersands and semicolons.
    pub(super) fn read(query: &'q str) -> Result<Self, ParseError> {
        let query = query.strip_prefix('?').unwrap_or(query);
        if query.is_empty() {
            return Ok(Self(Vec::new()));
        }
        // A separator at the end opens no further parameter.
        let query = query.strip_suffix(['&', ';']).unwrap_or(query);
        query
            .split(['&', ';'])
            .map(parameter)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Kind, name and value of those that have a value.
    pub(super) fn all(&self) -> impl Iterator<Item = (Kind, &str, &str)> {
        self.0.iter().filter_map(|parameter| {
            let value = parameter.value.as_deref()?;
            Some((parameter.kind, &*parameter.name, value))
        })
    }

    /// Name and value of those of a kind that have a value.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = (&str, &str)> {
        self.all()
            .filter(move |(found, ..)| *found == kind)
            .map(|(_, name, value)| (name, value))
    }

    /// The first of a kind that is given once, unless it lacks a value.
    pub(super) fn first(&self, kind: Kind) -> Option<&str> {
        let first = self.0.iter().find(|parameter| parameter.kind == kind)?;
        first.value.as_deref()
    }

    /// Sorted by name and encoded anew; values of equally named ones joined by commas.
    pub(super) fn canonical(&self) -> String {
        let mut sorted: Vec<&Parameter<'_>> = self.0.iter().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let mut out = String::new();
        let mut previous: Option<&str> = None;
        for parameter in sorted {
            if previous == Some(&*parameter.name) {
                out.push(',');
            } else {
                if previous.is_some() {
                    out.push('&');
                }
                push_encoded(&mut out, &parameter.name);
                out.push('=');
            }
            push_encoded(&mut out, parameter.value.as_deref().unwrap_or_default());
            previous = Some(&parameter.name);
        }
        out
    }
}

fn parameter(piece: &str) -> Result<Parameter<'_>, ParseError> {
    let (name, value) = match piece.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (piece, None),
    };
    let name = decode_form(name)?;
    Ok(Parameter {
        kind: Kind::of(&name),
        name,
        value: value.map(decode_form).transpose()?,
    })
}
