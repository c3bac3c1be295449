//! Operators and their values.

use super::name::{identifier, quoted_value};
use super::{delimiter, lexeme};
use crate::request::{
    FullTextOperator, IsValue, Operation, QuantOperator, Quantifier, SimpleOperator,
};
use crate::scanner::{Fail, Parsed, Scanner};

const FULL_TEXT: [(&str, FullTextOperator); 4] = [
    ("fts", FullTextOperator::Query),
    ("plfts", FullTextOperator::Plain),
    ("phfts", FullTextOperator::Phrase),
    ("wfts", FullTextOperator::Websearch),
];

const SIMPLE: [(&str, SimpleOperator); 9] = [
    ("neq", SimpleOperator::NotEqual),
    ("cs", SimpleOperator::Contains),
    ("cd", SimpleOperator::Contained),
    ("ov", SimpleOperator::Overlap),
    ("sl", SimpleOperator::StrictlyLeft),
    ("sr", SimpleOperator::StrictlyRight),
    ("nxr", SimpleOperator::NotExtendsRight),
    ("nxl", SimpleOperator::NotExtendsLeft),
    ("adj", SimpleOperator::Adjacent),
];

const QUANTIFIABLE: [(&str, QuantOperator); 9] = [
    ("eq", QuantOperator::Equal),
    ("gte", QuantOperator::GreaterThanEqual),
    ("gt", QuantOperator::GreaterThan),
    ("lte", QuantOperator::LessThanEqual),
    ("lt", QuantOperator::LessThan),
    ("like", QuantOperator::Like),
    ("ilike", QuantOperator::ILike),
    ("match", QuantOperator::Match),
    ("imatch", QuantOperator::IMatch),
];

const IS_VALUES: [(&str, IsValue); 5] = [
    ("null", IsValue::Null),
    ("not_null", IsValue::NotNull),
    ("true", IsValue::True),
    ("false", IsValue::False),
    ("unknown", IsValue::Unknown),
];

/// Reads a single value; there is always one, if only an empty one.
type Value<'t, const E: bool> = fn(&mut Scanner<'t, E>) -> String;

/// `[not.]operator.value`: whether it is negated, and the operation.
pub(crate) fn operation<'t, const E: bool>(
    s: &mut Scanner<'t, E>,
    value: Value<'t, E>,
) -> Parsed<(bool, Operation)> {
    let negated = negation(s);
    if let Ok(operation) = s.attempt(|s| plain_comparison(s, value)) {
        return Ok((negated, operation));
    }
    let operation = s.labelled("operator (eq, gt, ...)", |s| {
        if let Some(list) = s.optional(in_list)? {
            return Ok(list);
        }
        if let Some(is) = s.optional(is)? {
            return Ok(is);
        }
        if let Some(distinct) = s.optional(|s| is_distinct(s, value))? {
            return Ok(distinct);
        }
        if let Ok(search) = s.attempt(|s| full_text(s, value)) {
            return Ok(search);
        }
        if let Ok(simple) = s.attempt(|s| simple(s, value)) {
            return Ok(simple);
        }
        s.attempt(|s| quantifiable(s, value))
    })?;
    Ok((negated, operation))
}

/// What most filters are: an operator that could have a quantifier and has none.
fn plain_comparison<'t, const E: bool>(
    s: &mut Scanner<'t, E>,
    value: Value<'t, E>,
) -> Parsed<Operation> {
    let word = s.plain_word(b".").ok_or(Fail)?;
    let (_, operator) = QUANTIFIABLE
        .iter()
        .find(|(name, _)| *name == word)
        .ok_or(Fail)?;
    delimiter(s)?;
    Ok(Operation::Quantified(*operator, None, value(s)))
}

/// `not.`, if it is there.
pub(super) fn negation<const E: bool>(s: &mut Scanner<'_, E>) -> bool {
    s.attempt(|s| {
        s.literal("not")?;
        delimiter(s)
    })
    .is_ok()
}

