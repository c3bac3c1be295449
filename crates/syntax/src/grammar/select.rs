//! The `select` parameter.

use super::lexeme;
use super::name::{alias, field, field_name, identifier};
use crate::request::{AggregateFunction, Field, JoinType, SelectEmbed, SelectField, SelectItem};
use crate::scanner::{Fail, Parsed, Scanner};
use std::borrow::Cow;

/// Items divided by commas, possibly none. What follows them is ignored.
pub(crate) fn select_items<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<Vec<SelectItem>> {
    items(s, 0)
}

fn items<const E: bool>(s: &mut Scanner<'_, E>, depth: usize) -> Parsed<Vec<SelectItem>> {
    let list = s.optional(|s| s.separated(|s| item(s, depth), |s| lexeme(s, |s| s.char(','))))?;
    Ok(list.unwrap_or_default())
}

fn item<const E: bool>(s: &mut Scanner<'_, E>, depth: usize) -> Parsed<SelectItem> {
    s.count_item();
    if let Some(name) = s.plain_word(b",)") {
        return Ok(SelectItem::Field(plain(name)));
    }
    if let Ok(mut embed) = s.attempt(spread) {
        embed.select = members(s, depth)?;
        return Ok(SelectItem::Spread(embed));
    }
    if let Ok(mut embed) = s.attempt(relation) {
        embed.select = members(s, depth)?;
        return Ok(SelectItem::Embed(embed));
    }
    lexeme(s, select_field).map(SelectItem::Field)
}

fn members<const E: bool>(s: &mut Scanner<'_, E>, depth: usize) -> Parsed<Vec<SelectItem>> {
    s.char('(')?;
    let limit = s.limits().embed_depth;
    if depth >= limit {
        return Err(s.exceed("select depth", limit));
    }
    let select = items(s, depth + 1)?;
    s.char(')')?;
    Ok(select)
}

fn spread<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<SelectEmbed> {
    lexeme(s, |s| {
        s.literal("...")?;
        let relation = field_name(s)?;
        embed(s, None, relation)
    })
}

fn relation<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<SelectEmbed> {
    lexeme(s, |s| {
        let alias = alias(s)?;
        let relation = field_name(s)?;
        // `count(…)` is the aggregate.
        if relation == "count" {
            return Err(Fail);
        }
        embed(s, alias, relation)
    })
}

fn embed<'t, const E: bool>(
    s: &mut Scanner<'t, E>,
    alias: Option<Cow<'t, str>>,
    relation: Cow<'t, str>,
) -> Parsed<SelectEmbed> {
    let mut hint = None;
    let mut join = None;
    for _ in 0..2 {
        match s.optional(embed_parameter)? {
            Some(EmbedParameter::Hint(name)) => hint = hint.or(Some(name)),
            Some(EmbedParameter::Join(kind)) => join = join.or(Some(kind)),
            None => {}
        }
    }
    s.attempt(|s| s.ahead(|s| s.literal("(")))?;
    Ok(SelectEmbed {
        relation: relation.into_owned(),
        alias: alias.map(Cow::into_owned),
        hint: hint.map(Cow::into_owned),
        join,
        select: Vec::new(),
    })
}

enum EmbedParameter<'t> {
    Hint(Cow<'t, str>),
    Join(JoinType),
}

fn embed_parameter<'t, const E: bool>(s: &mut Scanner<'t, E>) -> Parsed<EmbedParameter<'t>> {
    s.char('!')?;
    if s.attempt(|s| s.literal("left")).is_ok() {
        Ok(EmbedParameter::Join(JoinType::Left))
    } else if s.attempt(|s| s.literal("inner")).is_ok() {
        Ok(EmbedParameter::Join(JoinType::Inner))
    } else {
        s.attempt(field_name).map(EmbedParameter::Hint)
    }
}

fn select_field<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<SelectField> {
    if let Ok(star) = s.attempt(star) {
        return Ok(star);
    }
    if let Ok(count) = s.attempt(row_count) {
        return Ok(count);
    }
    let alias = alias(s)?;
    let field = field(s)?;
    let cast = cast(s)?;
    let aggregate = s.optional(|s| s.attempt(aggregate))?;
    let aggregate_cast = self::cast(s)?;
    end(s)?;
    Ok(SelectField {
        field,
        aggregate,
        aggregate_cast,
        cast,
        alias: alias.map(Cow::into_owned),
    })
}

/// A column as it is.
fn plain(name: &str) -> SelectField {
    SelectField {
        field: Field {
            name: name.to_owned(),
            json_path: Vec::new(),
        },
        aggregate: None,
        aggregate_cast: None,
        cast: None,
        alias: None,
    }
}

fn star<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<SelectField> {
    s.literal("*")?;
    end(s)?;
    Ok(plain("*"))
}

/// `count()` without a column.
fn row_count<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<SelectField> {
    let alias = alias(s)?;
    s.literal("count()")?;
    let aggregate_cast = cast(s)?;
    end(s)?;
    Ok(SelectField {
        aggregate: Some(AggregateFunction::Count),
        aggregate_cast,
        alias: alias.map(Cow::into_owned),
        ..plain("*")
    })
}

fn cast<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<Option<String>> {
    s.optional(|s| {
        s.literal("::")?;
        identifier(s).map(str::to_owned)
    })
}

fn aggregate<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<AggregateFunction> {
    s.char('.')?;
    let function = aggregate_name(s)?;
    s.literal("()")?;
    Ok(function)
}

fn aggregate_name<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<AggregateFunction> {
    let eager = [
        ("sum", AggregateFunction::Sum),
        ("avg", AggregateFunction::Avg),
        ("count", AggregateFunction::Count),
    ];
    for (name, function) in eager {
        if s.optional(|s| s.literal(name))?.is_some() {
            return Ok(function);
        }
    }
    if s.attempt(|s| s.literal("max")).is_ok() {
        return Ok(AggregateFunction::Max);
    }
    s.attempt(|s| s.literal("min"))
        .map(|()| AggregateFunction::Min)
}

fn end<const E: bool>(s: &mut Scanner<'_, E>) -> Parsed<()> {
    s.before(&[")", ","])
}
