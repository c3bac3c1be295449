//! Embedded relations: how their rows are found for a row of the parent, and how they appear in it.

use passerelle_planner::{Condition, Embed, EmbedShape, ReadNode, SpreadColumn, SpreadOrderKey};

use crate::field::{write_aggregated, write_direction};
use crate::node::{Separator, has_aggregate, write_node};
use crate::writer::Writer;

/// Whether an embed is a scalar subquery of the select list rather than a join. PostgreSQL then
/// sorts and cuts the parent's rows before it looks for the embedded ones.
fn is_scalar(embed: &Embed, parent: &ReadNode) -> bool {
    embed.shape == EmbedShape::Array { hidden: false }
        && !embed.inner
        && !has_aggregate(parent)
        && !parent
            .filters
            .iter()
            .any(|condition| refers_to(condition, &embed.alias))
}

fn refers_to(condition: &Condition, alias: &str) -> bool {
    match condition {
        Condition::Branch { members, .. } => members.iter().any(|member| refers_to(member, alias)),
        Condition::EmbedIsNull { embed, .. } => &**embed == alias,
        Condition::Compare { .. } => false,
    }
}

/// Writes what an embed adds to the columns of its parent.
pub(crate) fn write_columns(
    sql: &mut Writer,
    embed: &Embed,
    parent: &ReadNode,
    separator: &mut Separator,
) {
    match &embed.shape {
        EmbedShape::Object { hidden: true } | EmbedShape::Array { hidden: true } => {}
        EmbedShape::Object { hidden: false } => {
            separator.write(sql);
            sql.push("to_jsonb(");
            sql.identifier(&embed.alias);
            sql.push(".*)");
            sql.alias(&embed.name);
        }
        EmbedShape::Array { hidden: false } => {
            separator.write(sql);
            sql.push("coalesce(");
            if is_scalar(embed, parent) {
                sql.push("(");
                write_array(sql, embed);
                sql.push(")");
            } else {
                sql.own_column(&embed.alias);
            }
            sql.push(", '[]')");
            sql.alias(&embed.name);
        }
        EmbedShape::SpreadRow(columns) | EmbedShape::SpreadArrays { columns, .. } => {
            for column in columns {
                separator.write(sql);
                write_spread_column(sql, &embed.alias, column);
            }
        }
    }
}

fn write_spread_column(sql: &mut Writer, embed: &str, column: &SpreadColumn) {
    write_aggregated(sql, column.aggregate.as_ref(), |sql| {
        write_column_of(sql, embed, &column.name);
    });
    if let Some(alias) = &column.alias {
        sql.alias(alias);
    }
}

fn write_column_of(sql: &mut Writer, embed: &str, column: &str) {
    sql.identifier(embed);
    if column == "*" {
        sql.push(".*");
    } else {
        sql.push(".");
        sql.identifier(column);
    }
}

/// Writes an embed as a join of its parent, unless it stands in the select list.
pub(crate) fn write_join(sql: &mut Writer, embed: &Embed, parent: &ReadNode) {
    if is_scalar(embed, parent) {
        return;
    }
    sql.push(if embed.inner {
        " INNER JOIN LATERAL ("
    } else {
        " LEFT JOIN LATERAL ("
    });
    let has_row_of_nothing = match &embed.shape {
        EmbedShape::Object { .. } | EmbedShape::SpreadRow(_) => {
            write_node(sql, &embed.node, &[]);
            false
        }
        EmbedShape::Array { hidden: true } => {
            sql.push("SELECT 1");
            sql.alias(&embed.alias);
            write_rows(sql, embed, &[]);
            sql.push(" LIMIT 1");
            false
        }
        EmbedShape::Array { hidden: false } => {
            write_array(sql, embed);
            true
        }
        EmbedShape::SpreadArrays { columns, keys } => {
            write_spread_arrays(sql, embed, columns, keys);
            true
        }
    };
    sql.push(")");
    sql.alias(&embed.alias);
    if embed.inner && has_row_of_nothing {
        sql.push(" ON ");
        sql.own_column(&embed.alias);
        sql.push(" IS NOT NULL");
    } else {
        sql.push(" ON TRUE");
    }
}

fn write_rows(sql: &mut Writer, embed: &Embed, keys: &[SpreadOrderKey]) {
    sql.push(" FROM (");
    write_node(sql, &embed.node, keys);
    sql.push(")");
    sql.alias(&embed.alias);
}

fn write_array(sql: &mut Writer, embed: &Embed) {
    sql.push("SELECT jsonb_agg(");
    sql.identifier(&embed.alias);
    sql.push(".*)");
    sql.alias(&embed.alias);
    write_rows(sql, embed, &[]);
}

fn write_spread_arrays(
    sql: &mut Writer,
    embed: &Embed,
    columns: &[SpreadColumn],
    keys: &[SpreadOrderKey],
) {
    sql.push("SELECT nullif(count(*), 0)");
    sql.alias(&embed.alias);
    for column in columns {
        sql.push(", coalesce(jsonb_agg(");
        write_column_of(sql, &embed.alias, &column.name);
        let mut separator = Separator::new(" ORDER BY ", ", ");
        for key in keys {
            separator.write(sql);
            write_column_of(sql, &embed.alias, &key.alias);
            write_direction(sql, &key.term);
        }
        sql.push("), '[]')");
        sql.alias(&column.name);
    }
    write_rows(sql, embed, keys);
}

/// Writes what a parent with aggregates groups by of an embed.
pub(crate) fn write_group_terms(sql: &mut Writer, embed: &Embed, separator: &mut Separator) {
    match &embed.shape {
        EmbedShape::Object { hidden: true } | EmbedShape::Array { hidden: true } => {}
        EmbedShape::Object { hidden: false } | EmbedShape::Array { hidden: false } => {
            separator.write(sql);
            sql.identifier(&embed.name);
        }
        EmbedShape::SpreadRow(columns) | EmbedShape::SpreadArrays { columns, .. } => {
            for column in columns.iter().filter(|column| column.aggregate.is_none()) {
                separator.write(sql);
                write_column_of(sql, &embed.alias, &column.name);
            }
        }
    }
}
