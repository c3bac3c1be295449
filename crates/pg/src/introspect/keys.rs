//! Primary, unique and foreign keys.

use passerelle_catalog::{RawForeignKey, RawKey};

use super::IntrospectError;
use super::queries::{FOREIGN_KEYS, KEYS, Session};

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
