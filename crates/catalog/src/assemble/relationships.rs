//! Relationships from edges: both directions, junctions, functions that override, and the order.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::edges::{Edge, edges};
use super::names::ColumnNames;
use super::views::ViewKeys;
use crate::by_name::ByName;
use crate::raw::{AttributeNumber, Oid, RawCatalog, RawForeignKey, RawRelation};
use crate::{
    Cardinality, ColumnPair, ForeignKey, Junction, KeyRelationship, QualifiedName, Relationship,
};

/// Relationships by origin, in the order in which PostgREST lists candidates.
pub(super) fn infer(
    raw: &RawCatalog,
    names: &ColumnNames,
    views: &ViewKeys<'_>,
    primary_keys: &HashMap<Oid, Box<[Arc<str>]>>,
) -> ByName<Vec<Arc<Relationship>>> {
    let mut inference = Inference::new(raw);
    let edges = edges(raw, names, views);
    for edge in &edges {
        inference.add_edge(edge);
    }
    inference.add_junctions(&edges, primary_keys);
    inference.note_hidden_junctions(views);
    inference.add_computed();
    for relationships in inference.found.values_mut() {
        relationships.sort_by(|left, right| order(left, right));
        relationships.shrink_to_fit();
    }
    inference.found
}

struct Inference<'a> {
    raw: &'a RawCatalog,
    relations: HashMap<Oid, &'a RawRelation>,
    /// Origins and names of functions that stand in place of what keys say.
    overridden: HashSet<(&'a QualifiedName, &'a QualifiedName)>,
    found: ByName<Vec<Arc<Relationship>>>,
}

impl<'a> Inference<'a> {
    fn new(raw: &'a RawCatalog) -> Self {
        Self {
            raw,
            relations: raw
                .relations
                .iter()
                .map(|relation| (relation.oid, relation))
                .collect(),
            overridden: raw
                .computed_relationships
                .iter()
                .map(|computed| (&computed.origin, &computed.function))
                .collect(),
            found: ByName::default(),
        }
    }

    /// Adds a relationship by keys, unless a function of the target's name overrides it.
    fn add_key(&mut self, origin: Oid, target: Oid, is_self: bool, cardinality: Cardinality) {
        let (Some(origin), Some(target)) = (
            self.relations.get(&origin).copied(),
            self.relations.get(&target).copied(),
        ) else {
            return;
        };
        if self.overridden.contains(&(&origin.name, &target.name)) {
            return;
        }
        let relationship = Relationship::Key(KeyRelationship {
            origin: origin.name.clone(),
            target: target.name.clone(),
            is_self,
            cardinality,
            origin_is_view: origin.is_view,
            target_is_view: target.is_view,
        });
        self.found
            .entry_or_default(&origin.name)
            .push(Arc::new(relationship));
    }

    /// Both directions of a foreign key.
    fn add_edge(&mut self, edge: &Edge<'_>) {
        let key = |columns| ForeignKey {
            constraint: Arc::clone(&edge.key.constraint),
            columns,
        };
        let forward = key(edge.columns.clone());
        let backward = key(swapped(&edge.columns));
        let (forward, backward) = if edge.one_to_one {
            (
                Cardinality::OneToOne {
                    key: forward,
                    is_parent: false,
                },
                Cardinality::OneToOne {
                    key: backward,
                    is_parent: true,
                },
            )
        } else {
            (
                Cardinality::ManyToOne(forward),
                Cardinality::OneToMany(backward),
            )
        };
        self.add_key(edge.origin, edge.target, edge.is_self, forward);
        self.add_key(edge.target, edge.origin, edge.is_self, backward);
    }

