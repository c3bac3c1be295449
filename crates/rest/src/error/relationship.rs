//! What is said of relationships between which a request did not choose (PGRST201).

use std::sync::Arc;

use passerelle_catalog::{Cardinality, ForeignKey, Junction, KeyRelationship, Relationship};
use passerelle_surface::json;

/// The `details`: an array of one object per candidate.
pub(super) fn details(candidates: &[Arc<Relationship>]) -> String {
    let mut out = String::from("[");
    for relationship in candidates {
        if out.len() > 1 {
            out.push(',');
        }
        match &**relationship {
            Relationship::Key(key) => push_key(&mut out, key),
            // A function is never ambiguous: its name chose it.
            Relationship::Computed(_) => out.push_str("{}"),
        }
    }
    out.push(']');
    out
}

/// The `hint`: how each candidate would be asked for.
pub(super) fn hint(target: &str, candidates: &[Arc<Relationship>]) -> String {
    let choices: Vec<String> = candidates
        .iter()
        .map(|candidate| choice(candidate))
        .collect();
    format!(
        "Try changing '{target}' to one of the following: {}. Find the desired relationship in \
         the 'details' key.",
        choices.join(", ")
    )
}

fn choice(relationship: &Relationship) -> String {
    let Relationship::Key(key) = relationship else {
        return String::new();
    };
    let hint = match &key.cardinality {
        Cardinality::ManyToMany(junction) => &junction.table.name,
        Cardinality::OneToMany(foreign_key)
        | Cardinality::ManyToOne(foreign_key)
        | Cardinality::OneToOne {
            key: foreign_key, ..
        } => &foreign_key.constraint,
    };
    format!("'{}!{hint}'", key.target.name)
}

fn push_key(out: &mut String, key: &KeyRelationship) {
    let (cardinality, relationship) = match &key.cardinality {
        Cardinality::OneToMany(foreign_key) => ("one-to-many", through_key(key, foreign_key)),
        Cardinality::ManyToOne(foreign_key) => ("many-to-one", through_key(key, foreign_key)),
        Cardinality::OneToOne {
            key: foreign_key, ..
        } => ("one-to-one", through_key(key, foreign_key)),
        Cardinality::ManyToMany(junction) => ("many-to-many", through_junction(junction)),
    };
    out.push_str("{\"cardinality\":");
    json::push_string(out, cardinality);
    out.push_str(",\"embedding\":");
    json::push_string(
        out,
        &format!("{} with {}", key.origin.name, key.target.name),
    );
    out.push_str(",\"relationship\":");
    json::push_string(out, &relationship);
    out.push('}');
}

fn through_key(key: &KeyRelationship, foreign_key: &ForeignKey) -> String {
    format!(
        "{} using {}({}) and {}({})",
        foreign_key.constraint,
        key.origin.name,
        list(foreign_key.columns.iter().map(|(origin, _)| &**origin)),
        key.target.name,
        list(foreign_key.columns.iter().map(|(_, target)| &**target)),
    )
}

fn through_junction(junction: &Junction) -> String {
    format!(
        "{} using {}({}) and {}({})",
        junction.table.name,
        junction.origin_constraint,
        list(junction.origin_columns.iter().map(|(_, column)| &**column)),
        junction.target_constraint,
        list(junction.target_columns.iter().map(|(_, column)| &**column)),
    )
}

fn list<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    columns.collect::<Vec<_>>().join(", ")
}
