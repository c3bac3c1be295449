//! Trees of conditions: `and=(…)`, `or=(…)`, and their path.

use super::filter::{closes_member, negation, operation, quoted_member};
use super::name::{field, field_name};
use super::{delimiter, lexeme};
use crate::request::{EmbedPath, Filter, LogicOperator, LogicTree};
use crate::scanner::{Parsed, Scanner};
use std::borrow::Cow;

/// Name of a logic parameter: the embed path, and the operator with its negation, which belongs
/// in front of the value. A `not` anywhere in the path negates.
pub(crate) fn logic_path<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<(EmbedPath, String)> {
    let mut path = s.separated(|s| field_name(s).map(Cow::into_owned), delimiter)?;
    let negated = path.iter().any(|name| name == "not");
    let operator = path.pop().unwrap_or_default();
    path.retain(|name| name != "not");
    Ok((
        path,
        if negated {
            format!("not.{operator}")
        } else {
            operator
        },
    ))
}

/// `and(…)`, `or(…)` or one condition. What follows is ignored.
pub(crate) fn logic_tree<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<LogicTree> {
    tree(s, 0)
}

fn tree<const E: bool>(s: &mut Scanner<'_, E>, depth: usize) -> Parsed<LogicTree> {
    s.count_item();
    if let Ok(filter) = s.attempt(condition) {
        return Ok(LogicTree::Leaf(filter));
    }
    let negated = s.labelled("negation operator (not)", |s| Ok(negation(s)))?;
    let operator = s.labelled("logic operator (and, or)", |s| {
        if s.attempt(|s| s.literal("and")).is_ok() {
            return Ok(LogicOperator::And);
        }
        s.literal("or").map(|()| LogicOperator::Or)
    })?;
    lexeme(s, |s| s.char('('))?;
    let limit = s.limits().logic_depth;
    if depth >= limit {
        return Err(s.exceed("logic depth", limit));
    }
    let members = s.separated(|s| tree(s, depth + 1), |s| lexeme(s, |s| s.char(',')))?;
    lexeme(s, |s| s.char(')'))?;
    Ok(LogicTree::Branch {
        negated,
        operator,
        members,
    })
}

fn condition<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<Filter> {
    let field = field(s)?;
    delimiter(s)?;
    let (negated, operation) = operation(s, member_value)?;
    Ok(Filter {
        field,
        negated,
        operation,
    })
}

/// A value inside a tree: quoted, an array in braces, or up to the next comma or parenthesis.
fn member_value<const E: bool>(s: &mut Scanner<'_, E>) -> String {
    if let Ok(quoted) = s.attempt(quoted_member) {
        return quoted;
    }
    if let Ok(array) = s.attempt(array) {
        return array;
    }
    s.run(|found| !closes_member(found), &[]).to_owned()
}

fn array<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<String> {
    let start = s.at();
    s.literal("{")?;
    s.run(|found| !matches!(found, '{' | '}'), &[]);
    s.literal("}")?;
    Ok(s.since(start).to_owned())
}
