//! Relations and their columns.

use std::collections::HashMap;
use std::sync::Arc;

use passerelle_catalog::{Column, QualifiedName, RawColumn, RawRelation};

use super::intern::Interner;
use super::queries::{COLUMN_COMMENTS, COLUMNS, IDENTITY_COLUMNS, Query, RELATIONS, Session};
use super::types::{ColumnTypes, TypeKey};
use super::{IntrospectError, Place};

const UPDATE: i32 = 1 << 2;
const INSERT: i32 = 1 << 3;
const DELETE: i32 = 1 << 4;

/// Texts of columns by relation and number.
pub(super) type ColumnTexts = HashMap<(u32, i16), Box<str>>;

/// Columns that lack what follows from their types, and the types.
pub(super) struct Columns {
    pub(super) rows: Vec<RawColumn>,
    /// Type of each column.
    pub(super) types: Vec<TypeKey>,
    /// Relations with privileges on single columns.
    pub(super) restricted: Vec<u32>,
}

impl Columns {
    /// Adds what was read apart from the columns.
    pub(super) fn complete(
        &mut self,
        types: &ColumnTypes,
        mut comments: ColumnTexts,
        mut identities: ColumnTexts,
    ) {
        for (raw, key) in self.rows.iter_mut().zip(&self.types) {
            let place = (raw.relation, raw.number);
            let column = &mut raw.column;
            if let Some(kind) = types.get(*key) {
                column.base_type = kind.base_name.clone();
                column.nominal_type = kind.name.clone();
                column.comparable_elements = kind.comparable_elements;
                column.nullable &= !kind.not_null;
                column.max_length = kind.max_length;
                column.enum_labels = kind.enum_labels.clone();
                column.default = column.default.take().or_else(|| kind.default.clone());
            }
            column.description = comments.remove(&place);
            column.default = identities.remove(&place).or_else(|| column.default.take());
        }
    }
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
) -> Result<ColumnTexts, IntrospectError> {
    texts(session, &COLUMN_COMMENTS, exposed).await
}

/// Default expressions of identity columns.
pub(super) async fn identities(
    session: &Session<'_>,
    exposed: &[u32],
) -> Result<ColumnTexts, IntrospectError> {
    texts(session, &IDENTITY_COLUMNS, exposed).await
}

async fn texts(
    session: &Session<'_>,
    query: &Query,
    exposed: &[u32],
) -> Result<ColumnTexts, IntrospectError> {
    let mut texts = ColumnTexts::new();
    session
        .each(query, &[&exposed], |row| {
            let number: i32 = row.try_get(1)?;
            if let Ok(number) = i16::try_from(number) {
                texts.insert((row.try_get(0)?, number), row.try_get(2)?);
            }
            Ok(())
        })
        .await?;
    Ok(texts)
}

pub(super) async fn columns(
    session: &Session<'_>,
    exposed: &[u32],
    names: &mut Interner,
) -> Result<Columns, IntrospectError> {
    let (unknown, no_labels): (Arc<str>, Arc<[Box<str>]>) = (Arc::from(""), Arc::from([]));
    let mut columns = Columns {
        rows: Vec::new(),
        types: Vec::new(),
        restricted: Vec::new(),
    };
    session
        .each(&COLUMNS, &[&exposed], |row| {
            let relation: u32 = row.try_get(0)?;
            let not_null: bool = row.try_get(5)?;
            columns.types.push((row.try_get(3)?, row.try_get(4)?));
            columns.rows.push(RawColumn {
                relation,
                number: row.try_get(1)?,
                column: Column {
                    name: names.get(row.try_get(2)?),
                    description: None,
                    nullable: !not_null,
                    base_type: Arc::clone(&unknown),
                    nominal_type: Arc::clone(&unknown),
                    collation: row
                        .try_get::<_, Option<&str>>(9)?
                        .map(|name| names.get(name)),
                    comparable_elements: false,
                    max_length: None,
                    default: row.try_get(7)?,
                    generated: row.try_get(8)?,
                    enum_labels: Arc::clone(&no_labels),
                },
            });
            if row.try_get(6)? {
                columns.restricted.push(relation);
            }
            Ok(())
        })
        .await?;
    columns.restricted.sort_unstable();
    columns.restricted.dedup();
    Ok(columns)
}
