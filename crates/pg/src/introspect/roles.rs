//! Settings and privileges of the roles that the connecting role can take.

use std::collections::HashSet;

use passerelle_catalog::{ReadableColumns, RoleSetting};

use super::IntrospectError;
use super::queries::{GRANTABLE, READABLE_COLUMNS, ROLE_SETTINGS, Session};

/// `parameter_privileges`: the server knows privileges on single parameters.
pub(super) async fn role_settings(
    session: &Session<'_>,
    parameter_privileges: bool,
) -> Result<Vec<RoleSetting>, IntrospectError> {
    let settings = session
        .collect(&ROLE_SETTINGS, &[], |row| {
            let setting = RoleSetting {
                role: row.try_get::<_, &str>(0)?.into(),
                name: row.try_get(1)?,
                value: row.try_get(2)?,
            };
            Ok((setting, row.try_get::<_, bool>(3)?))
        })
        .await?;
    let doubtful: Vec<String> = settings
        .iter()
        .filter(|(_, by_anyone)| !by_anyone)
        .map(|(setting, _)| setting.name.to_string())
        .collect();
    let mut granted: HashSet<String> = HashSet::new();
    if parameter_privileges && !doubtful.is_empty() {
        granted = session
            .collect(&GRANTABLE, &[&doubtful], |row| row.try_get(0))
            .await?
            .into_iter()
            .collect();
    }
    Ok(settings
        .into_iter()
        .filter(|(setting, by_anyone)| *by_anyone || granted.contains(&*setting.name))
        .map(|(setting, _)| setting)
        .collect())
}

/// `restricted`: relations with privileges on single columns.
pub(super) async fn readable_columns(
    session: &Session<'_>,
    restricted: Vec<u32>,
) -> Result<Vec<ReadableColumns>, IntrospectError> {
    if restricted.is_empty() {
        return Ok(Vec::new());
    }
    session
        .collect(&READABLE_COLUMNS, &[&restricted], |row| {
            Ok(ReadableColumns {
                relation: row.try_get(0)?,
                role: row.try_get::<_, &str>(1)?.into(),
                columns: row.try_get(2)?,
            })
        })
        .await
}
