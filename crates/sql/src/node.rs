//! One relation of a read, and what is embedded in it, as a `SELECT`.

use std::sync::Arc;

use passerelle_planner::{
    Embed, EmbedShape, JoinCondition, OrderBy, Qualifier, ReadNode, SelectColumn, Source,
    SpreadColumn, SpreadOrderKey,
};
use passerelle_syntax::RowRange;

use crate::condition::{Scope, write_condition};
use crate::field::{
    write_aggregated, write_direction, write_field, write_order_term, write_select_column,
};
use crate::writer::Writer;

/// What stands between the members of a list: one text before the first, another before the rest.
pub(crate) struct Separator {
    first: &'static str,
    rest: &'static str,
    started: bool,
}

impl Separator {
    pub(crate) const fn new(first: &'static str, rest: &'static str) -> Self {
        Self {
            first,
            rest,
            started: false,
        }
    }

    /// Between the conditions of a `WHERE`.
    pub(crate) const fn conditions() -> Self {
        Self::new(" WHERE ", " AND ")
    }

    pub(crate) fn write(&mut self, sql: &mut Writer) {
        sql.push(if self.started { self.rest } else { self.first });
        self.started = true;
    }
}

/// Writes the `SELECT` of a node. `keys` are selected beside its own columns, under their aliases.
pub(crate) fn write_node(sql: &mut Writer, node: &ReadNode, keys: &[SpreadOrderKey]) {
    let qualifier = node.source.qualifier();
    write_select_list(sql, &qualifier, node, keys);
    write_source(sql, &node.source);
    for embed in &node.embeds {
        write_join(sql, embed);
    }
    let mut separator = Separator::conditions();
    for condition in &node.filters {
        separator.write(sql);
        write_condition(sql, &qualifier, condition, Scope::Joined(&node.embeds));
    }
    write_join_conditions(sql, &node.joins, &mut separator);
    write_group(sql, &qualifier, node);
    write_order(sql, &qualifier, &node.order);
    write_range(sql, node.range);
}

fn write_select_list(
    sql: &mut Writer,
    qualifier: &Qualifier,
    node: &ReadNode,
    keys: &[SpreadOrderKey],
) {
    let mut separator = Separator::new("SELECT ", ", ");
    if node.select.is_empty() && node.embeds.is_empty() {
        separator.write(sql);
        sql.qualifier(qualifier);
        sql.push(".*");
    }
    for column in &node.select {
        separator.write(sql);
        write_select_column(sql, qualifier, column);
    }
    for key in keys {
        separator.write(sql);
        write_order_key(sql, qualifier, key);
    }
    for embed in &node.embeds {
        write_embed_columns(sql, embed, &mut separator);
    }
    if !separator.started {
        sql.push("SELECT");
    }
}

fn write_order_key(sql: &mut Writer, qualifier: &Qualifier, key: &SpreadOrderKey) {
    match &key.term.embed {
        Some(embed) => write_field(sql, &Qualifier::Alias(Arc::clone(embed)), &key.term.field),
        None => write_field(sql, qualifier, &key.term.field),
    }
    sql.alias(&key.alias);
}

/// Writes what an embed adds to the columns of its parent.
fn write_embed_columns(sql: &mut Writer, embed: &Embed, separator: &mut Separator) {
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
            sql.own_column(&embed.alias);
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
        write_column_of_embed(sql, embed, &column.name);
    });
    if let Some(alias) = &column.alias {
        sql.alias(alias);
    }
}

fn write_column_of_embed(sql: &mut Writer, embed: &str, column: &str) {
    sql.identifier(embed);
    if column == "*" {
        sql.push(".*");
    } else {
        sql.push(".");
        sql.identifier(column);
    }
}

/// Writes where the rows of a node come from.
pub(crate) fn write_source(sql: &mut Writer, source: &Source) {
    sql.push(" FROM ");
    match source {
        Source::Relation {
            name,
            alias,
            junction,
        } => {
            sql.qualified_name(name);
            if let Some(alias) = alias {
                sql.alias(alias);
            }
            if let Some((junction, alias)) = junction {
                sql.push(" CROSS JOIN ");
                sql.qualified_name(junction);
                sql.alias(alias);
            }
        }
        Source::Computed {
            function,
            parent,
            parent_type,
            alias,
        } => {
            sql.qualified_name(function);
            sql.push("(");
            match parent {
                Qualifier::Alias(alias) => sql.identifier(alias),
                Qualifier::Relation(name) => sql.identifier(&name.name),
            }
            sql.push("::");
            sql.qualified_name(parent_type);
            sql.push(")");
            sql.alias(alias);
        }
    }
}

