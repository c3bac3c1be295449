//! Primary, unique and foreign keys, and unique indexes.

use std::sync::Arc;

use passerelle_catalog::{RawForeignKey, RawIndexKey, RawKey, RawUniqueIndex};

use super::IntrospectError;
use super::queries::{FOREIGN_KEYS, KEYS, Session, UNIQUE_INDEXES};

pub(super) async fn keys(session: &Session<'_>) -> Result<Vec<RawKey>, IntrospectError> {
    session
        .collect(&KEYS, &[], |row| {
            Ok(RawKey {
                relation: row.try_get(0)?,
                is_primary: row.try_get(1)?,
                columns: row.try_get::<_, Vec<i16>>(2)?.into_boxed_slice(),
            })
        })
        .await
}

pub(super) async fn unique_indexes(
    session: &Session<'_>,
    exposed: &[u32],
) -> Result<Vec<RawUniqueIndex>, IntrospectError> {
    session
        .collect(&UNIQUE_INDEXES, &[&exposed], |row| {
            let columns: Vec<i16> = row.try_get(2)?;
            let expressions: Vec<Option<&str>> = row.try_get(3)?;
            let expressions = expressions.into_iter().chain(std::iter::repeat(None));
            let keys = columns.into_iter().zip(expressions);
            Ok(RawUniqueIndex {
                relation: row.try_get(0)?,
                name: row.try_get(1)?,
                keys: keys
                    .map(|(column, expression)| match expression {
                        Some(expression) => RawIndexKey::Expression(expression.into()),
                        None => RawIndexKey::Column(column),
                    })
                    .collect(),
                predicate: row.try_get::<_, Option<&str>>(4)?.map(Arc::from),
                writers: row
                    .try_get::<_, Vec<&str>>(5)?
                    .into_iter()
                    .map(Arc::from)
                    .collect(),
            })
        })
        .await
}

pub(super) async fn foreign_keys(
    session: &Session<'_>,
) -> Result<Vec<RawForeignKey>, IntrospectError> {
    session
        .collect(&FOREIGN_KEYS, &[], |row| {
            Ok(RawForeignKey {
                constraint: row.try_get::<_, &str>(0)?.into(),
                origin: row.try_get(1)?,
                target: row.try_get(2)?,
                origin_columns: row.try_get::<_, Vec<i16>>(3)?.into_boxed_slice(),
                target_columns: row.try_get::<_, Vec<i16>>(4)?.into_boxed_slice(),
            })
        })
        .await
}
