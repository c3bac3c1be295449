//! Which columns of views are columns of other relations.

use passerelle_catalog::ViewColumn;

use super::IntrospectError;
use super::node_tree::target_entries;
use super::queries::{Session, VIEWS};

pub(super) async fn view_columns(
    session: &Session<'_>,
    visible: &[u32],
) -> Result<Vec<ViewColumn>, IntrospectError> {
    let mut columns = Vec::new();
    session
        .each(&VIEWS, &[&visible], |row| {
            let view: u32 = row.try_get(0)?;
            columns.extend(target_entries(row.try_get(1)?).map(|entry| ViewColumn {
                view,
                column: entry.column,
                source: entry.source,
                source_column: entry.source_column,
            }));
            Ok(())
        })
        .await?;
    Ok(columns)
}
