//! Spread embeds: their columns as the parent sees them, and the aggregates and orders that move
//! from the embed to the parent.

use std::sync::Arc;

use crate::{
    Aggregate, ColumnRef, Embed, EmbedShape, PlanError, ReadNode, SelectColumn, SpreadColumn,
    SpreadOrderKey,
};

/// An aggregate of a to-one spread on its way to the parent. Computed inside it would see a single
/// row; outside it sees the parent's groups.
pub(crate) struct Lifted {
    embed: Arc<str>,
    column: String,
    aggregate: Aggregate,
    alias: Option<String>,
}

/// The columns of a spread embed as they appear in its parent.
pub(crate) fn columns(node: &ReadNode) -> Vec<SpreadColumn> {
    let own = node.select.iter().map(|column| plain(column_name(column)));
    let embedded = node.embeds.iter().flat_map(|embed| match &embed.shape {
        EmbedShape::Object { hidden: true } | EmbedShape::Array { hidden: true } => Vec::new(),
        EmbedShape::Object { .. } | EmbedShape::Array { .. } => vec![plain(embed.name.clone())],
        EmbedShape::SpreadRow(columns) | EmbedShape::SpreadArrays { columns, .. } => columns
            .iter()
            .map(|column| plain(shown_name(column)))
            .collect(),
    });
    own.chain(embedded).collect()
}

/// Takes the aggregates out of the columns of a to-one spread.
pub(crate) fn lift(embed: &Arc<str>, select: &mut [SelectColumn]) -> Vec<Lifted> {
    let mut lifted = Vec::new();
    for column in select {
        if let Some(aggregate) = column.aggregate.take() {
            lifted.push(Lifted {
                embed: Arc::clone(embed),
                column: column_name(column),
                aggregate,
                alias: column.alias.clone(),
            });
        }
    }
    lifted
}

/// Passes aggregates of nested spreads on: the parent finds them in `embed`.
pub(crate) fn pass_on(embed: &Arc<str>, lifted: Vec<Lifted>) -> impl Iterator<Item = Lifted> {
    lifted.into_iter().map(|item| Lifted {
        embed: Arc::clone(embed),
        ..item
    })
}

/// Puts lifted aggregates on the columns of the embeds they came from.
pub(crate) fn settle(embeds: &mut [Embed], lifted: &[Lifted]) {
    for embed in embeds {
        let (EmbedShape::SpreadRow(columns) | EmbedShape::SpreadArrays { columns, .. }) =
            &mut embed.shape
        else {
            continue;
        };
        for column in columns {
            let found = lifted
                .iter()
                .find(|item| item.embed == embed.alias && item.column == column.name);
            if let Some(item) = found {
                column.aggregate = Some(item.aggregate.clone());
                column.alias.clone_from(&item.alias);
            }
        }
    }
}

/// Moves the order of a to-many spread to where its rows become arrays.
///
/// # Errors
/// [`PlanError::NotImplemented`] when it holds aggregates.
pub(crate) fn order_keys(
    node: &mut ReadNode,
    mut alias: impl FnMut() -> Arc<str>,
) -> Result<Vec<SpreadOrderKey>, PlanError> {
    let own = node.select.iter().any(|column| column.aggregate.is_some());
    let embedded = node.embeds.iter().any(|embed| match &embed.shape {
        EmbedShape::SpreadRow(columns) | EmbedShape::SpreadArrays { columns, .. } => {
            columns.iter().any(|column| column.aggregate.is_some())
        }
        _ => false,
    });
    if own || embedded {
        return Err(PlanError::NotImplemented(
            "Aggregates are not implemented for one-to-many or many-to-many spreads.",
        ));
    }
    let order = std::mem::take(&mut node.order);
    Ok(order
        .into_iter()
        .map(|term| SpreadOrderKey {
            term,
            alias: alias(),
        })
        .collect())
}

fn column_name(column: &SelectColumn) -> String {
    match (&column.alias, &column.field.column) {
        (Some(alias), _) => alias.clone(),
        (None, ColumnRef::Named(name)) => name.to_string(),
        (None, ColumnRef::All | ColumnRef::WholeRow) => "*".to_owned(),
    }
}

fn shown_name(column: &SpreadColumn) -> String {
    column.alias.clone().unwrap_or_else(|| column.name.clone())
}

fn plain(name: String) -> SpreadColumn {
    SpreadColumn {
        name,
        aggregate: None,
        alias: None,
    }
}
