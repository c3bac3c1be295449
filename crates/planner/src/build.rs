//! Builds the tree of a [`ReadPlan`](crate::ReadPlan) from a draft: relationships found, fields
//! resolved, stars written out, embeds given their shape.

use std::sync::Arc;

use passerelle_catalog::{Cardinality, Catalog, ColumnPair, QualifiedName, Relationship};
use passerelle_syntax::{
    AggregateFunction, Filter, IsValue, JoinType, LogicTree, Operation, OrderTerm, RowRange,
};

use crate::draft::Draft;
use crate::relate::relationship;
use crate::resolve::{Scope, select_column};
use crate::spread::{self, Lifted};
use crate::{
    ColumnRef, Condition, Embed, EmbedShape, JoinCondition, OrderBy, PlanError, PlanSettings,
    Qualifier, ReadNode, SelectColumn, Source,
};

/// PostgreSQL cuts longer identifiers, which would make two of them one.
const MAX_IDENTIFIER_BYTES: usize = 63;

pub(crate) struct Builder<'c> {
    pub(crate) catalog: &'c Catalog,
    pub(crate) settings: &'c PlanSettings,
    pub(crate) role: &'c str,
    pub(crate) schema: &'c str,
    /// `max-rows`, where it applies.
    pub(crate) max_rows: Option<u64>,
    pub(crate) aliases: u32,
}

/// Where a node stands in the tree.
#[derive(Clone, Copy)]
struct Place<'p> {
    kind: Kind<'p>,
    /// A node above, or this one, groups rows: `*` must be written out to be grouped by.
    grouped: bool,
}

#[derive(Clone, Copy)]
enum Kind<'p> {
    Root,
    Embed,
    /// The alias of the embed.
    SpreadRow(&'p Arc<str>),
    SpreadArrays,
}

impl Kind<'_> {
    fn is_spread(self) -> bool {
        matches!(self, Self::SpreadRow(_) | Self::SpreadArrays)
    }
}