    /// Pairs of foreign keys that are part of the primary key of the relation that has them.
    fn add_junctions(&mut self, edges: &[Edge<'_>], primary_keys: &HashMap<Oid, Box<[Arc<str>]>>) {
        let mut by_junction: HashMap<Oid, Vec<&Edge<'_>>> = HashMap::new();
        for edge in edges.iter().filter(|edge| !edge.one_to_one) {
            let in_primary_key = primary_keys.get(&edge.origin).is_some_and(|primary_key| {
                edge.columns
                    .iter()
                    .all(|(column, _)| primary_key.contains(column))
            });
            if in_primary_key {
                by_junction.entry(edge.origin).or_default().push(edge);
            }
        }
        for (junction, edges) in by_junction {
            let Some(table) = self
                .relations
                .get(&junction)
                .map(|relation| relation.name.clone())
            else {
                continue;
            };
            for left in &edges {
                for right in &edges {
                    if left.key.constraint != right.key.constraint {
                        self.add_junction(&table, left, right);
                    }
                }
            }
        }
    }

    fn add_junction(&mut self, table: &QualifiedName, left: &Edge<'_>, right: &Edge<'_>) {
        let junction = Junction {
            table: table.clone(),
            origin_constraint: Arc::clone(&left.key.constraint),
            target_constraint: Arc::clone(&right.key.constraint),
            origin_columns: swapped(&left.columns),
            target_columns: swapped(&right.columns),
        };
        let is_self = left.target == right.target;
        self.add_key(
            left.target,
            right.target,
            is_self,
            Cardinality::ManyToMany(junction),
        );
    }

    /// Notes the relations that only a junction of a hidden schema relates. They have no
    /// relationship by it, but are not taken for misspelt either.
    fn note_hidden_junctions(&mut self, views: &ViewKeys<'_>) {
        let raw = self.raw;
        let primary_keys: HashMap<Oid, &[AttributeNumber]> = raw
            .keys
            .iter()
            .filter(|key| key.is_primary && !self.relations.contains_key(&key.relation))
            .map(|key| (key.relation, &*key.columns))
            .collect();
        let mut junctions: HashMap<Oid, Vec<&RawForeignKey>> = HashMap::new();
        for key in &raw.foreign_keys {
            if let Some(columns) = primary_keys.get(&key.origin)
                && key
                    .origin_columns
                    .iter()
                    .all(|column| columns.contains(column))
            {
                junctions.entry(key.origin).or_default().push(key);
            }
        }
        for keys in junctions.into_values().filter(|keys| keys.len() > 1) {
            for key in keys {
                let sides = views.sides(key.target, &key.target_columns);
                let targets = sides.iter().map(|side| side.view).chain([key.target]);
                for target in targets.filter_map(|oid| self.relations.get(&oid).copied()) {
                    self.found.entry_or_default(&target.name);
                }
            }
        }
    }

    fn add_computed(&mut self) {
        let schemas: HashSet<&str> = self.raw.schemas.iter().map(|schema| &**schema).collect();
        for computed in &self.raw.computed_relationships {
            if schemas.contains(&*computed.origin.schema)
                && schemas.contains(&*computed.target.schema)
            {
                self.found
                    .entry_or_default(&computed.origin)
                    .push(Arc::new(Relationship::Computed(computed.clone())));
            }
        }
    }
}

fn swapped(pairs: &[ColumnPair]) -> Box<[ColumnPair]> {
    pairs
        .iter()
        .map(|(left, right)| (Arc::clone(right), Arc::clone(left)))
        .collect()
}

/// PostgREST's order of candidates: by target, then cardinality, constraint and columns; functions
/// last.
fn order(left: &Relationship, right: &Relationship) -> Ordering {
    match (left, right) {
        (Relationship::Key(left), Relationship::Key(right)) => left
            .target
            .cmp(&right.target)
            .then_with(|| left.is_self.cmp(&right.is_self))
            .then_with(|| cardinality_order(&left.cardinality, &right.cardinality))
            .then_with(|| left.origin_is_view.cmp(&right.origin_is_view))
            .then_with(|| left.target_is_view.cmp(&right.target_is_view)),
        (Relationship::Computed(left), Relationship::Computed(right)) => {
            (&left.function, &left.target).cmp(&(&right.function, &right.target))
        }
        (Relationship::Key(_), Relationship::Computed(_)) => Ordering::Less,
        (Relationship::Computed(_), Relationship::Key(_)) => Ordering::Greater,
    }
}

fn cardinality_order(left: &Cardinality, right: &Cardinality) -> Ordering {
    rank(left)
        .cmp(&rank(right))
        .then_with(|| match (left, right) {
            (Cardinality::OneToMany(left), Cardinality::OneToMany(right))
            | (Cardinality::ManyToOne(left), Cardinality::ManyToOne(right)) => {
                key_order(left).cmp(&key_order(right))
            }
            (
                Cardinality::OneToOne {
                    key: left,
                    is_parent: left_parent,
                },
                Cardinality::OneToOne {
                    key: right,
                    is_parent: right_parent,
                },
            ) => (key_order(left), left_parent).cmp(&(key_order(right), right_parent)),
            (Cardinality::ManyToMany(left), Cardinality::ManyToMany(right)) => {
                junction_order(left).cmp(&junction_order(right))
            }
            _ => Ordering::Equal,
        })
}

fn rank(cardinality: &Cardinality) -> u8 {
    match cardinality {
        Cardinality::OneToMany(_) => 0,
        Cardinality::ManyToOne(_) => 1,
        Cardinality::OneToOne { .. } => 2,
        Cardinality::ManyToMany(_) => 3,
    }
}

fn key_order(key: &ForeignKey) -> (&str, &[ColumnPair]) {
    (&key.constraint, &key.columns)
}

fn junction_order(
    junction: &Junction,
) -> (&QualifiedName, &str, &str, &[ColumnPair], &[ColumnPair]) {
    (
        &junction.table,
        &junction.origin_constraint,
        &junction.target_constraint,
        &junction.origin_columns,
        &junction.target_columns,
    )
}