/// Writes an embed as a join of its parent.
fn write_join(sql: &mut Writer, embed: &Embed) {
    sql.push(if embed.inner {
        " INNER JOIN LATERAL ("
    } else {
        " LEFT JOIN LATERAL ("
    });
    let mut keeps_empty = false;
    match &embed.shape {
        EmbedShape::Object { .. } | EmbedShape::SpreadRow(_) => write_node(sql, &embed.node, &[]),
        EmbedShape::Array { hidden: true } => {
            sql.push("SELECT 1");
            sql.alias(&embed.alias);
            write_rows_of(sql, embed, &[]);
            sql.push(" LIMIT 1");
        }
        EmbedShape::Array { hidden: false } => {
            keeps_empty = true;
            sql.push("SELECT jsonb_agg(");
            sql.identifier(&embed.alias);
            sql.push(".*)");
            sql.alias(&embed.alias);
            write_rows_of(sql, embed, &[]);
        }
        EmbedShape::SpreadArrays { columns, keys } => {
            keeps_empty = true;
            write_spread_arrays(sql, embed, columns, keys);
        }
    }
    sql.push(")");
    sql.alias(&embed.alias);
    if embed.inner && keeps_empty {
        // An aggregate has a row even of nothing.
        sql.push(" ON ");
        sql.own_column(&embed.alias);
        sql.push(" IS NOT NULL");
    } else {
        sql.push(" ON TRUE");
    }
}

fn write_rows_of(sql: &mut Writer, embed: &Embed, keys: &[SpreadOrderKey]) {
    sql.push(" FROM (");
    write_node(sql, &embed.node, keys);
    sql.push(")");
    sql.alias(&embed.alias);
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
        write_column_of_embed(sql, &embed.alias, &column.name);
        let mut separator = Separator::new(" ORDER BY ", ", ");
        for key in keys {
            separator.write(sql);
            sql.identifier(&embed.alias);
            sql.push(".");
            sql.identifier(&key.alias);
            write_direction(sql, &key.term);
        }
        sql.push("), '[]')");
        sql.alias(&column.name);
    }
    write_rows_of(sql, embed, keys);
}

/// Writes the conditions that tie a node to its parent.
pub(crate) fn write_join_conditions(
    sql: &mut Writer,
    joins: &[JoinCondition],
    separator: &mut Separator,
) {
    for join in joins {
        for (left, right) in &join.columns {
            separator.write(sql);
            sql.column(&join.left, left);
            sql.push(" = ");
            sql.column(&join.right, right);
        }
    }
}

/// Beside aggregates, all that is not aggregated is grouped by.
fn write_group(sql: &mut Writer, qualifier: &Qualifier, node: &ReadNode) {
    if !has_aggregate(node) {
        return;
    }
    let mut separator = Separator::new(" GROUP BY ", ", ");
    for column in node
        .select
        .iter()
        .filter(|column| column.aggregate.is_none())
    {
        separator.write(sql);
        write_group_term(sql, qualifier, column);
    }
    for embed in &node.embeds {
        match &embed.shape {
            EmbedShape::Object { hidden: true } | EmbedShape::Array { hidden: true } => {}
            EmbedShape::Object { hidden: false } | EmbedShape::Array { hidden: false } => {
                separator.write(sql);
                sql.identifier(&embed.name);
            }
            EmbedShape::SpreadRow(columns) | EmbedShape::SpreadArrays { columns, .. } => {
                for column in columns.iter().filter(|column| column.aggregate.is_none()) {
                    separator.write(sql);
                    write_column_of_embed(sql, &embed.alias, &column.name);
                }
            }
        }
    }
}

fn has_aggregate(node: &ReadNode) -> bool {
    node.select.iter().any(|column| column.aggregate.is_some())
        || node.embeds.iter().any(|embed| match &embed.shape {
            EmbedShape::SpreadRow(columns) | EmbedShape::SpreadArrays { columns, .. } => {
                columns.iter().any(|column| column.aggregate.is_some())
            }
            EmbedShape::Object { .. } | EmbedShape::Array { .. } => false,
        })
}

fn write_group_term(sql: &mut Writer, qualifier: &Qualifier, column: &SelectColumn) {
    match &column.alias {
        Some(alias) => sql.identifier(alias),
        None => write_field(sql, qualifier, &column.field),
    }
}

fn write_order(sql: &mut Writer, qualifier: &Qualifier, order: &[OrderBy]) {
    let mut separator = Separator::new(" ORDER BY ", ", ");
    for term in order {
        separator.write(sql);
        write_order_term(sql, qualifier, term);
    }
}

/// An offset of zero is left out: PostgreSQL would take any offset into account when it plans.
fn write_range(sql: &mut Writer, range: RowRange) {
    if let Some(limit) = range.limit {
        sql.push(" LIMIT ");
        sql.number_parameter(limit);
    }
    if range.offset > 0 {
        sql.push(" OFFSET ");
        sql.number_parameter(range.offset);
    }
}
