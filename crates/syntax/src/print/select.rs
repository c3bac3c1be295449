//! The `select` parameter of a printed request.

use super::name::{field, name, quoted};
use crate::request::{AggregateFunction, JoinType, SelectEmbed, SelectField, SelectItem};

/// Whether the parameter can be left out.
pub(super) fn is_all_columns(items: &[SelectItem]) -> bool {
    matches!(items, [SelectItem::Field(only)] if is_star(only))
}

fn is_star(item: &SelectField) -> bool {
    item.field.name == "*"
        && item.field.json_path.is_empty()
        && item.aggregate.is_none()
        && item.aggregate_cast.is_none()
        && item.cast.is_none()
        && item.alias.is_none()
}

/// The value of the parameter.
pub(super) fn select(items: &[SelectItem]) -> String {
    let mut out = String::new();
    push_items(&mut out, items);
    out
}

fn push_items(out: &mut String, items: &[SelectItem]) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match item {
            SelectItem::Field(field) if is_star(field) => out.push('*'),
            SelectItem::Field(field) => push_field(out, field),
            SelectItem::Embed(embed) => push_embed(out, embed),
            SelectItem::Spread(embed) => {
                out.push_str("...");
                push_embed(out, embed);
            }
        }
    }
}

fn push_alias(out: &mut String, alias: Option<&String>) {
    if let Some(alias) = alias {
        name(out, alias);
        out.push(':');
    }
}

fn push_field(out: &mut String, item: &SelectField) {
    push_alias(out, item.alias.as_ref());
    let whole_row = item.field.name == "*" && item.field.json_path.is_empty();
    if whole_row && item.cast.is_none() && item.aggregate == Some(AggregateFunction::Count) {
        out.push_str("count()");
    } else {
        field(out, &item.field);
        push_cast(out, item.cast.as_ref());
        out.push_str(match item.aggregate {
            None => "",
            Some(AggregateFunction::Sum) => ".sum()",
            Some(AggregateFunction::Avg) => ".avg()",
            Some(AggregateFunction::Max) => ".max()",
            Some(AggregateFunction::Min) => ".min()",
            Some(AggregateFunction::Count) => ".count()",
        });
    }
    push_cast(out, item.aggregate_cast.as_ref());
}

fn push_cast(out: &mut String, cast: Option<&String>) {
    if let Some(cast) = cast {
        out.push_str("::");
        out.push_str(if cast.is_empty() { " " } else { cast });
    }
}

fn push_embed(out: &mut String, embed: &SelectEmbed) {
    push_alias(out, embed.alias.as_ref());
    name(out, &embed.relation);
    if let Some(hint) = &embed.hint {
        out.push('!');
        // A hint that begins as a join type would be read as one.
        if hint.starts_with("left") || hint.starts_with("inner") {
            quoted(out, hint);
        } else {
            name(out, hint);
        }
    }
    out.push_str(match embed.join {
        None => "",
        Some(JoinType::Inner) => "!inner",
        Some(JoinType::Left) => "!left",
    });
    out.push('(');
    push_items(out, &embed.select);
    out.push(')');
}
