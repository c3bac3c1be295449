//! Updates: which columns are set, and to what; which rows of the body are for which rows.

use std::sync::Arc;

use passerelle_catalog::{Column, Table};
use passerelle_syntax::{Handling, Missing, Payload, UpdateMatch, ValueOperation};

use crate::context::Context;
use crate::{ColumnOperation, ColumnRef, KeyCheck, OperatedType, PlanError, Write, WriteColumn};

impl Context<'_> {
    pub(crate) fn update(self, table: &Table) -> Result<Write, PlanError> {
        let preferences = &self.request.preferences;
        let mut columns = self.columns(table)?;
        let keys = match preferences.update {
            Some(UpdateMatch::ByKey) => self.take_keys(table, &mut columns)?,
            None => Vec::new(),
        };
        self.set_operations(table, &mut columns)?;
        Ok(Write::Update {
            columns,
            keys,
            body: self.body(),
            apply_defaults: preferences.missing == Some(Missing::Default),
            filters: self.conditions(table),
        })
    }

    /// What has to be true of the rows of a body that is matched by key.
    pub(crate) fn key_check(self, write: &Write) -> Option<KeyCheck> {
        let strict = self.request.preferences.handling == Some(Handling::Strict);
        match write {
            Write::Update { keys, columns, .. } if !keys.is_empty() && !columns.is_empty() => {
                Some(if strict {
                    KeyCheck::DistinctAndMatched
                } else {
                    KeyCheck::Distinct
                })
            }
            _ => None,
        }
    }

    /// Takes the columns of the key out of those that are set.
    ///
    /// # Errors
    /// There is no such key, the body lacks a part of it, or it has nothing else.
    fn take_keys(
        self,
        table: &Table,
        columns: &mut Vec<WriteColumn>,
    ) -> Result<Vec<WriteColumn>, PlanError> {
        let relation = || table.name.name.to_string();
        let names = self.key_names(table)?;
        let is_key = |column: &WriteColumn| names.contains(&&*column.name);
        let (mut keys, set): (Vec<_>, Vec<_>) = columns.drain(..).partition(is_key);
        let nothing = set.is_empty() && self.has_no_rows();
        for &name in &names {
            if keys.iter().any(|key| &*key.name == name) {
                continue;
            }
            // `columns=` says what is set; rows are found by their keys all the same.
            if self.request.columns.is_none() && !nothing {
                let column = name.to_owned();
                return Err(PlanError::KeyNotInBody { column });
            }
            keys.push(self.column(table, name)?);
        }
        if set.is_empty() && !nothing {
            return Err(PlanError::NothingBesideKey {
                relation: relation(),
            });
        }
        for key in &mut keys {
            // A default would match a row that nobody meant.
            key.default = None;
            if let Some(operation) = self.operation_on(&key.name) {
                return Err(PlanError::OperationOnKey {
                    column: key.name.to_string(),
                    operation,
                });
            }
        }
        *columns = set;
        Ok(keys)
    }

    /// The columns that rows are matched by: `on_conflict`, or the primary key.
    fn key_names<'t>(&'t self, table: &'t Table) -> Result<Vec<&'t str>, PlanError> {
        let on_conflict = self.request.on_conflict.as_deref();
        let names: Vec<&str> = match on_conflict {
            Some(columns) => columns.iter().map(String::as_str).collect(),
            None => table.primary_key.iter().map(AsRef::as_ref).collect(),
        };
        if table.is_unique_key(&names) {
            return Ok(names);
        }
        Err(PlanError::NoUniqueKey {
            relation: table.name.name.to_string(),
            columns: on_conflict.map(<[String]>::to_vec),
        })
    }

    /// The body is an array without rows.
    fn has_no_rows(self) -> bool {
        matches!(self.payload, Payload::Json { bytes, is_object: false, keys, .. }
            if keys.is_empty() && bytes.trim_ascii() == b"[]")
    }

    fn set_operations(self, table: &Table, columns: &mut [WriteColumn]) -> Result<(), PlanError> {
        for column in columns {
            let Some(operation) = self.operation_on(&column.name) else {
                continue;
            };
            let found = table.column(&column.name);
            let on = found
                .filter(|_| column.transform.is_none())
                .and_then(|found| Some((operated_type(operation, found)?, &found.base_type)));
            let Some((on, base_type)) = on else {
                return Err(PlanError::UnsuitableOperation {
                    column: column.name.to_string(),
                    operation,
                    type_name: column.type_name.to_string(),
                });
            };
            column.operation = Some(ColumnOperation {
                operation,
                on,
                type_name: Arc::clone(base_type),
            });
        }
        Ok(())
    }

    fn operation_on(self, column: &str) -> Option<ValueOperation> {
        match self.payload {
            Payload::Json { operations, .. } => operations
                .iter()
                .find(|(name, _)| name == column)
                .map(|(_, operation)| *operation),
            Payload::None | Payload::Form(_) | Payload::Raw(_) => None,
        }
    }
}

/// What a column is to an operation, if it can be done to it.
fn operated_type(operation: ValueOperation, column: &Column) -> Option<OperatedType> {
    use ValueOperation::{Append, Increment, Merge, Prepend, Remove};
    match (operation, &*column.base_type) {
        (
            Increment,
            "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision",
        ) => Some(OperatedType::Number),
        (Merge | Append | Prepend | Remove, "json" | "jsonb") => Some(OperatedType::Json),
        (Append | Prepend, array) if array.ends_with("[]") => Some(OperatedType::Array),
        (Remove, _) if column.comparable_elements => Some(OperatedType::Array),
        _ => None,
    }
}

/// The same columns by their names, so that a row has them and nothing else.
pub(crate) fn spelled_out(table: &Table, columns: Vec<ColumnRef>) -> Vec<ColumnRef> {
    if !columns.contains(&ColumnRef::All) {
        return columns;
    }
    let names = table.columns.iter().map(|column| Arc::clone(&column.name));
    names.map(ColumnRef::Named).collect()
}
