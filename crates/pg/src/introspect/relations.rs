//! Relations and their columns.

use std::collections::HashMap;

use passerelle_catalog::{Column, QualifiedName, RawColumn, RawRelation};

use super::intern::Interner;
use super::queries::{COLUMN_COMMENTS, COLUMNS, RELATIONS, Session};
use super::types::ColumnTypes;
use super::{IntrospectError, Place};

const UPDATE: i32 = 1 << 2;
const INSERT: i32 = 1 << 3;
const DELETE: i32 = 1 << 4;

pub(super) type Comments = HashMap<(u32, i16), Box<str>>;

/// Columns, and the relations with privileges on some of them.
pub(super) struct Columns {
    pub(super) columns: Vec<RawColumn>,
    pub(super) restricted: Vec<u32>,
}

pub(super) async fn relations(
    session: &Session<'_>,
    place: &Place,
) -> Result<Vec<RawRelation>, IntrospectError> {
    session
        .collect(&RELATIONS, &[&place.exposed], |row| {
            let kind: &str = row.try_get(3)?;
            let commands: i32 = row.try_get(4)?;
            Ok(RawRelation {
                oid: row.try_get(0)?,
                name: QualifiedName {
                    schema: place.schema(row.try_get(1)?),
                    name: row.try_get::<_, &str>(2)?.into(),
                },
                description: row.try_get(5)?,
                is_view: matches!(kind, "v" | "m"),
                insertable: commands & INSERT != 0,
                updatable: commands & UPDATE != 0,
                deletable: commands & DELETE != 0,
            })
        })
        .await
}

pub(super) async fn comments(
    session: &Session<'_>,
    exposed: &[u32],
) -> Result<Comments, IntrospectError> {
    let mut comments = Comments::new();
    session
        .each(&COLUMN_COMMENTS, &[&exposed], |row| {
            let number: i32 = row.try_get(1)?;
            if let Ok(number) = i16::try_from(number) {
                comments.insert((row.try_get(0)?, number), row.try_get(2)?);
            }
            Ok(())
        })
        .await?;
    Ok(comments)
}

pub(super) async fn columns(
    session: &Session<'_>,
    exposed: &[u32],
    types: &ColumnTypes,
    mut comments: Comments,
    names: &mut Interner,
) -> Result<Columns, IntrospectError> {
    let mut columns = Columns {
        columns: Vec::new(),
        restricted: Vec::new(),
    };
    session
        .each(&COLUMNS, &[&exposed], |row| {
            let (relation, number): (u32, i16) = (row.try_get(0)?, row.try_get(1)?);
            let Some(kind) = types.get((row.try_get(3)?, row.try_get(4)?)) else {
                return Ok(());
            };
            let not_null: bool = row.try_get(5)?;
            let has_default: bool = row.try_get(8)?;
            let own_default: Option<Box<str>> = row.try_get(7)?;
            let default = if has_default || own_default.is_some() {
                own_default
            } else {
                kind.default.clone()
            };
            columns.columns.push(RawColumn {
                relation,
                number,
                column: Column {
                    name: names.get(row.try_get(2)?),
                    description: comments.remove(&(relation, number)),
                    nullable: !(not_null || kind.not_null),
                    base_type: kind.base_name.clone(),
                    nominal_type: kind.name.clone(),
                    max_length: kind.max_length,
                    default,
                    enum_labels: kind.enum_labels.clone(),
                },
            });
            if row.try_get(6)? && columns.restricted.last() != Some(&relation) {
                columns.restricted.push(relation);
            }
            Ok(())
        })
        .await?;
    columns.restricted.sort_unstable();
    columns.restricted.dedup();
    Ok(columns)
}
