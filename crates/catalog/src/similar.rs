//! What a caller may have meant who asked for something that is not there.

use crate::{Catalog, Relationship, fuzzy};

/// Tables in a schema from which on none is suggested, as in PostgREST.
const MAX_TABLES: usize = 500;

/// Names that are compared at most for other suggestions.
const MAX_CANDIDATES: usize = 2_000;

/// Score of a suggestion that may reveal names.
const STRICT: f64 = 0.75;

/// Score of a suggestion among names that the caller is entitled to.
const LENIENT: f64 = 0.33;

impl Catalog {
    /// Name of a relation of `schema` that is similar to `name`, for PGRST205.
    ///
    /// Schemas of 500 relations and more give none.
    pub fn similar_table(&self, schema: &str, name: &str) -> Option<String> {
        if self.tables.len_in_schema(schema) >= MAX_TABLES {
            return None;
        }
        let mut names: Vec<&str> = self
            .tables
            .in_schema(schema)
            .map(|(name, _)| &**name)
            .collect();
        names.sort_unstable();
        fuzzy::best(&names, name, STRICT).map(|(_, name)| name.to_owned())
    }

    /// Name of a relation that `origin` can embed and that is similar to `target`, for PGRST200.
    ///
    /// None when `target` is one of them, since then the embed's hint must be wrong, and none
    /// when `origin` can embed nothing: see [`Self::similar_origin`].
    pub fn similar_relation_target(
        &self,
        origin: &str,
        schema: &str,
        target: &str,
    ) -> Option<String> {
        let mut names: Vec<&str> = self
            .relationships
            .get(schema, origin)?
            .iter()
            .filter(|relationship| relationship.search_schema() == schema)
            .map(|relationship| &*relationship.target().name)
            .take(MAX_CANDIDATES)
            .collect();
        names.dedup();
        fuzzy::best(&names, target, LENIENT)
            .filter(|(score, _)| *score < 1.0)
            .map(|(_, name)| name.to_owned())
    }

    /// Name of a relation with relationships that is similar to `origin`, for PGRST200, when
    /// `origin` itself has none, not even by hidden junctions.
    pub fn similar_origin(&self, origin: &str, schema: &str) -> Option<String> {
        let leads_here = |relationships: &[std::sync::Arc<Relationship>]| {
            relationships
                .iter()
                .any(|relationship| relationship.search_schema() == schema)
        };
        if self
            .relationships
            .get(schema, origin)
            .is_some_and(|own| own.is_empty() || leads_here(own))
        {
            return None;
        }
        let mut names: Vec<&str> = self
            .schemas
            .iter()
            .flat_map(|origin_schema| self.relationships.in_schema(origin_schema))
            .filter(|(_, relationships)| leads_here(relationships))
            .map(|(name, _)| &**name)
            .take(MAX_CANDIDATES)
            .collect();
        names.sort_unstable();
        fuzzy::best(&names, origin, LENIENT).map(|(_, name)| name.to_owned())
    }

    /// A function of `schema` that is similar to the one called, for PGRST202: its name, or, when
    /// only the arguments fit no function of that name, its name and parameters.
    pub fn similar_routine(&self, schema: &str, name: &str, arguments: &[&str]) -> Option<String> {
        let Some(overloads) = self.routines.get(schema, name) else {
            let mut names: Vec<&str> = self
                .routines
                .in_schema(schema)
                .map(|(name, _)| &**name)
                .take(MAX_CANDIDATES)
                .collect();
            names.sort_unstable();
            return fuzzy::best(&names, name, STRICT).map(|(_, name)| name.to_owned());
        };
        let signatures: Vec<String> = overloads
            .iter()
            .map(|routine| {
                signature(
                    routine
                        .parameters
                        .iter()
                        .map(|parameter| &*parameter.name)
                        .collect(),
                )
            })
            .collect();
        let candidates: Vec<&str> = signatures.iter().map(String::as_str).collect();
        fuzzy::best(&candidates, &signature(arguments.to_vec()), LENIENT)
            .map(|(_, signature)| format!("{name}{signature}"))
    }
}

/// Parameter names in alphabetical order, between parentheses.
fn signature(mut names: Vec<&str>) -> String {
    names.sort_unstable();
    format!("({})", names.join(", "))
}
