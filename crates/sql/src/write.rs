//! `INSERT`, `UPDATE` and `DELETE` of one relation.

use std::sync::Arc;

use passerelle_catalog::QualifiedName;
use passerelle_planner::{
    ColumnRef, Condition, Conflict, ConflictKey, JsonBody, MutatePlan, Qualifier, Write,
    WriteColumn,
};
use passerelle_syntax::Resolution;

use crate::condition::{Scope, write_condition};
use crate::json::{BODY, write_json_rows};
use crate::node::Separator;
use crate::operation::write_operation;
use crate::writer::Writer;

/// Counts a row that is going to be inserted in the setting `pgrst.inserted`; always true.
const COUNT_ROW: &str = "set_config('pgrst.inserted', \
    (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0) + 1)::text, true) <> '0'";

/// Takes a row that was there already out of the count again; always true.
const DISCOUNT_ROW: &str = "set_config('pgrst.inserted', \
    (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0) - 1)::text, true) <> '-1'";

/// Writes the statement of a write.
pub(crate) fn write_write(sql: &mut Writer, plan: &MutatePlan) {
    match &plan.write {
        Write::Insert {
            columns,
            body,
            apply_defaults,
            conflict,
            conditions,
        } => {
            write_insert(sql, &plan.target, columns, body, *apply_defaults);
            write_insert_conditions(sql, conflict.as_ref(), conditions);
            if let Some(conflict) = conflict {
                write_conflict(sql, conflict, columns);
            }
        }
        Write::Update { columns, .. } if columns.is_empty() => {
            return write_untouched(sql, &plan.target, &plan.returning);
        }
        Write::Update {
            columns,
            body,
            apply_defaults,
            filters,
            ..
        } => {
            write_set(sql, &plan.target, columns);
            sql.push(" FROM ");
            write_json_rows(sql, columns, body, *apply_defaults);
            let mut separator = Separator::conditions();
            write_filters(sql, &plan.target, filters, &mut separator);
        }
        Write::Delete { filters } => {
            sql.push("DELETE FROM ");
            sql.qualified_name(&plan.target);
            let mut separator = Separator::conditions();
            write_filters(sql, &plan.target, filters, &mut separator);
        }
    }
    sql.push(" RETURNING ");
    write_returning(sql, &plan.target, &plan.returning);
}

fn write_insert(
    sql: &mut Writer,
    target: &QualifiedName,
    columns: &[WriteColumn],
    body: &JsonBody,
    apply_defaults: bool,
) {
    sql.push("INSERT INTO ");
    sql.qualified_name(target);
    let mut separator = Separator::new(" (", ", ");
    for column in columns {
        separator.write(sql);
        sql.identifier(&column.name);
    }
    sql.push(if columns.is_empty() {
        " SELECT"
    } else {
        ") SELECT "
    });
    let mut separator = Separator::new("", ", ");
    for column in columns {
        separator.write(sql);
        write_body_column(sql, column);
    }
    sql.push(" FROM ");
    write_json_rows(sql, columns, body, apply_defaults);
}

pub(crate) fn write_body_column(sql: &mut Writer, column: &WriteColumn) {
    sql.push(BODY);
    sql.push(".");
    sql.identifier(&column.name);
}

/// A row is counted when it is read and discounted when it turns out to be there.
fn write_insert_conditions(
    sql: &mut Writer,
    conflict: Option<&Conflict>,
    conditions: &[Condition],
) {
    let mut separator = Separator::conditions();
    if conflict.is_some_and(merges) {
        separator.write(sql);
        sql.push(COUNT_ROW);
    }
    if conditions.is_empty() {
        return;
    }
    let body = Qualifier::Alias(Arc::from(BODY));
    for condition in conditions {
        separator.write(sql);
        write_condition(sql, &body, condition, Scope::Joined(&[]));
    }
}

/// Whether rows that are there already are changed, so that it matters how many were not.
pub(crate) fn merges(conflict: &Conflict) -> bool {
    conflict.resolution == Resolution::MergeDuplicates
}

fn write_conflict(sql: &mut Writer, conflict: &Conflict, columns: &[WriteColumn]) {
    if conflict.keys.is_empty() {
        return;
    }
    let mut separator = Separator::new(" ON CONFLICT (", ", ");
    for key in &conflict.keys {
        separator.write(sql);
        match key {
            ConflictKey::Column(name) => sql.identifier(name),
            ConflictKey::Expression(expression) => sql.push(expression),
        }
    }
    sql.push(")");
    if let Some(predicate) = &conflict.predicate {
        sql.push(" WHERE ");
        sql.push(predicate);
    }
    if !merges(conflict) || columns.is_empty() {
        return sql.push(" DO NOTHING");
    }
    let mut separator = Separator::new(" DO UPDATE SET ", ", ");
    for column in columns {
        separator.write(sql);
        sql.identifier(&column.name);
        sql.push(" = EXCLUDED.");
        sql.identifier(&column.name);
    }
    sql.push(" WHERE ");
    sql.push(DISCOUNT_ROW);
}

/// Writes an `UPDATE` as far as the columns are set.
pub(crate) fn write_set(sql: &mut Writer, target: &QualifiedName, columns: &[WriteColumn]) {
    sql.push("UPDATE ");
    sql.qualified_name(target);
    let mut separator = Separator::new(" SET ", ", ");
    for column in columns {
        separator.write(sql);
        sql.identifier(&column.name);
        sql.push(" = ");
        match &column.operation {
            Some(operation) => write_operation(sql, target, column, operation),
            None => write_body_column(sql, column),
        }
    }
}

/// Nothing to set is no valid `UPDATE`, but the read of no rows has to know their columns.
fn write_untouched(sql: &mut Writer, target: &QualifiedName, returning: &[ColumnRef]) {
    sql.push("SELECT ");
    write_returning(sql, target, returning);
    sql.push(" FROM ");
    sql.qualified_name(target);
    sql.push(" WHERE false");
}

pub(crate) fn write_filters(
    sql: &mut Writer,
    target: &QualifiedName,
    filters: &[Condition],
    separator: &mut Separator,
) {
    if filters.is_empty() {
        return;
    }
    let target = Qualifier::Relation(target.clone());
    for filter in filters {
        separator.write(sql);
        write_condition(sql, &target, filter, Scope::Joined(&[]));
    }
}

/// Rows without columns are counted nevertheless.
fn write_returning(sql: &mut Writer, target: &QualifiedName, returning: &[ColumnRef]) {
    if returning.is_empty() {
        return sql.push("1");
    }
    let mut separator = Separator::new("", ", ");
    write_target_columns(sql, target, returning, &mut separator);
}

/// Writes columns of the relation that is written to.
pub(crate) fn write_target_columns(
    sql: &mut Writer,
    target: &QualifiedName,
    columns: &[ColumnRef],
    separator: &mut Separator,
) {
    for column in columns {
        separator.write(sql);
        sql.qualified_name(target);
        sql.push(".");
        match column {
            ColumnRef::All | ColumnRef::WholeRow => sql.push("*"),
            ColumnRef::Named(name) => sql.identifier(name),
        }
    }
}
