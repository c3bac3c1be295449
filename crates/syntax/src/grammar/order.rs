//! The `order` parameter.

use super::name::{field, field_name};
use super::{delimiter, lexeme};
use crate::request::{Field, OrderDirection, OrderNulls, OrderTerm};
use crate::scanner::{Parsed, Scanner};

/// Terms divided by commas.
pub(crate) fn order_terms<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<Vec<OrderTerm>> {
    s.separated(|s| lexeme(s, term), |s| s.char(','))
}

fn term<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<OrderTerm> {
    s.count_item();
    if let Some(field) = plain_field(s) {
        let (direction, nulls) = modifiers(s)?;
        return Ok(OrderTerm {
            relation: None,
            field,
            direction,
            nulls,
        });
    }
    if let Ok(related) = s.attempt(related_term) {
        return Ok(related);
    }
    let field = field(s)?;
    let (direction, nulls) = modifiers(s)?;
    Ok(OrderTerm {
        relation: None,
        field,
        direction,
        nulls,
    })
}

fn plain_field<const E: bool>(s: &mut Scanner<'_, E>) -> Option<Field> {
    let name = s.plain_word(b",.")?;
    Some(Field {
        name: name.to_owned(),
        json_path: Vec::new(),
    })
}

/// A term by a field of an embedded resource.
fn related_term<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<OrderTerm> {
    let relation = field_name(s)?;
    s.char('(')?;
    let field = field(s)?;
    s.char(')')?;
    let (direction, nulls) = modifiers(s)?;
    Ok(OrderTerm {
        relation: Some(relation.into_owned()),
        field,
        direction,
        nulls,
    })
}

fn modifiers<const E: bool>(
    s: &mut Scanner<'_, E>,
) -> Parsed<(Option<OrderDirection>, Option<OrderNulls>)> {
    let direction = s.optional(|s| {
        choice(
            s,
            [("asc", OrderDirection::Asc), ("desc", OrderDirection::Desc)],
        )
    })?;
    let start = s.at();
    let nulls = s.optional(|s| {
        let nulls = s.optional(|s| {
            choice(
                s,
                [
                    ("nullsfirst", OrderNulls::First),
                    ("nullslast", OrderNulls::Last),
                ],
            )
        })?;
        s.before(&[","])?;
        Ok(nulls)
    })?;
    // The first alternative failed without consuming: its ending is tried once more.
    match nulls {
        None if s.at() == start => s.before(&[","]).map(|()| (direction, None)),
        nulls => Ok((direction, nulls.flatten())),
    }
}

/// `.first` or `.second`, without consuming on failure.
fn choice<T, const E: bool>(
    s: &mut Scanner<'_, E>,
    [first, second]: [(&'static str, T); 2],
) -> Parsed<T> {
    if s.attempt(|s| dotted(s, first.0)).is_ok() {
        return Ok(first.1);
    }
    s.attempt(|s| dotted(s, second.0)).map(|()| second.1)
}

fn dotted<const E: bool>(s: &mut Scanner<'_, E>, word: &'static str) -> Parsed<()> {
    delimiter(s)?;
    s.literal(word)
}
