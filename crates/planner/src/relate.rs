//! Finds the relationship an embed means.
//!
//! The rules are `PostgREST`'s (resource embedding, "foreign key joins" and "hint disambiguation").

use std::sync::Arc;

use passerelle_catalog::{
    Cardinality, Catalog, ForeignKey, KeyRelationship, QualifiedName, Relationship,
};

use crate::PlanError;

/// The one relationship from `origin` that `target` and `hint` mean.
///
/// # Errors
/// [`PlanError::NoRelationship`] and [`PlanError::AmbiguousRelationship`].
pub(crate) fn relationship<'c>(
    catalog: &'c Catalog,
    origin: &QualifiedName,
    schema: &'c str,
    target: &str,
    hint: Option<&str>,
) -> Result<&'c Arc<Relationship>, PlanError> {
    let mut fitting = catalog
        .relationships(origin, schema)
        .filter(|relationship| fits(relationship, target, hint));
    let Some(first) = fitting.next() else {
        return Err(PlanError::NoRelationship {
            schema: schema.to_owned(),
            origin: origin.name.to_string(),
            target: target.to_owned(),
            hint: hint.map(str::to_owned),
            similar: similar(catalog, &origin.name, schema, target).map(Box::new),
        });
    };
    let mut candidates: Vec<_> = fitting.map(Arc::clone).collect();
    if candidates.is_empty() {
        return Ok(first);
    }
    candidates.insert(0, Arc::clone(first));
    Err(PlanError::AmbiguousRelationship {
        origin: origin.name.to_string(),
        target: target.to_owned(),
        candidates,
    })
}

/// What may have been meant, and instead of which name of the request.
fn similar(
    catalog: &Catalog,
    origin: &str,
    schema: &str,
    target: &str,
) -> Option<(String, String)> {
    if let Some(meant) = catalog.similar_relation_target(origin, schema, target) {
        return Some((meant, target.to_owned()));
    }
    let meant = catalog.similar_origin(origin, schema)?;
    Some((meant, origin.to_owned()))
}

fn fits(relationship: &Relationship, target: &str, hint: Option<&str>) -> bool {
    match relationship {
        Relationship::Computed(computed) => &*computed.function.name == target,
        Relationship::Key(key) if key.is_self => fits_self(key, target, hint),
        Relationship::Key(key) => fits_other(key, target, hint),
    }
}

/// A self-reference is one key and two relationships: the relation's name means the rows that
/// point here, the column's name means the row that is pointed to.
fn fits_self(key: &KeyRelationship, target: &str, hint: Option<&str>) -> bool {
    let names_relation = &*key.target.name == target;
    match (&key.cardinality, hint) {
        (Cardinality::OneToMany(_), None) => names_relation,
        (Cardinality::OneToMany(fk), Some(hint)) => names_relation && is_target_column(fk, hint),
        (Cardinality::ManyToOne(fk), None) => is_origin_column(fk, target),
        _ => false,
    }
}

fn fits_other(key: &KeyRelationship, target: &str, hint: Option<&str>) -> bool {
    let names_relation = &*key.target.name == target;
    match (hint, foreign_key(&key.cardinality)) {
        (None, Some(fk)) => {
            names_relation
                || (!key.target_is_view
                    && (&*fk.constraint == target || is_origin_column(fk, target)))
        }
        (None, None) => names_relation,
        (Some(hint), Some(fk)) => {
            names_relation
                && (&*fk.constraint == hint
                    || is_origin_column(fk, hint)
                    || is_target_column(fk, hint))
        }
        (Some(hint), None) => {
            names_relation
                && matches!(&key.cardinality,
                    Cardinality::ManyToMany(junction) if &*junction.table.name == hint)
        }
    }
}

fn foreign_key(cardinality: &Cardinality) -> Option<&ForeignKey> {
    match cardinality {
        Cardinality::OneToMany(key)
        | Cardinality::ManyToOne(key)
        | Cardinality::OneToOne { key, .. } => Some(key),
        Cardinality::ManyToMany(_) => None,
    }
}

fn is_origin_column(key: &ForeignKey, name: &str) -> bool {
    matches!(&*key.columns, [(column, _)] if &**column == name)
}

fn is_target_column(key: &ForeignKey, name: &str) -> bool {
    matches!(&*key.columns, [(_, column)] if &**column == name)
}
