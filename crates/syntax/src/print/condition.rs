//! Operators, values and trees of conditions of a printed request.

use super::name::{field, quoted};
use crate::request::{
    Filter, FullTextOperator, IsValue, LogicOperator, LogicTree, Operation, QuantOperator,
    Quantifier, SimpleOperator,
};

/// `[not.]operator.value`; `member` writes a single value where it stands.
pub(super) fn operation(
    negated: bool,
    operation: &Operation,
    member: impl Fn(&str) -> String,
) -> String {
    let not = if negated { "not." } else { "" };
    match operation {
        Operation::Simple(operator, value) => {
            format!("{not}{}.{}", simple(*operator), member(value))
        }
        Operation::Quantified(operator, quantifier, value) => {
            let quantifier = match quantifier {
                None => "",
                Some(Quantifier::Any) => "(any)",
                Some(Quantifier::All) => "(all)",
            };
            format!(
                "{not}{}{quantifier}.{}",
                quantifiable(*operator),
                member(value)
            )
        }
        Operation::In(list) => format!("{not}in.({})", in_list(list)),
        Operation::Is(value) => format!("{not}is.{}", is_value(*value)),
        Operation::IsDistinctFrom(value) => format!("{not}isdistinct.{}", member(value)),
        Operation::FullText(operator, language, value) => {
            let language = match language.as_deref() {
                None => String::new(),
                Some("") => "( )".to_owned(),
                Some(language) => format!("({language})"),
            };
            format!("{not}{}{language}.{}", full_text(*operator), member(value))
        }
    }
}

/// `(a,b,…)`
pub(super) fn logic_members(members: &[LogicTree]) -> String {
    let mut out = String::from("(");
    for (index, tree) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match tree {
            LogicTree::Leaf(filter) => push_leaf(&mut out, filter),
            LogicTree::Branch {
                negated,
                operator,
                members,
            } => {
                out.push_str(if *negated { "not." } else { "" });
                out.push_str(match operator {
                    LogicOperator::And => "and",
                    LogicOperator::Or => "or",
                });
                out.push_str(&logic_members(members));
            }
        }
    }
    out.push(')');
    out
}

/// A condition that is a whole tree.
pub(super) fn root_leaf(filter: &Filter) -> String {
    let mut out = String::new();
    push_leaf(&mut out, filter);
    out
}

fn push_leaf(out: &mut String, filter: &Filter) {
    field(out, &filter.field);
    out.push('.');
    out.push_str(&operation(filter.negated, &filter.operation, member_value));
}

/// A value inside a tree: as it is where nothing in it could end it.
fn member_value(value: &str) -> String {
    let inner = value
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let plain = match inner {
        Some(inner) => !inner.contains(['{', '}']),
        None => !value.starts_with('{') && !value.contains([',', ')', '"', '\\']),
    };
    if plain {
        return value.to_owned();
    }
    let mut out = String::new();
    quoted(&mut out, value);
    out
}

fn in_list(list: &[String]) -> String {
    let mut out = String::new();
    for (index, value) in list.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        let ends = |char: char| char == ' ' || char == '\t';
        let bare = !value.contains([',', ')', '(', '"', '\\'])
            && !value.starts_with(ends)
            && !value.ends_with(ends);
        if bare {
            out.push_str(value);
        } else {
            quoted(&mut out, value);
        }
    }
    out
}

fn simple(operator: SimpleOperator) -> &'static str {
    match operator {
        SimpleOperator::NotEqual => "neq",
        SimpleOperator::Contains => "cs",
        SimpleOperator::Contained => "cd",
        SimpleOperator::Overlap => "ov",
        SimpleOperator::StrictlyLeft => "sl",
        SimpleOperator::StrictlyRight => "sr",
        SimpleOperator::NotExtendsRight => "nxr",
        SimpleOperator::NotExtendsLeft => "nxl",
        SimpleOperator::Adjacent => "adj",
    }
}

fn quantifiable(operator: QuantOperator) -> &'static str {
    match operator {
        QuantOperator::Equal => "eq",
        QuantOperator::GreaterThanEqual => "gte",
        QuantOperator::GreaterThan => "gt",
        QuantOperator::LessThanEqual => "lte",
        QuantOperator::LessThan => "lt",
        QuantOperator::Like => "like",
        QuantOperator::ILike => "ilike",
        QuantOperator::Match => "match",
        QuantOperator::IMatch => "imatch",
    }
}

fn full_text(operator: FullTextOperator) -> &'static str {
    match operator {
        FullTextOperator::Query => "fts",
        FullTextOperator::Plain => "plfts",
        FullTextOperator::Phrase => "phfts",
        FullTextOperator::Websearch => "wfts",
    }
}

fn is_value(value: IsValue) -> &'static str {
    match value {
        IsValue::Null => "null",
        IsValue::NotNull => "not_null",
        IsValue::True => "true",
        IsValue::False => "false",
        IsValue::Unknown => "unknown",
    }
}
