//! Reads the graph from PostgreSQL, in one snapshot and without a search path.

use std::collections::HashMap;

use passerelle_catalog::QualifiedName;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, IsolationLevel, Transaction};

use super::closure::{Function, Graph, Kind, Nature, Policy, Relation};
use super::tree::{Mentions, mentions};
use super::{ReadDeclarations, ReadSets};

const RELATIONS: &str = include_str!("sql/relations.sql");
const INHERITANCE: &str = include_str!("sql/inheritance.sql");
const POLICIES: &str = include_str!("sql/policies.sql");
const VIEWS: &str = include_str!("sql/views.sql");
const FUNCTIONS: &str = include_str!("sql/functions.sql");
const WATCHED: &str = include_str!("sql/watched.sql");
const QUIET: &str = include_str!("sql/quiet.sql");
const OPERATORS: &str =
    "select oid, oprcode::pg_catalog.oid from pg_catalog.pg_operator where oid = any($1)";

pub(super) async fn load(
    client: &mut Client,
    declared: &ReadDeclarations,
) -> Result<ReadSets, Error> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    let mut graph = Graph::default();
    let relations = relations(&transaction, &mut graph).await?;
    kin(&transaction, &mut graph).await?;
    policies(&transaction, &mut graph).await?;
    views(&transaction, &mut graph).await?;
    let functions = functions(&transaction, &mut graph, declared, &relations).await?;
    operators(&transaction, &mut graph).await?;
    let watched = transaction.query_typed_one(WATCHED, &[]).await?;
    let quiet = transaction.query_typed(QUIET, &[]).await?;
    let quiet = quiet.iter().map(|row| row.try_get(0));
    let sets = ReadSets {
        graph,
        relations,
        functions,
        quiet: quiet.collect::<Result<_, _>>()?,
        watched: watched.try_get(0)?,
        defers_triggers: watched.try_get(1)?,
    };
    transaction.commit().await?;
    Ok(sets)
}

async fn relations(
    transaction: &Transaction<'_>,
    graph: &mut Graph,
) -> Result<HashMap<QualifiedName, u32>, Error> {
    let mut names = HashMap::new();
    for row in transaction.query_typed(RELATIONS, &[]).await? {
        let oid: u32 = row.try_get(0)?;
        let name = QualifiedName::new(row.try_get::<_, &str>(1)?, row.try_get::<_, &str>(2)?);
        let kind = match row.try_get(3)? {
            "v" => Kind::View(Mentions::default()),
            "m" => Kind::MaterializedView,
            "f" => Kind::Foreign,
            _ => Kind::Table,
        };
        names.insert(name.clone(), oid);
        let relation = Relation {
            name,
            kind,
            permanent: row.try_get::<_, &str>(4)? == "p",
            followed: row.try_get(5)?,
            kin: Vec::new(),
            policies: Vec::new(),
        };
        graph.relations.insert(oid, relation);
    }
    Ok(names)
}

async fn kin(transaction: &Transaction<'_>, graph: &mut Graph) -> Result<(), Error> {
    for row in transaction.query_typed(INHERITANCE, &[]).await? {
        let (parent, child): (u32, u32) = (row.try_get(0)?, row.try_get(1)?);
        for (one, other) in [(parent, child), (child, parent)] {
            if let Some(relation) = graph.relations.get_mut(&one) {
                relation.kin.push(other);
            }
        }
    }
    Ok(())
}

async fn policies(transaction: &Transaction<'_>, graph: &mut Graph) -> Result<(), Error> {
    for row in transaction.query_typed(POLICIES, &[]).await? {
        let policy = Policy {
            mentions: mentions(row.try_get(1)?),
            roles: row.try_get(2)?,
        };
        if let Some(relation) = graph.relations.get_mut(&row.try_get(0)?) {
            relation.policies.push(policy);
        }
    }
    Ok(())
}

async fn views(transaction: &Transaction<'_>, graph: &mut Graph) -> Result<(), Error> {
    for row in transaction.query_typed(VIEWS, &[]).await? {
        if let Some(relation) = graph.relations.get_mut(&row.try_get(0)?) {
            relation.kind = Kind::View(mentions(row.try_get(1)?));
        }
    }
    Ok(())
}

async fn functions(
    transaction: &Transaction<'_>,
    graph: &mut Graph,
    declared: &ReadDeclarations,
    relations: &HashMap<QualifiedName, u32>,
) -> Result<HashMap<QualifiedName, Vec<u32>>, Error> {
    let mut names: HashMap<QualifiedName, Vec<u32>> = HashMap::new();
    for row in transaction.query_typed(FUNCTIONS, &[]).await? {
        let oid: u32 = row.try_get(0)?;
        let name = QualifiedName::new(row.try_get::<_, &str>(1)?, row.try_get::<_, &str>(2)?);
        let (language, volatility): (&str, &str) = (row.try_get(3)?, row.try_get(4)?);
        let body: Option<&str> = row.try_get(5)?;
        let nature = if let Some(declared) = declared.get(&name) {
            // A relation that is not there is read by nobody, until it is made, which is a change
            // of definitions.
            let tables = declared.relations.iter();
            let tables = tables.filter_map(|name| relations.get(name)).copied();
            Nature::Declared(tables.collect(), declared.clone())
        } else if let Some(body) = body.filter(|_| volatility != "v") {
            Nature::Parsed(mentions(body))
        } else if &*name.schema == "pg_catalog" {
            Nature::Builtin {
                volatile: volatility == "v",
            }
        } else if volatility == "i" && matches!(language, "c" | "internal") {
            Nature::Immutable
        } else {
            Nature::Opaque
        };
        names.entry(name.clone()).or_default().push(oid);
        graph.functions.insert(oid, Function { name, nature });
    }
    Ok(names)
}

/// Functions of operators that trees mention by themselves.
async fn operators(transaction: &Transaction<'_>, graph: &mut Graph) -> Result<(), Error> {
    let wanted: Vec<u32> = graph.operators_mentioned().collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let rows = transaction
        .query_typed(OPERATORS, &[(&wanted, Type::OID_ARRAY)])
        .await?;
    for row in rows {
        graph.operators.insert(row.try_get(0)?, row.try_get(1)?);
    }
    Ok(())
}