impl Builder<'_> {
    /// The tree of a read whose rows come from `source` and are those of `relation`.
    pub(crate) fn root(
        &mut self,
        draft: &Draft<'_>,
        relation: &QualifiedName,
        source: Source,
    ) -> Result<ReadNode, PlanError> {
        let place = Place {
            kind: Kind::Root,
            grouped: false,
        };
        let (node, _) = self.node(draft, relation, source, Vec::new(), place)?;
        Ok(node)
    }

    fn node(
        &mut self,
        draft: &Draft<'_>,
        relation: &QualifiedName,
        source: Source,
        joins: Vec<JoinCondition>,
        place: Place<'_>,
    ) -> Result<(ReadNode, Vec<Lifted>), PlanError> {
        if !self.settings.aggregates_enabled && draft.select.iter().any(|f| f.aggregate.is_some()) {
            return Err(PlanError::AggregatesNotAllowed);
        }
        let scope = Scope {
            catalog: self.catalog,
            table: self.catalog.table(relation),
        };
        let grouped = place.grouped
            || matches!(place.kind, Kind::SpreadArrays)
            || draft.select.iter().any(|field| field.aggregate.is_some());
        let select = self.select(draft, scope, Place { grouped, ..place });
        let qualifier = source.qualifier();

        let mut embeds = Vec::with_capacity(draft.children.len());
        let mut lifted = Vec::new();
        for child in &draft.children {
            let (embed, child_lifted) = self.embed(child, relation, &qualifier, grouped)?;
            embeds.push(embed);
            lifted.extend(child_lifted);
        }

        let mut node = ReadNode {
            source,
            select,
            filters: conditions(draft, scope, &embeds),
            order: orders(draft, scope, relation, &embeds)?,
            embeds,
            joins,
            range: self.capped(draft.range),
        };
        let lifted = if let Kind::SpreadRow(alias) = place.kind {
            let mut own = spread::lift(alias, &mut node.select);
            own.extend(spread::pass_on(alias, lifted));
            own
        } else {
            spread::settle(&mut node.embeds, &lifted);
            Vec::new()
        };
        Ok((node, lifted))
    }

    fn embed(
        &mut self,
        draft: &Draft<'_>,
        parent: &QualifiedName,
        parent_qualifier: &Qualifier,
        grouped: bool,
    ) -> Result<(Embed, Vec<Lifted>), PlanError> {
        let found = relationship(self.catalog, parent, self.schema, draft.name, draft.hint)?;
        let found = Arc::clone(found);
        let target = found.target();
        let alias = self.alias(draft.shown_name());
        let (source, joins) = self.source(&found, parent_qualifier);
        let kind = match (draft.spread, found.is_to_one()) {
            (false, _) => Kind::Embed,
            (true, true) => Kind::SpreadRow(&alias),
            (true, false) => Kind::SpreadArrays,
        };
        let (mut node, lifted) =
            self.node(draft, target, source, joins, Place { kind, grouped })?;
        let shape = match kind {
            Kind::SpreadRow(_) => EmbedShape::SpreadRow(spread::columns(&node)),
            Kind::SpreadArrays => EmbedShape::SpreadArrays {
                columns: spread::columns(&node),
                keys: spread::order_keys(&mut node, || self.alias("order"))?,
            },
            Kind::Root | Kind::Embed if found.is_to_one() => EmbedShape::Object {
                hidden: draft.is_empty(),
            },
            Kind::Root | Kind::Embed => EmbedShape::Array {
                hidden: draft.is_empty(),
            },
        };
        let embed = Embed {
            name: draft.shown_name().to_owned(),
            inner: draft.join == Some(JoinType::Inner),
            shape,
            node,
            alias,
        };
        Ok((embed, lifted))
    }

    /// Where the rows of an embed come from, and how they are tied to the parent's.
    fn source(
        &mut self,
        relationship: &Relationship,
        parent: &Qualifier,
    ) -> (Source, Vec<JoinCondition>) {
        let target = relationship.target();
        let alias = self.alias(&target.name);
        let joined = |left: &Qualifier, right: &Arc<str>, columns: &[ColumnPair]| JoinCondition {
            left: left.clone(),
            right: Qualifier::Alias(Arc::clone(right)),
            columns: columns.into(),
        };
        let key = match relationship {
            Relationship::Computed(computed) => {
                let source = Source::Computed {
                    function: computed.function.clone(),
                    parent: parent.clone(),
                    parent_type: computed.origin.clone(),
                    alias,
                };
                return (source, Vec::new());
            }
            Relationship::Key(key) => key,
        };
        let (junction, joins) = match &key.cardinality {
            Cardinality::OneToMany(fk)
            | Cardinality::ManyToOne(fk)
            | Cardinality::OneToOne { key: fk, .. } => {
                (None, vec![joined(parent, &alias, &fk.columns)])
            }
            Cardinality::ManyToMany(junction) => {
                let middle = self.alias(&junction.table.name);
                let own = Qualifier::Alias(Arc::clone(&alias));
                let joins = vec![
                    joined(&own, &middle, &junction.target_columns),
                    joined(parent, &middle, &junction.origin_columns),
                ];
                (Some((junction.table.clone(), middle)), joins)
            }
        };
        (
            Source::Relation {
                name: target.clone(),
                alias: Some(alias),
                junction,
            },
            joins,
        )
    }

    fn select(&self, draft: &Draft<'_>, scope: Scope<'_>, place: Place<'_>) -> Vec<SelectColumn> {
        let spread = place.kind.is_spread();
        let readable = if self.settings.expand_star {
            scope
                .table
                .and_then(|table| table.readable_by(self.role))
                .map(Iterator::collect)
        } else {
            None
        };
        let readable: Option<Vec<_>> = readable.filter(|columns: &Vec<_>| !columns.is_empty());
        let write_out = readable.is_some() || place.grouped || scope.has_representations();
        let star = || -> Option<Vec<SelectColumn>> {
            let table = scope.table.filter(|_| write_out)?;
            Some(match &readable {
                Some(columns) => columns.iter().map(|c| scope.whole_column(c)).collect(),
                None => table
                    .columns
                    .iter()
                    .map(|c| scope.whole_column(c))
                    .collect(),
            })
        };
        // Nothing selected and nothing embedded means all columns to the statement.
        if draft.select.is_empty() && draft.children.is_empty() && readable.is_some() {
            return star().unwrap_or_default();
        }
        let mut columns = Vec::with_capacity(draft.select.len());
        for item in &draft.select {
            let is_star = item.field.name == "*" && item.field.json_path.is_empty();
            match item.aggregate {
                None if is_star && let Some(all) = star() => columns.extend(all),
                Some(AggregateFunction::Count) if is_star && spread => {
                    let mut column = select_column(scope, item, spread);
                    column.field.column = ColumnRef::WholeRow;
                    columns.push(column);
                }
                _ => columns.push(select_column(scope, item, spread)),
            }
        }
        columns
    }

    fn capped(&self, range: RowRange) -> RowRange {
        let limit = match (range.limit, self.max_rows) {
            (Some(limit), Some(max)) => Some(limit.min(max)),
            (limit, max) => limit.or(max),
        };
        RowRange { limit, ..range }
    }

    /// An alias that no other has: `name_7`, cut so that PostgreSQL does not cut it.
    fn alias(&mut self, name: &str) -> Arc<str> {
        self.aliases += 1;
        let suffix = format!("_{}", self.aliases);
        let end = name.floor_char_boundary(MAX_IDENTIFIER_BYTES - suffix.len());
        Arc::from([&name[..end], &suffix].concat())
    }
}

