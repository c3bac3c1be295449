//! The fixed queries, and how they are sent: parsed, bound and run in one write, their rows read
//! as they arrive.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row, Transaction};

use super::IntrospectError;

/// A fixed query and the types of its parameters.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) params: &'static [Type],
}

macro_rules! queries {
    ($($constant:ident = $name:literal ($($param:expr),*);)*) => {
        $(pub(crate) const $constant: Query = Query {
            name: $name,
            text: include_str!(concat!("sql/", $name, ".sql")),
            params: &[$($param),*],
        };)*

        /// All of them, for the test that prepares each.
        #[cfg(test)]
        pub(crate) const ALL: &[&Query] = &[$(&$constant),*];
    };
}

queries! {
    SCHEMAS = "schemas" (Type::TEXT_ARRAY, Type::TEXT_ARRAY);
    RELATIONS = "relations" (Type::OID_ARRAY);
    TYPES = "types" (Type::OID_ARRAY, Type::INT4_ARRAY);
    ENUM_LABELS = "enum_labels" ();
    COLUMNS = "columns" (Type::OID_ARRAY);
    IDENTITY_COLUMNS = "identity_columns" (Type::OID_ARRAY);
    COLUMN_COMMENTS = "column_comments" (Type::OID_ARRAY);
    KEYS = "keys" ();
    UNIQUE_INDEXES = "unique_indexes" (Type::OID_ARRAY);
    FOREIGN_KEYS = "foreign_keys" ();
    VIEWS = "views" (Type::OID_ARRAY);
    COMPUTED_RELATIONSHIPS = "computed_relationships" ();
    ROUTINES = "routines" (Type::OID_ARRAY);
    ARGUMENT_TYPES = "argument_types" (Type::OID_ARRAY);
    REPRESENTATIONS = "representations" ();
    MEDIA_HANDLERS = "media_handlers" (Type::OID_ARRAY);
    ROLE_SETTINGS = "role_settings" ();
    GRANTABLE = "grantable" (Type::TEXT_ARRAY);
    READABLE_COLUMNS = "readable_columns" (Type::OID_ARRAY);
}

/// The transaction in which the queries run.
pub(crate) struct Session<'a> {
    transaction: &'a Transaction<'a>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(transaction: &'a Transaction<'a>) -> Self {
        Self { transaction }
    }

    /// Hands each row to `read`.
    pub(crate) async fn each(
        &self,
        query: &Query,
        params: &[&(dyn ToSql + Sync)],
        mut read: impl FnMut(&Row) -> Result<(), Error>,
    ) -> Result<(), IntrospectError> {
        let typed = params.iter().copied().zip(query.params.iter().cloned());
        let failed = |source| IntrospectError::Query {
            step: query.name,
            source,
        };
        let rows = self
            .transaction
            .query_typed_raw(query.text, typed)
            .await
            .map_err(failed)?;
        let mut rows = pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            read(&row).map_err(failed)?;
        }
        Ok(())
    }

    /// Collects what `read` makes of each row.
    pub(crate) async fn collect<T>(
        &self,
        query: &Query,
        params: &[&(dyn ToSql + Sync)],
        mut read: impl FnMut(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, IntrospectError> {
        let mut collected = Vec::new();
        self.each(query, params, |row| {
            collected.push(read(row)?);
            Ok(())
        })
        .await?;
        Ok(collected)
    }
}

#[cfg(test)]
mod tests {
    use passerelle_testkit::TestDb;

    use super::ALL;

    #[tokio::test]
    async fn every_query_is_valid() {
        let db = TestDb::empty().await;
        let client = db.client().await;
        for query in ALL {
            let prepared = client.prepare_typed(query.text, query.params).await;
            assert!(prepared.is_ok(), "{}: {prepared:?}", query.name);
        }
    }
}