/// The value of a filter parameter: all that is left.
pub(crate) fn rest_value<const E: bool>(s: &mut Scanner<'_, E>) -> String {
    s.rest().to_owned()
}

/// One of the words of a table, without consuming on failure.
fn word<T: Copy, const E: bool>(
    s: &mut Scanner<'_, E>,
    table: &'static [(&'static str, T)],
) -> Parsed<T> {
    let (last, others) = table.split_last().ok_or(Fail)?;
    for (name, meaning) in others {
        if s.attempt(|s| s.literal(name)).is_ok() {
            return Ok(*meaning);
        }
    }
    s.attempt(|s| s.literal(last.0)).map(|()| last.1)
}

fn keyword<const E: bool>(s: &mut Scanner<'_, E>, name: &'static str) -> Parsed<()> {
    s.attempt(|s| {
        s.literal(name)?;
        delimiter(s)
    })
}

fn in_list<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<Operation> {
    keyword(s, "in")?;
    lexeme(s, |s| s.char('('))?;
    let list = s.separated(|s| Ok(list_element(s)), |s| s.char(','))?;
    lexeme(s, |s| s.char(')'))?;
    Ok(Operation::In(list))
}

fn list_element<const E: bool>(s: &mut Scanner<'_, E>) -> String {
    if let Ok(quoted) = s.attempt(quoted_member) {
        return quoted;
    }
    s.run(|found| !closes_member(found), &[]).to_owned()
}

/// A quoted text that is the whole member of a list or a logic tree.
pub(super) fn quoted_member<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<String> {
    let value = quoted_value(s)?;
    s.not_before(|found| !closes_member(found), &[])?;
    Ok(value)
}

/// Whether the character ends a member of a list or a logic tree.
pub(super) fn closes_member(char: char) -> bool {
    matches!(char, ',' | ')')
}

fn is<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<Operation> {
    keyword(s, "is")?;
    s.labelled("isVal: (null, not_null, true, false, unknown)", |s| {
        for (name, value) in IS_VALUES {
            if s.attempt(|s| s.literal_any_case(name)).is_ok() {
                return Ok(Operation::Is(value));
            }
        }
        Err(Fail)
    })
}

fn is_distinct<'t, const E: bool>(
    s: &mut Scanner<'t, E>,
    value: Value<'t, E>,
) -> Parsed<Operation> {
    keyword(s, "isdistinct")?;
    Ok(Operation::IsDistinctFrom(value(s)))
}

fn full_text<'t, const E: bool>(s: &mut Scanner<'t, E>, value: Value<'t, E>) -> Parsed<Operation> {
    let operator = word(s, &FULL_TEXT)?;
    let language = s.optional(|s| {
        s.attempt(|s| {
            s.char('(')?;
            let language = identifier(s)?;
            s.char(')')?;
            Ok(language.to_owned())
        })
    })?;
    delimiter(s)?;
    Ok(Operation::FullText(operator, language, value(s)))
}

fn simple<'t, const E: bool>(s: &mut Scanner<'t, E>, value: Value<'t, E>) -> Parsed<Operation> {
    let operator = word(s, &SIMPLE)?;
    delimiter(s)?;
    Ok(Operation::Simple(operator, value(s)))
}

fn quantifiable<'t, const E: bool>(
    s: &mut Scanner<'t, E>,
    value: Value<'t, E>,
) -> Parsed<Operation> {
    let operator = word(s, &QUANTIFIABLE)?;
    let quantifier = s.optional(|s| s.attempt(quantifier))?;
    delimiter(s)?;
    Ok(Operation::Quantified(operator, quantifier, value(s)))
}

fn quantifier<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<Quantifier> {
    s.char('(')?;
    let quantifier = if s.attempt(|s| s.literal("any")).is_ok() {
        Quantifier::Any
    } else {
        s.literal("all")?;
        Quantifier::All
    };
    s.char(')')?;
    Ok(quantifier)
}