fn conditions(draft: &Draft<'_>, scope: Scope<'_>, embeds: &[Embed]) -> Vec<Condition> {
    let filters = draft
        .filters
        .iter()
        .map(|filter| condition(filter, scope, embeds));
    let logic = draft
        .logic
        .iter()
        .map(|tree| logic_condition(tree, scope, embeds));
    filters.chain(logic).collect()
}

pub(crate) fn logic_condition(tree: &LogicTree, scope: Scope<'_>, embeds: &[Embed]) -> Condition {
    match tree {
        LogicTree::Leaf(filter) => condition(filter, scope, embeds),
        LogicTree::Branch {
            negated,
            operator,
            members,
        } => Condition::Branch {
            negated: *negated,
            operator: *operator,
            members: members
                .iter()
                .map(|m| logic_condition(m, scope, embeds))
                .collect(),
        },
    }
}

fn condition(filter: &Filter, scope: Scope<'_>, embeds: &[Embed]) -> Condition {
    if matches!(filter.operation, Operation::Is(IsValue::Null))
        && filter.field.json_path.is_empty()
        && let Some(embed) = embeds.iter().find(|embed| embed.name == filter.field.name)
    {
        let embed = Arc::clone(&embed.alias);
        return Condition::EmbedIsNull {
            embed,
            negated: filter.negated,
        };
    }
    scope.condition(filter)
}

fn orders(
    draft: &Draft<'_>,
    scope: Scope<'_>,
    relation: &QualifiedName,
    embeds: &[Embed],
) -> Result<Vec<OrderBy>, PlanError> {
    draft
        .order
        .iter()
        .map(|term| order(term, scope, relation, embeds))
        .collect()
}

fn order(
    term: &OrderTerm,
    scope: Scope<'_>,
    relation: &QualifiedName,
    embeds: &[Embed],
) -> Result<OrderBy, PlanError> {
    let OrderTerm {
        relation: related,
        field,
        direction,
        nulls,
    } = term;
    let (embed, field) = match related {
        None => (None, scope.plain(field)),
        Some(target) => {
            let embed = related_embed(target, relation, embeds)?;
            let unknown = Scope {
                table: None,
                ..scope
            };
            let mut field = unknown.plain(field);
            // The embed's rows hold its columns as they are selected, of types not known here.
            field.to_json = false;
            (Some(Arc::clone(&embed.alias)), field)
        }
    };
    Ok(OrderBy {
        embed,
        field,
        direction: *direction,
        nulls: *nulls,
    })
}

fn related_embed<'e>(
    target: &str,
    relation: &QualifiedName,
    embeds: &'e [Embed],
) -> Result<&'e Embed, PlanError> {
    let Some(embed) = embeds.iter().find(|embed| embed.name == target) else {
        return Err(PlanError::NotEmbedded {
            target: target.to_owned(),
            legacy: None,
        });
    };
    match embed.shape {
        EmbedShape::Object { .. } | EmbedShape::SpreadRow(_) => Ok(embed),
        EmbedShape::Array { .. } | EmbedShape::SpreadArrays { .. } => {
            Err(PlanError::RelatedOrderNotToOne {
                origin: relation.name.to_string(),
                target: target.to_owned(),
            })
        }
    }
}
