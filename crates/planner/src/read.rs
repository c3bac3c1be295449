//! Reads of a relation, and what a read needs of the rows it is made from.

use std::sync::Arc;

use crate::context::Context;
use crate::draft::Draft;
use crate::{ColumnRef, Condition, Handler, PlanError, ReadNode, ReadPlan, Source, reply};

impl Context<'_> {
    pub(crate) fn read(self, relation: &str, headers_only: bool) -> Result<ReadPlan, PlanError> {
        let table = self.table(relation)?;
        let legacy = self.settings.legacy_target_names;
        let draft = Draft::of_read(self.request, &table.name.name, legacy)?;
        let source = Source::Relation {
            name: table.name.clone(),
            alias: None,
            junction: None,
        };
        let root = self
            .builder(self.settings.max_rows)
            .root(&draft, &table.name, source)?;
        let (handler, media_type) = self.handler(&table.name, draft.is_star())?;
        self.check_preferences()?;
        Ok(ReadPlan {
            root,
            count: self.count(),
            handler: if headers_only { Handler::None } else { handler },
            transaction: self.transaction(true),
            reply: reply::of_read(self.request, &draft, media_type, headers_only),
        })
    }
}

/// Columns of the root's rows that a read needs: those it selects, orders by and joins on, and
/// `more`. Just `*` where all are needed, or where what is needed cannot be known.
pub(crate) fn needed_columns(
    node: &ReadNode,
    more: impl IntoIterator<Item = Arc<str>>,
) -> Vec<ColumnRef> {
    let selects_nothing = node.select.is_empty() && node.embeds.is_empty();
    let takes_row = node
        .embeds
        .iter()
        .any(|embed| matches!(embed.node.source, Source::Computed { .. }));
    let mut names: Vec<Arc<str>> = Vec::new();
    for column in &node.select {
        match &column.field.column {
            ColumnRef::Named(name) => names.push(Arc::clone(name)),
            ColumnRef::All | ColumnRef::WholeRow => return vec![ColumnRef::All],
        }
    }
    if selects_nothing || takes_row {
        return vec![ColumnRef::All];
    }
    for term in node.order.iter().filter(|term| term.embed.is_none()) {
        if let ColumnRef::Named(name) = &term.field.column {
            names.push(Arc::clone(name));
        }
    }
    let root = node.source.qualifier();
    let joins = node.embeds.iter().flat_map(|embed| &embed.node.joins);
    for join in joins.filter(|join| join.left == root) {
        names.extend(join.columns.iter().map(|(own, _)| Arc::clone(own)));
    }
    names.extend(more);
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(ColumnRef::Named).collect()
}

/// Names of the columns in conditions.
pub(crate) fn condition_columns(conditions: &[Condition], names: &mut Vec<Arc<str>>) {
    for condition in conditions {
        match condition {
            Condition::Branch { members, .. } => condition_columns(members, names),
            Condition::Compare { field, .. } => {
                if let ColumnRef::Named(name) = &field.column {
                    names.push(Arc::clone(name));
                }
            }
            Condition::EmbedIsNull { .. } => {}
        }
    }
}
