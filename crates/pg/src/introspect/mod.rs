//! Reads the catalogue's rows from PostgreSQL: one snapshot, a few set-based queries in a row.
//!
//! Owns the queries and how their rows are read; which relationships follow from them is the
//! catalogue's business.

mod intern;
mod keys;
mod node_tree;
mod queries;
mod relations;
mod roles;
mod routines;
mod types;
mod views;

use std::collections::HashMap;
use std::sync::Arc;

use passerelle_catalog::RawCatalog;
use thiserror::Error;
use tokio_postgres::{Client, IsolationLevel, Transaction};

use self::intern::Interner;
pub(crate) use self::node_tree::Tokens;
pub(crate) use self::queries::Session;
use self::types::ColumnTypes;

/// What of the database is exposed, and to whom.
#[derive(Clone, Debug)]
pub struct IntrospectionSettings {
    /// Exposed schemas, the default first.
    pub schemas: Vec<String>,
    /// Further schemas of the search path; views in them are seen through.
    pub extra_search_path: Vec<String>,
    /// Settings of functions that apply to the whole transaction of a call.
    pub hoisted_settings: Vec<String>,
}

impl Default for IntrospectionSettings {
    fn default() -> Self {
        Self {
            schemas: vec!["public".to_owned()],
            extra_search_path: vec!["public".to_owned()],
            hoisted_settings: ["statement_timeout", "plan_filter.statement_cost_limit"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}

/// Why the catalogue could not be read.
#[derive(Debug, Error)]
pub enum IntrospectError {
    /// PostgreSQL or the connection failed.
    #[error("the catalogue could not be read: {step}")]
    Query {
        /// What was being read.
        step: &'static str,
        /// The failure.
        #[source]
        source: tokio_postgres::Error,
    },
    /// A schema that should be exposed is not there.
    #[error("schema {0:?} does not exist")]
    NoSchema(String),
}

/// Oldest version of PostgreSQL with privileges on single parameters.
const PARAMETER_PRIVILEGES: i32 = 150_000;

/// Reads everything in one repeatable-read transaction, without search path, so that names come
/// out qualified.
pub async fn introspect(
    client: &mut Client,
    settings: &IntrospectionSettings,
    version: u64,
) -> Result<RawCatalog, IntrospectError> {
    let begin = |source| IntrospectError::Query {
        step: "transaction",
        source,
    };
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(begin)?;
    let raw = read(&transaction, settings, version).await?;
    transaction.commit().await.map_err(begin)?;
    Ok(raw)
}

async fn read(
    transaction: &Transaction<'_>,
    settings: &IntrospectionSettings,
    version: u64,
) -> Result<RawCatalog, IntrospectError> {
    let session = Session::new(transaction);
    let place = Place::find(&session, settings).await?;
    let mut names = Interner::default();

    // Queries of one join are written at once and answered one after the other.
    let (relations, labels, comments, identities, mut columns) = tokio::try_join!(
        relations::relations(&session, &place),
        types::enum_labels(&session),
        relations::comments(&session, &place.exposed),
        relations::identities(&session, &place.exposed),
        relations::columns(&session, &place.exposed, &mut names),
    )?;
    let parameter_privileges = place.server_version >= PARAMETER_PRIVILEGES;
    let (
        types,
        keys,
        unique_indexes,
        foreign_keys,
        view_columns,
        computed,
        routines,
        casts,
        handlers,
        roles,
    ) = tokio::try_join!(
        types::types(&session, &columns.types),
        keys::keys(&session),
        keys::unique_indexes(&session, &place.exposed),
        keys::foreign_keys(&session),
        views::view_columns(&session, &place.visible),
        routines::computed_relationships(&session),
        routines::routines(&session, &place, settings),
        routines::representations(&session),
        routines::media_handlers(&session, &place.exposed),
        roles::role_settings(&session, parameter_privileges),
    )?;
    columns.complete(
        &ColumnTypes::new(types, labels, &mut names),
        comments,
        identities,
    );
    let readable_columns = roles::readable_columns(&session, columns.restricted).await?;

    Ok(RawCatalog {
        version,
        schemas: settings
            .schemas
            .iter()
            .map(|schema| Arc::from(schema.as_str()))
            .collect(),
        relations,
        columns: columns.rows,
        keys,
        unique_indexes,
        foreign_keys,
        view_columns,
        computed_relationships: computed,
        routines,
        representations: casts,
        media_handlers: handlers,
        role_settings: roles,
        readable_columns,
    })
}

/// Identifiers of what is exposed.
struct Place {
    server_version: i32,
    /// Names of the exposed namespaces.
    schemas: HashMap<u32, Arc<str>>,
    /// Exposed namespaces.
    exposed: Vec<u32>,
    /// Exposed namespaces and those of the search path.
    visible: Vec<u32>,
}

impl Place {
    async fn find(
        session: &Session<'_>,
        settings: &IntrospectionSettings,
    ) -> Result<Self, IntrospectError> {
        let mut place = Self {
            server_version: 0,
            schemas: HashMap::new(),
            exposed: Vec::new(),
            visible: Vec::new(),
        };
        session
            .each(
                &queries::SCHEMAS,
                &[&settings.schemas, &settings.extra_search_path],
                |row| {
                    place.server_version = row.try_get(3)?;
                    if let (Some(oid), Some(name)) =
                        (row.try_get(4)?, row.try_get::<_, Option<&str>>(5)?)
                    {
                        place.visible.push(oid);
                        if row.try_get(6)? {
                            place.exposed.push(oid);
                            place.schemas.insert(oid, Arc::from(name));
                        }
                    }
                    Ok(())
                },
            )
            .await?;
        match settings.schemas.iter().find(|schema| !place.knows(schema)) {
            Some(missing) => Err(IntrospectError::NoSchema(missing.clone())),
            None => Ok(place),
        }
    }

    fn knows(&self, schema: &str) -> bool {
        self.schemas.values().any(|known| &**known == schema)
    }

    fn schema(&self, oid: u32) -> Arc<str> {
        self.schemas.get(&oid).cloned().unwrap_or_default()
    }
}
