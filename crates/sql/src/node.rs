//! One relation of a read, and what is embedded in it, as a `SELECT`.

use std::sync::Arc;

use passerelle_planner::{
    EmbedShape, JoinCondition, OrderBy, Qualifier, ReadNode, SelectColumn, Source, SpreadOrderKey,
};
use passerelle_syntax::RowRange;

use crate::condition::{Scope, write_condition};
use crate::embed::{write_columns, write_group_terms, write_join};
use crate::field::{write_field, write_order_term, write_select_column};
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

/// Name of the common table expression that holds the rows of a write or of a function.
pub(crate) const WRITTEN: &str = "pgrst_source";

/// Pages are rarely smaller.
const SMALLEST_CEILING: u64 = 16;

/// Planning costs little beside reading more rows than this.
const LARGEST_CEILING: u64 = 16_384;

/// Writes the rows of a node. `keys` are selected beside its own columns, under their aliases.
pub(crate) fn write_node(sql: &mut Writer, node: &ReadNode, keys: &[SpreadOrderKey]) {
    match ceiling(node.range) {
        None => write_select(sql, node, keys),
        Some(ceiling) => {
            sql.push("SELECT * FROM (");
            write_select(sql, node, keys);
            sql.push(" LIMIT ");
            sql.number(ceiling);
            sql.push(") AS page");
        }
    }
    write_range(sql, node.range);
}

/// Writes the `SELECT` of a node without its range.
fn write_select(sql: &mut Writer, node: &ReadNode, keys: &[SpreadOrderKey]) {
    let qualifier = node.source.qualifier();
    write_select_list(sql, &qualifier, node, keys);
    write_source(sql, &node.source);
    for embed in &node.embeds {
        write_join(sql, embed, node);
    }
    let mut separator = Separator::conditions();
    for condition in &node.filters {
        separator.write(sql);
        write_condition(sql, &qualifier, condition, Scope::Joined(&node.embeds));
    }
    write_join_conditions(sql, &node.joins, &mut separator);
    write_group(sql, &qualifier, node);
    write_order(sql, &qualifier, &node.order);
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
        write_columns(sql, embed, node, &mut separator);
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
        Source::Written { alias } => {
            sql.push(WRITTEN);
            sql.alias(alias);
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
        write_group_terms(sql, embed, &mut separator);
    }
}

/// Whether rows of the node are groups.
pub(crate) fn has_aggregate(node: &ReadNode) -> bool {
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

/// An offset of zero is left out: PostgreSQL takes any parameter for a tenth of the rows.
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

/// The magnitude of a range that is worth telling PostgreSQL: a power of four not below its end.
///
/// With nothing but a parameter as limit, a plan for any parameters counts on a tenth of all rows
/// and looks worse than a plan for these parameters, so the statement would be planned anew each
/// time. That costs as much as reading a page.
fn ceiling(range: RowRange) -> Option<u64> {
    let end = range.limit?.saturating_add(range.offset);
    let mut ceiling = SMALLEST_CEILING;
    while ceiling < end {
        ceiling *= 4;
        if ceiling > LARGEST_CEILING {
            return None;
        }
    }
    Some(ceiling)
}
