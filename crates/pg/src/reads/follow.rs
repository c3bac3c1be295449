//! Makes the writes known of all tables that are looked at by what is to be kept.

use std::collections::BTreeSet;

use passerelle_catalog::QualifiedName;
use thiserror::Error;
use tokio_postgres::Client;

use super::{ReadDeclarations, ReadSets};
use crate::feed::Counters;

const FOLLOW: &str = "select passerelle.follow($1::pg_catalog.oid::pg_catalog.regclass, $2)";
const UNFOLLOW: &str = "select passerelle.unfollow($1::pg_catalog.oid::pg_catalog.regclass)";

/// What is to be kept, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct ToFollow<'a> {
    /// Tables and views, and those that are embedded in them.
    pub relations: [&'a [QualifiedName]; 2],
    /// Functions.
    pub functions: &'a [QualifiedName],
    /// What functions read that cannot be looked into.
    pub declared: &'a ReadDeclarations,
    /// Columns whose change alone is nothing.
    pub counters: &'a Counters,
}

/// Why tables could not be followed.
#[derive(Debug, Error)]
pub enum FollowError {
    /// A relation or a function does not exist.
    #[error("there is no {0}, of which replies are to be kept")]
    Missing(QualifiedName),
    /// PostgreSQL refused it.
    #[error("{} cannot be followed", .table)]
    Refused {
        /// The table.
        table: QualifiedName,
        /// Why.
        #[source]
        source: tokio_postgres::Error,
    },
    /// PostgreSQL or the connection failed.
    #[error("it could not be read what tables and functions read")]
    Read(#[from] tokio_postgres::Error),
}

/// Follows what has to be followed, and nothing else; the tables, in alphabetical order. Only who
/// owns the tables and the publication may.
///
/// # Errors
/// [`FollowError`]; nothing has changed then.
pub async fn follow(
    client: &mut Client,
    wanted: ToFollow<'_>,
) -> Result<Vec<QualifiedName>, FollowError> {
    let sets = ReadSets::load(client, wanted.declared).await?;
    let mut tables = BTreeSet::new();
    for relation in wanted.relations.into_iter().flatten() {
        if !sets.relations.contains_key(relation) {
            return Err(FollowError::Missing(relation.clone()));
        }
        tables.extend(sets.to_follow(relation));
    }
    for function in wanted.functions {
        if !sets.functions.contains_key(function) {
            return Err(FollowError::Missing(function.clone()));
        }
        tables.extend(sets.to_follow_of_function(function));
    }
    let transaction = client.transaction().await?;
    for table in sets.followed().filter(|table| !tables.contains(table)) {
        transaction.execute(UNFOLLOW, &[&table]).await?;
    }
    let mut names = Vec::with_capacity(tables.len());
    for table in tables {
        let Some(name) = sets.table_name(table) else {
            continue;
        };
        let none = Vec::new();
        let counters = wanted.counters.get(name).unwrap_or(&none);
        let followed = transaction.execute(FOLLOW, &[&table, counters]).await;
        followed.map_err(|source| FollowError::Refused {
            table: name.clone(),
            source,
        })?;
        names.push(name.clone());
    }
    transaction.commit().await?;
    names.sort();
    Ok(names)
}
