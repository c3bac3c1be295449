//! Expressions over one column: fields, JSON paths, casts, aggregates, order terms.

use passerelle_planner::{Aggregate, ColumnRef, OrderBy, PlanField, Qualifier, SelectColumn};
use passerelle_syntax::{AggregateFunction, JsonOperand, JsonStep, OrderDirection, OrderNulls};

use crate::writer::Writer;

/// Writes a field as it is compared, ordered and grouped by: a representation is not applied.
pub(crate) fn write_field(sql: &mut Writer, qualifier: &Qualifier, field: &PlanField) {
    match &field.to_tsvector {
        None => write_path(sql, qualifier, field),
        Some(configuration) => {
            sql.push("to_tsvector(");
            write_text_search_configuration(sql, configuration.as_deref());
            write_path(sql, qualifier, field);
            sql.push(")");
        }
    }
}

/// Writes the configuration as the first argument of a text search function.
pub(crate) fn write_text_search_configuration(sql: &mut Writer, configuration: Option<&str>) {
    if let Some(configuration) = configuration {
        sql.parameter(configuration);
        sql.push(", ");
    }
}

fn write_path(sql: &mut Writer, qualifier: &Qualifier, field: &PlanField) {
    let to_json = field.to_json && !field.json_path.is_empty();
    if to_json {
        sql.push("to_jsonb(");
    }
    match &field.column {
        ColumnRef::All => {
            sql.qualifier(qualifier);
            sql.push(".*");
        }
        ColumnRef::WholeRow => match qualifier {
            Qualifier::Alias(alias) => sql.identifier(alias),
            Qualifier::Relation(name) => sql.identifier(&name.name),
        },
        ColumnRef::Named(name) => sql.column(qualifier, name),
    }
    if to_json {
        sql.push(")");
    }
    write_json_path(sql, &field.json_path);
}

/// PostgreSQL reads an arrow's untyped operand as text, so only indexes need their type.
fn write_json_path(sql: &mut Writer, path: &[JsonStep]) {
    for step in path {
        sql.push(if step.as_text { "->>" } else { "->" });
        match &step.operand {
            JsonOperand::Key(key) => sql.parameter(key),
            JsonOperand::Index(index) => {
                sql.parameter(index);
                sql.push("::int");
            }
        }
    }
}

/// Writes an item of a select list.
pub(crate) fn write_select_column(sql: &mut Writer, qualifier: &Qualifier, column: &SelectColumn) {
    write_aggregated(sql, column.aggregate.as_ref(), |sql| {
        if counts_rows(column) {
            sql.push("*");
        } else {
            write_selected(sql, qualifier, column);
        }
    });
    if let Some(alias) = &column.alias {
        sql.alias(alias);
    }
}

/// Counting whole rows of a relation is counting rows, which spares reading their columns.
fn counts_rows(column: &SelectColumn) -> bool {
    column.cast.is_none()
        && column.field.column == ColumnRef::All
        && matches!(&column.aggregate, Some(aggregate) if aggregate.function == AggregateFunction::Count)
}

fn write_selected(sql: &mut Writer, qualifier: &Qualifier, column: &SelectColumn) {
    write_cast(sql, column.cast.as_deref(), |sql| {
        match &column.field.transform {
            None => write_field(sql, qualifier, &column.field),
            Some(function) => {
                sql.push(function);
                sql.push("(");
                write_field(sql, qualifier, &column.field);
                sql.push(")");
            }
        }
    });
}

/// Writes an expression within its aggregate and the cast of the result.
pub(crate) fn write_aggregated(
    sql: &mut Writer,
    aggregate: Option<&Aggregate>,
    expression: impl FnOnce(&mut Writer),
) {
    let Some(aggregate) = aggregate else {
        return expression(sql);
    };
    write_cast(sql, aggregate.cast.as_deref(), |sql| {
        sql.push(match aggregate.function {
            AggregateFunction::Sum => "sum(",
            AggregateFunction::Avg => "avg(",
            AggregateFunction::Max => "max(",
            AggregateFunction::Min => "min(",
            AggregateFunction::Count => "count(",
        });
        expression(sql);
        sql.push(")");
    });
}

fn write_cast(sql: &mut Writer, cast: Option<&str>, expression: impl FnOnce(&mut Writer)) {
    let Some(type_name) = cast else {
        return expression(sql);
    };
    sql.push("CAST(");
    expression(sql);
    sql.push(" AS ");
    sql.push(type_name);
    sql.push(")");
}

/// Writes a term of an order.
pub(crate) fn write_order_term(sql: &mut Writer, qualifier: &Qualifier, term: &OrderBy) {
    match &term.embed {
        Some(embed) => {
            write_field(
                sql,
                &Qualifier::Alias(std::sync::Arc::clone(embed)),
                &term.field,
            );
        }
        None => write_field(sql, qualifier, &term.field),
    }
    write_direction(sql, term);
}

/// Writes what follows the expression of an order term.
pub(crate) fn write_direction(sql: &mut Writer, term: &OrderBy) {
    match term.direction {
        Some(OrderDirection::Asc) => sql.push(" ASC"),
        Some(OrderDirection::Desc) => sql.push(" DESC"),
        None => {}
    }
    match term.nulls {
        Some(OrderNulls::First) => sql.push(" NULLS FIRST"),
        Some(OrderNulls::Last) => sql.push(" NULLS LAST"),
        None => {}
    }
}
