//! Types of columns.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::IntrospectError;
use super::intern::Interner;
use super::queries::{ENUM_LABELS, Session, TYPES};

/// Type and modifier of a column.
pub(super) type TypeKey = (u32, i32);

/// `character(n)` and `character varying(n)`, whose modifier counts a header of four bytes.
const CHARACTER: [u32; 2] = [1042, 1043];

/// `bit(n)` and `bit varying(n)`.
const BIT: [u32; 2] = [1560, 1562];

/// A type as the server tells it.
pub(super) struct RawType {
    key: TypeKey,
    base: u32,
    base_name: String,
    name: String,
    not_null: bool,
    length_type: u32,
    length_modifier: i32,
    default: Option<Box<str>>,
    comparable_elements: bool,
}

/// What a column takes from its type.
pub(super) struct ColumnType {
    pub(super) base_name: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) not_null: bool,
    pub(super) max_length: Option<i32>,
    pub(super) default: Option<Box<str>>,
    pub(super) enum_labels: Arc<[Box<str>]>,
    pub(super) comparable_elements: bool,
}

pub(super) struct ColumnTypes(HashMap<TypeKey, ColumnType>);

impl ColumnTypes {
    pub(super) fn new(
        types: Vec<RawType>,
        mut labels: HashMap<u32, Vec<Box<str>>>,
        names: &mut Interner,
    ) -> Self {
        let none: Arc<[Box<str>]> = Arc::from([]);
        let mut shared: HashMap<u32, Arc<[Box<str>]>> = HashMap::new();
        let mut kinds = HashMap::with_capacity(types.len());
        for kind in types {
            if let Some(labels) = labels.remove(&kind.base) {
                shared.insert(kind.base, Arc::from(labels));
            }
            let column_type = ColumnType {
                base_name: names.get(&kind.base_name),
                name: names.get(&kind.name),
                not_null: kind.not_null,
                max_length: max_length(kind.length_type, kind.length_modifier),
                default: kind.default,
                enum_labels: Arc::clone(shared.get(&kind.base).unwrap_or(&none)),
                comparable_elements: kind.comparable_elements,
            };
            kinds.insert(kind.key, column_type);
        }
        Self(kinds)
    }

    pub(super) fn get(&self, key: TypeKey) -> Option<&ColumnType> {
        self.0.get(&key)
    }
}

fn max_length(type_oid: u32, modifier: i32) -> Option<i32> {
    if modifier < 0 {
        None
    } else if CHARACTER.contains(&type_oid) {
        Some(modifier - 4)
    } else if BIT.contains(&type_oid) {
        Some(modifier)
    } else {
        None
    }
}

/// Reads these types, each once.
pub(super) async fn types(
    session: &Session<'_>,
    used: &[TypeKey],
) -> Result<Vec<RawType>, IntrospectError> {
    let distinct: HashSet<TypeKey> = used.iter().copied().collect();
    let (oids, modifiers): (Vec<u32>, Vec<i32>) = distinct.into_iter().unzip();
    session
        .collect(&TYPES, &[&oids, &modifiers], |row| {
            Ok(RawType {
                key: (row.try_get(0)?, row.try_get(1)?),
                base: row.try_get(2)?,
                base_name: row.try_get(3)?,
                name: row.try_get(4)?,
                not_null: row.try_get(5)?,
                length_type: row.try_get(6)?,
                length_modifier: row.try_get(7)?,
                default: row.try_get(8)?,
                comparable_elements: row.try_get(9)?,
            })
        })
        .await
}

pub(super) async fn enum_labels(
    session: &Session<'_>,
) -> Result<HashMap<u32, Vec<Box<str>>>, IntrospectError> {
    let mut labels: HashMap<u32, Vec<Box<str>>> = HashMap::new();
    session
        .each(&ENUM_LABELS, &[], |row| {
            labels
                .entry(row.try_get(0)?)
                .or_default()
                .push(row.try_get(1)?);
            Ok(())
        })
        .await?;
    Ok(labels)
}
