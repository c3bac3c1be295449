//! Conditions: comparisons of fields with values, and how they combine.

use passerelle_planner::{Condition, Embed, EmbedShape, PlanField, Qualifier};
use passerelle_syntax::{
    FullTextOperator, IsValue, LogicOperator, Operation, QuantOperator, Quantifier, SimpleOperator,
};

use crate::count::write_embed_exists;
use crate::field::{write_field, write_text_search_configuration};
use crate::writer::Writer;

/// Where a condition stands, which decides how the rows of an embed are found.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// In a node whose embeds are joined.
    Joined(&'a [Embed]),
    /// In a count of the node's rows, where nothing is joined.
    Counted(&'a [Embed]),
}

/// Writes a condition on the rows called `qualifier`.
pub(crate) fn write_condition(
    sql: &mut Writer,
    qualifier: &Qualifier,
    condition: &Condition,
    scope: Scope<'_>,
) {
    match condition {
        Condition::Branch {
            negated,
            operator,
            members,
        } => {
            sql.push(if *negated { "NOT (" } else { "(" });
            for (index, member) in members.iter().enumerate() {
                if index > 0 {
                    sql.push(match operator {
                        LogicOperator::And => " AND ",
                        LogicOperator::Or => " OR ",
                    });
                }
                write_condition(sql, qualifier, member, scope);
            }
            sql.push(")");
        }
        Condition::Compare {
            field,
            negated,
            operation,
        } => {
            if *negated {
                sql.push("NOT ");
            }
            write_field(sql, qualifier, field);
            write_operation(sql, field, operation);
        }
        Condition::EmbedIsNull { embed, negated } => {
            write_embed_is_null(sql, embed, *negated, scope);
        }
    }
}

fn write_embed_is_null(sql: &mut Writer, alias: &str, negated: bool, scope: Scope<'_>) {
    let (Scope::Joined(embeds) | Scope::Counted(embeds)) = scope;
    let found = embeds.iter().find(|embed| &*embed.alias == alias);
    match (scope, found.map(|embed| (embed, &embed.shape))) {
        (Scope::Counted(_), Some((embed, _))) => {
            sql.push(if negated { "" } else { "NOT " });
            write_embed_exists(sql, embed);
        }
        (_, Some((_, EmbedShape::Array { .. } | EmbedShape::SpreadArrays { .. }))) => {
            sql.own_column(alias);
            sql.push(if negated { " IS NOT NULL" } else { " IS NULL" });
        }
        // A row of nulls is not null itself, hence not IS NULL.
        _ => {
            sql.identifier(alias);
            sql.push(if negated {
                ".* IS DISTINCT FROM NULL"
            } else {
                ".* IS NOT DISTINCT FROM NULL"
            });
        }
    }
}

fn write_operation(sql: &mut Writer, field: &PlanField, operation: &Operation) {
    match operation {
        Operation::Simple(operator, value) => {
            sql.push(simple_operator(*operator));
            write_value(sql, field, value);
        }
        Operation::Quantified(operator, quantifier, value) => {
            sql.push(quant_operator(*operator));
            write_quantified(sql, *quantifier, |sql| match operator {
                QuantOperator::Like | QuantOperator::ILike => sql.pattern_parameter(value),
                _ => write_value(sql, field, value),
            });
        }
        Operation::In(values) => write_in(sql, field, values),
        Operation::Is(value) => sql.push(match value {
            IsValue::Null => " IS NULL",
            IsValue::NotNull => " IS NOT NULL",
            IsValue::True => " IS TRUE",
            IsValue::False => " IS FALSE",
            IsValue::Unknown => " IS UNKNOWN",
        }),
        Operation::IsDistinctFrom(value) => {
            sql.push(" IS DISTINCT FROM ");
            sql.parameter(value);
        }
        Operation::FullText(operator, configuration, query) => {
            sql.push(full_text_operator(*operator));
            write_text_search_configuration(sql, configuration.as_deref());
            sql.parameter(query);
            sql.push(")");
        }
    }
}

/// A value is read as the type it is compared with, unless a representation parses it.
fn write_value(sql: &mut Writer, field: &PlanField, value: &str) {
    match &field.transform {
        None => sql.parameter(value),
        Some(function) => {
            sql.push(function);
            sql.push("(");
            sql.parameter(value);
            sql.push(")");
        }
    }
}

fn write_quantified(
    sql: &mut Writer,
    quantifier: Option<Quantifier>,
    value: impl FnOnce(&mut Writer),
) {
    let Some(quantifier) = quantifier else {
        return value(sql);
    };
    sql.push(match quantifier {
        Quantifier::Any => "ANY (",
        Quantifier::All => "ALL (",
    });
    value(sql);
    sql.push(")");
}

/// One parameter holds the list, whatever its length.
fn write_in(sql: &mut Writer, field: &PlanField, values: &[String]) {
    match &field.transform {
        None => {
            sql.push(" = ANY (");
            sql.array_parameter(values);
            sql.push(")");
        }
        Some(function) => {
            sql.push(" = ANY (SELECT ");
            sql.push(function);
            sql.push("(unnest(");
            sql.array_parameter(values);
            sql.push("::text[])))");
        }
    }
}

fn simple_operator(operator: SimpleOperator) -> &'static str {
    match operator {
        SimpleOperator::NotEqual => " <> ",
        SimpleOperator::Contains => " @> ",
        SimpleOperator::Contained => " <@ ",
        SimpleOperator::Overlap => " && ",
        SimpleOperator::StrictlyLeft => " << ",
        SimpleOperator::StrictlyRight => " >> ",
        SimpleOperator::NotExtendsRight => " &< ",
        SimpleOperator::NotExtendsLeft => " &> ",
        SimpleOperator::Adjacent => " -|- ",
    }
}

fn quant_operator(operator: QuantOperator) -> &'static str {
    match operator {
        QuantOperator::Equal => " = ",
        QuantOperator::GreaterThanEqual => " >= ",
        QuantOperator::GreaterThan => " > ",
        QuantOperator::LessThanEqual => " <= ",
        QuantOperator::LessThan => " < ",
        QuantOperator::Like => " LIKE ",
        QuantOperator::ILike => " ILIKE ",
        QuantOperator::Match => " ~ ",
        QuantOperator::IMatch => " ~* ",
    }
}

fn full_text_operator(operator: FullTextOperator) -> &'static str {
    match operator {
        FullTextOperator::Query => " @@ to_tsquery(",
        FullTextOperator::Plain => " @@ plainto_tsquery(",
        FullTextOperator::Phrase => " @@ phraseto_tsquery(",
        FullTextOperator::Websearch => " @@ websearch_to_tsquery(",
    }
}
