//! Names and what is built of them: JSON paths, fields, embed paths, lists of columns.

use super::{delimiter, lexeme};
use crate::request::{EmbedPath, Field, JsonOperand, JsonStep};
use crate::scanner::{Fail, Label, Parsed, Scanner};
use std::borrow::Cow;

const LETTER_OR_DIGIT: &[Label] = &[Label::Name("letter"), Label::Name("digit")];

fn is_identifier_char(char: char) -> bool {
    char.is_ascii_alphanumeric()
        || matches!(char, '_' | ' ' | '$')
        || (!char.is_ascii() && char.is_alphabetic())
}

/// A word of letters, digits, `_`, `$` and inner spaces: casts, text search languages.
pub(super) fn identifier<'t, const E: bool>(s: &mut Scanner<'t, E>) -> Parsed<&'t str> {
    s.run1(is_identifier_char, LETTER_OR_DIGIT)
        .map(|word| word.trim_matches(' '))
}

/// The name of a column or relation: words joined by dashes, or anything in double quotes.
pub(super) fn field_name<'t, const E: bool>(s: &mut Scanner<'t, E>) -> Parsed<Cow<'t, str>> {
    s.labelled("field name (* or [a..z0..9_$])", |s| {
        if let Some(quoted) = s.optional(quoted_value)? {
            return Ok(Cow::Owned(quoted));
        }
        dashed(s, identifier)
    })
}

/// Parts joined by dashes; a dash that begins an arrow ends them.
fn dashed<'t, const E: bool>(
    s: &mut Scanner<'t, E>,
    part: impl Fn(&mut Scanner<'t, E>) -> Parsed<&'t str>,
) -> Parsed<Cow<'t, str>> {
    let mut joined = Cow::Borrowed(part(s)?);
    s.many(
        |s| {
            s.attempt(|s| {
                s.char('-')?;
                s.not_before(|found| found == '>', &[Label::Char('>')])
            })?;
            part(s)
        },
        |next| {
            let joined = joined.to_mut();
            joined.push('-');
            joined.push_str(next);
        },
    )?;
    Ok(joined)
}

/// A text in double quotes; a backslash takes the next character as it is.
pub(super) fn quoted_value<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<String> {
    s.char('"')?;
    let mut value = String::new();
    loop {
        value.push_str(s.run(|found| found != '\\' && found != '"', &[Label::Char('\\')]));
        if s.peek() != Some('\\') {
            break;
        }
        s.char('\\')?;
        value.push(s.one(|_| true, &[])?);
        s.forget();
    }
    s.char('"')?;
    Ok(value)
}

/// `->key`, `->>key`, `->0`: any number of them.
fn json_path<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<Vec<JsonStep>> {
    let mut steps = Vec::new();
    s.many(
        |s| {
            let as_text = if s.attempt(|s| s.literal("->>")).is_ok() {
                true
            } else {
                s.attempt(|s| s.literal("->"))?;
                false
            };
            Ok(JsonStep {
                as_text,
                operand: json_operand(s)?,
            })
        },
        |step| steps.push(step),
    )?;
    Ok(steps)
}

fn json_operand<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<JsonOperand> {
    if let Ok(index) = s.attempt(json_index) {
        return Ok(JsonOperand::Index(index.to_owned()));
    }
    let key = s.attempt(|s| {
        s.labelled("any non reserved character different from: .,>()", |s| {
            if let Some(quoted) = s.optional(quoted_value)? {
                return Ok(Cow::Owned(quoted));
            }
            dashed(s, |s| {
                let reserved = |found| matches!(found, '(' | '-' | ':' | '.' | ',' | '>' | ')');
                s.run1(|found| !reserved(found), &[]).map(str::trim)
            })
        })
    })?;
    Ok(JsonOperand::Key(key.into_owned()))
}

fn json_index<'t, const E: bool>(s: &mut Scanner<'t, E>) -> Parsed<&'t str> {
    let start = s.at();
    s.optional(|s| s.char('-'))?;
    s.run1(|found| found.is_ascii_digit(), &[Label::Name("digit")])?;
    let index = s.since(start);
    s.before(&["->", "::", ".", ","])?;
    Ok(index)
}

/// A column with its JSON path, blanks around it.
pub(super) fn field<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<Field> {
    lexeme(s, |s| {
        let name = field_name(s)?;
        let json_path = json_path(s)?;
        Ok(Field {
            name: name.into_owned(),
            json_path,
        })
    })
}

/// Name of a filter, order or range: the embed path and the field it ends in. What follows is
/// ignored.
pub(crate) fn tree_path<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<(EmbedPath, Field)> {
    if let Some(name) = s.plain_word(b"") {
        let field = Field {
            name: name.to_owned(),
            json_path: Vec::new(),
        };
        return Ok((EmbedPath::new(), field));
    }
    let first = field_name(s)?;
    let mut path = Vec::new();
    let mut last = first;
    s.many(
        |s| {
            delimiter(s)?;
            field_name(s)
        },
        |next| path.push(std::mem::replace(&mut last, next).into_owned()),
    )?;
    let json_path = json_path(s)?;
    Ok((
        path,
        Field {
            name: last.into_owned(),
            json_path,
        },
    ))
}

/// `a,b,c`. What follows is ignored.
pub(crate) fn columns<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<Vec<String>> {
    s.separated(
        |s| field_name(s).map(Cow::into_owned),
        |s| lexeme(s, |s| s.char(',')),
    )
}

/// An alias with its colon, which is not the beginning of a cast.
pub(super) fn alias<'t, const E: bool>(
    s: &mut Scanner<'t, E>,
) -> Result<Option<Cow<'t, str>>, Fail> {
    s.optional(|s| {
        s.attempt(|s| {
            let name = field_name(s)?;
            s.char(':')?;
            s.not_before(|found| found == ':', &[Label::Char(':')])?;
            Ok(name)
        })
    })
}
