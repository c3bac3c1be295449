//! Which tables a read looks at, policies, views and functions included, as far as it can be proven.
//!
//! A function whose body PostgreSQL keeps as text can read anything; what it reads has to be
//! declared ([`ReadDeclarations`]). One with an SQL-standard body (`return …`, `begin atomic`) is
//! looked into.

mod builtin;
mod closure;
mod follow;
mod load;
mod tree;

use std::collections::{BTreeSet, HashMap, HashSet};

use passerelle_catalog::QualifiedName;
use thiserror::Error;
use tokio_postgres::{Client, Error};

use self::closure::Graph;
pub use self::follow::{FollowError, ToFollow, follow};

/// What functions read that cannot be looked into, by function.
pub type ReadDeclarations = HashMap<QualifiedName, DeclaredReads>;

/// What a function reads, as somebody has declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredReads {
    /// Relations.
    pub relations: Vec<QualifiedName>,
    /// The result also depends on the time.
    pub time: bool,
    /// Settings, by name.
    pub settings: Vec<String>,
}

/// What is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Tables, by object identifier: all that can change the rows. Parents and children of
    /// partitioned and inheriting tables are among them.
    pub tables: BTreeSet<u32>,
    /// The rows also depend on the time.
    pub time: bool,
    /// Settings that are read, by name; an empty name where it is computed.
    pub settings: BTreeSet<String>,
}

/// Why it cannot be said what is read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unproven {
    /// A function that cannot be looked into.
    #[error("what {0}() reads is not declared")]
    Function(QualifiedName),
    /// A table whose changes are not followed.
    #[error("changes of {0} are not followed")]
    NotFollowed(QualifiedName),
    /// A foreign table: what it shows changes elsewhere.
    #[error("{0} is a foreign table")]
    Foreign(QualifiedName),
    /// Values of a sequence are taken.
    #[error("values of a sequence are taken")]
    Sequence,
    /// Something that is not known, or no more.
    #[error("a relation or function is not known")]
    Missing,
    /// Changes of definitions are not told.
    #[error("changes of definitions are not told: the event triggers are missing")]
    NotWatched,
}

/// Knows what is read, as of when it was loaded.
#[derive(Debug)]
pub struct ReadSets {
    graph: Graph,
    relations: HashMap<QualifiedName, u32>,
    /// Overloads of a name.
    functions: HashMap<QualifiedName, Vec<u32>>,
    /// Tables whose writes change nothing else that is followed.
    quiet: HashSet<u32>,
    watched: bool,
    defers_triggers: bool,
}

impl ReadSets {
    /// Loads them.
    ///
    /// # Errors
    /// When PostgreSQL or the connection fails.
    pub async fn load(client: &mut Client, declared: &ReadDeclarations) -> Result<Self, Error> {
        load::load(client, declared).await
    }

    /// What reading a relation as a role reads.
    ///
    /// # Errors
    /// [`Unproven`]
    pub fn relation(&self, name: &QualifiedName, role: &str) -> Result<Reads, Unproven> {
        self.check()?;
        let oid = self.relations.get(name).ok_or(Unproven::Missing)?;
        self.graph.relation(*oid, Some(role))
    }

    /// What reading a relation reads if the policies of all roles hold.
    ///
    /// # Errors
    /// [`Unproven`]
    pub fn relation_for_anybody(&self, name: &QualifiedName) -> Result<Reads, Unproven> {
        self.check()?;
        let oid = self.relations.get(name).ok_or(Unproven::Missing)?;
        self.graph.relation(*oid, None)
    }

    /// What calling a function reads, whichever of its overloads.
    ///
    /// # Errors
    /// [`Unproven`]
    pub fn function(&self, name: &QualifiedName) -> Result<Reads, Unproven> {
        self.check()?;
        let overloads = self.functions.get(name).ok_or(Unproven::Missing)?;
        let mut all = Reads::default();
        for overload in overloads {
            let reads = self.graph.function(*overload)?;
            all.tables.extend(reads.tables);
            all.settings.extend(reads.settings);
            all.time |= reads.time;
        }
        Ok(all)
    }

    /// Tables that have to be followed for a relation to be read from a cache, whoever asks; as
    /// many of them as can be told.
    pub fn to_follow(&self, name: &QualifiedName) -> BTreeSet<u32> {
        let roots = self.relations.get(name).copied();
        self.graph.tables_behind(roots)
    }

    /// As [`Self::to_follow`], of a function.
    pub fn to_follow_of_function(&self, name: &QualifiedName) -> BTreeSet<u32> {
        self.graph.tables_behind_functions(self.functions.get(name))
    }

    /// Name of a table.
    pub fn table_name(&self, oid: u32) -> Option<&QualifiedName> {
        self.graph
            .relations
            .get(&oid)
            .map(|relation| &relation.name)
    }

    /// Tables that are followed now.
    pub fn followed(&self) -> impl Iterator<Item = u32> {
        let followed = self.graph.relations.iter();
        followed
            .filter(|(_, relation)| relation.followed)
            .map(|(oid, _)| *oid)
    }

    /// Whether a write to a table, as it is defined, changes nothing that is followed: nobody
    /// follows it, and no trigger, rule, cascade or function of a user runs.
    pub fn is_quiet(&self, name: &QualifiedName) -> bool {
        let oid = self.relations.get(name);
        self.watched && oid.is_some_and(|oid| self.quiet.contains(oid))
    }

    /// Whether there are triggers of users that may run at the end of a transaction.
    pub fn defers_triggers(&self) -> bool {
        self.defers_triggers
    }

    fn check(&self) -> Result<(), Unproven> {
        if self.watched {
            Ok(())
        } else {
            Err(Unproven::NotWatched)
        }
    }
}
