//! Configuration that is kept in the database: `pgrst.*` settings of the connecting role, and a
//! function that makes them (PostgREST, "In-Database Configuration").

use std::collections::HashMap;

use passerelle_catalog::QualifiedName;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Transaction};

use crate::prelude::call;

const ROLE: &str = include_str!("config/role.sql");

const CURRENT: &str = include_str!("config/current.sql");

/// Those of the settings `names` that the database has, without the prefix `pgrst.`.
///
/// What the function `pre_config` sets counts least, then what the role has everywhere, then what
/// it has in this database.
pub async fn in_database_settings(
    client: &mut Client,
    names: &[&str],
    pre_config: Option<&QualifiedName>,
) -> Result<HashMap<String, String>, Error> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    let mut settings = HashMap::new();
    if let Some(function) = pre_config {
        transaction.query_typed(&call(function), &[]).await?;
        read(&transaction, CURRENT, names, &mut settings).await?;
    }
    read(&transaction, ROLE, names, &mut settings).await?;
    transaction.rollback().await?;
    Ok(settings)
}

async fn read(
    transaction: &Transaction<'_>,
    query: &str,
    names: &[&str],
    settings: &mut HashMap<String, String>,
) -> Result<(), Error> {
    for row in transaction
        .query_typed(query, &[(&names, Type::TEXT_ARRAY)])
        .await?
    {
        settings.insert(row.try_get(0)?, row.try_get(1)?);
    }
    Ok(())
}
