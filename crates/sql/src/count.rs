//! How many rows a read has when nothing cuts them: only what restricts its root is kept.

use passerelle_planner::{Embed, ReadNode};

use crate::condition::{Scope, write_condition};
use crate::node::{Separator, write_join_conditions, write_source};
use crate::writer::Writer;

/// Writes `SELECT 1` for each row of the node, without order, range and embeds.
pub(crate) fn write_one_per_row(sql: &mut Writer, node: &ReadNode) {
    sql.push("SELECT 1");
    write_restricted(sql, node);
}

/// Writes the number of rows of the node.
pub(crate) fn write_row_count(sql: &mut Writer, node: &ReadNode) {
    sql.push("SELECT count(*)");
    write_restricted(sql, node);
}

/// Writes whether an embed has rows, for the parent row in scope.
pub(crate) fn write_embed_exists(sql: &mut Writer, embed: &Embed) {
    sql.push("EXISTS (");
    write_one_per_row(sql, &embed.node);
    sql.push(")");
}

fn write_restricted(sql: &mut Writer, node: &ReadNode) {
    write_source(sql, &node.source);
    let qualifier = node.source.qualifier();
    let mut separator = Separator::conditions();
    for condition in &node.filters {
        separator.write(sql);
        write_condition(sql, &qualifier, condition, Scope::Counted(&node.embeds));
    }
    write_join_conditions(sql, &node.joins, &mut separator);
    for embed in node.embeds.iter().filter(|embed| embed.inner) {
        separator.write(sql);
        write_embed_exists(sql, embed);
    }
}
