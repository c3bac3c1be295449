//! Which relations and functions a document describes, in a stable order.

use std::collections::HashSet;

use passerelle_catalog::{Oid, QualifiedName, Routine, Table};

use crate::Description;

/// Which relations of the schema are described.
#[derive(Clone, Copy, Debug)]
pub enum TableChoice<'a> {
    /// All of them.
    All,
    /// Those that the role has a privilege on.
    Only(&'a HashSet<QualifiedName>),
}

/// Which functions of the schema are described.
#[derive(Clone, Copy, Debug)]
pub enum RoutineChoice<'a> {
    /// All of them.
    All,
    /// Those that the role may execute, by object identifier.
    Only(&'a HashSet<Oid>),
}

impl<'a> Description<'a> {
    /// The relations to describe, by name.
    pub(crate) fn chosen_tables(&self) -> Vec<&'a Table> {
        let mut tables: Vec<&Table> = self
            .catalog
            .tables()
            .filter(|table| self.shows_table(&table.name))
            .collect();
        tables.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        tables
    }

    /// Whether the relation is described.
    pub(crate) fn shows_table(&self, name: &QualifiedName) -> bool {
        *name.schema == *self.schema
            && match self.tables {
                TableChoice::All => true,
                TableChoice::Only(names) => names.contains(name),
            }
    }

    /// The functions to describe, by name; overloads in the catalogue's order, one list for each
    /// name.
    pub(crate) fn chosen_routines(&self) -> Vec<Vec<&'a Routine>> {
        let mut routines: Vec<&Routine> = self
            .catalog
            .all_routines()
            .filter(|routine| *routine.name.schema == *self.schema)
            .filter(|routine| match self.routines {
                RoutineChoice::All => true,
                RoutineChoice::Only(oids) => oids.contains(&routine.oid),
            })
            .collect();
        routines.sort_by(|left, right| left.name.cmp(&right.name));
        routines
            .chunk_by(|left, right| left.name == right.name)
            .map(<[&Routine]>::to_vec)
            .collect()
    }
}
