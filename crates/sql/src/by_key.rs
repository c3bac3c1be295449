//! An update in which each row of the body changes the row with its key.
//!
//! Rows of the body are numbered, and the update returns the numbers: that tells which rows found
//! none, and which found several.

use passerelle_planner::{ColumnRef, MutatePlan, Write, WriteColumn};

use crate::json::{BODY, write_json_rows};
use crate::node::{Separator, WRITTEN};
use crate::write::{write_body_column, write_filters, write_set, write_target_columns};
use crate::writer::Writer;

/// Name of the common table expression of the update.
const UPDATED: &str = "pgrst_updated";

/// Name of the column with the number of the body's row, unless the relation has one of that name.
const POSITION: &str = "pgrst_position";

/// Keys that are told at most.
const MOST_KEYS: u64 = 100;

/// The update by key of a plan.
pub(crate) struct ByKey<'p> {
    plan: &'p MutatePlan,
    keys: &'p [WriteColumn],
    columns: &'p [WriteColumn],
    /// Name of the column with the number of the body's row.
    position: String,
}

impl<'p> ByKey<'p> {
    /// What the plan writes, where it is an update by key that sets anything.
    pub(crate) fn of(plan: &'p MutatePlan) -> Option<Self> {
        match &plan.write {
            Write::Update { columns, keys, .. } if !keys.is_empty() && !columns.is_empty() => {
                Some(Self {
                    plan,
                    keys,
                    columns,
                    position: position(plan, keys, columns),
                })
            }
            _ => None,
        }
    }

    /// Writes the common table expressions of the write.
    pub(crate) fn write(&self, sql: &mut Writer) {
        self.write_numbered_rows(sql);
        sql.push(", ");
        sql.push(UPDATED);
        sql.push(" AS (");
        self.write_update(sql);
        sql.push("), ");
        self.write_shown(sql);
    }

    fn write_numbered_rows(&self, sql: &mut Writer) {
        let Write::Update {
            body,
            apply_defaults,
            ..
        } = &self.plan.write
        else {
            return;
        };
        let all: Vec<WriteColumn> = self.keys.iter().chain(self.columns).cloned().collect();
        sql.push(BODY);
        sql.push(" AS (SELECT row_number() OVER () AS ");
        sql.push(&self.position);
        sql.push(", ");
        sql.push(BODY);
        sql.push(".* FROM ");
        write_json_rows(sql, &all, body, *apply_defaults);
        sql.push(")");
    }

    fn write_update(&self, sql: &mut Writer) {
        let target = &self.plan.target;
        write_set(sql, target, self.columns);
        sql.push(" FROM ");
        sql.push(BODY);
        let mut separator = Separator::conditions();
        for key in self.keys {
            separator.write(sql);
            sql.qualified_name(target);
            sql.push(".");
            sql.identifier(&key.name);
            sql.push(" = ");
            write_key(sql, key);
        }
        if let Write::Update { filters, .. } = &self.plan.write {
            write_filters(sql, target, filters, &mut separator);
        }
        let mut separator = Separator::new(" RETURNING ", ", ");
        separator.write(sql);
        self.write_position(sql, BODY);
        write_target_columns(sql, target, &self.plan.returning, &mut separator);
    }

    /// The rows of the update without their numbers.
    fn write_shown(&self, sql: &mut Writer) {
        sql.push(WRITTEN);
        sql.push(" AS (SELECT");
        let mut separator = Separator::new(" ", ", ");
        for column in &self.plan.returning {
            if let ColumnRef::Named(name) = column {
                separator.write(sql);
                sql.identifier(name);
            }
        }
        sql.push(" FROM ");
        sql.push(UPDATED);
        sql.push(")");
    }

    /// Writes what is told of the keys: those that several rows of the body have, or null; how many
    /// rows found none; their keys; and the keys that several rows of the relation have.
    pub(crate) fn write_key_columns(&self, sql: &mut Writer) {
        self.write_told(sql, Self::write_duplicates);
        sql.push(", (SELECT count(*)");
        self.write_unmatched(sql);
        sql.push(")");
        self.write_told(sql, |by_key, sql| {
            by_key.write_unmatched(sql);
            by_key.write_ordered(sql);
        });
        self.write_told(sql, |by_key, sql| {
            by_key.write_ambiguous(sql);
            by_key.write_ordered(sql);
        });
    }

    /// Writes a JSON array of keys. `told.*` is the row, whatever its columns are called.
    fn write_told(&self, sql: &mut Writer, which: impl Fn(&Self, &mut Writer)) {
        sql.push(", (SELECT json_agg(told.*) FROM (SELECT ");
        self.write_keys(sql, Separator::new("", ", "), "");
        which(self, sql);
        sql.push(" LIMIT ");
        sql.number(MOST_KEYS);
        sql.push(") AS told)");
    }

    fn write_duplicates(&self, sql: &mut Writer) {
        sql.push(" FROM ");
        sql.push(BODY);
        // A key with a null in it is no other's.
        self.write_keys(sql, Separator::conditions(), " IS NOT NULL");
        self.write_keys(sql, Separator::new(" GROUP BY ", ", "), "");
        sql.push(" HAVING count(*) > 1 ORDER BY min(");
        self.write_position(sql, BODY);
        sql.push(")");
    }

    fn write_unmatched(&self, sql: &mut Writer) {
        sql.push(" FROM ");
        sql.push(BODY);
        sql.push(" WHERE NOT EXISTS (SELECT FROM ");
        sql.push(UPDATED);
        sql.push(" WHERE ");
        self.write_position(sql, UPDATED);
        sql.push(" = ");
        self.write_position(sql, BODY);
        sql.push(")");
    }

    fn write_ambiguous(&self, sql: &mut Writer) {
        sql.push(" FROM ");
        sql.push(BODY);
        sql.push(" WHERE ");
        self.write_position(sql, BODY);
        sql.push(" IN (SELECT ");
        self.write_position(sql, UPDATED);
        sql.push(" FROM ");
        sql.push(UPDATED);
        sql.push(" GROUP BY ");
        self.write_position(sql, UPDATED);
        sql.push(" HAVING count(*) > 1)");
    }

    fn write_ordered(&self, sql: &mut Writer) {
        sql.push(" ORDER BY ");
        self.write_position(sql, BODY);
    }

    fn write_keys(&self, sql: &mut Writer, mut separator: Separator, after: &str) {
        for key in self.keys {
            separator.write(sql);
            write_key(sql, key);
            sql.push(after);
        }
    }

    fn write_position(&self, sql: &mut Writer, qualifier: &str) {
        sql.push(qualifier);
        sql.push(".");
        sql.push(&self.position);
    }
}

/// Keys are compared as the column compares them, also with each other.
fn write_key(sql: &mut Writer, key: &WriteColumn) {
    write_body_column(sql, key);
    if let Some(collation) = &key.collation {
        sql.push(" COLLATE ");
        sql.push(collation);
    }
}

/// A name that no column of the body or of the rows shown has.
fn position(plan: &MutatePlan, keys: &[WriteColumn], columns: &[WriteColumn]) -> String {
    let of_body = keys.iter().chain(columns).map(|column| &column.name);
    let returned = plan.returning.iter().filter_map(|column| match column {
        ColumnRef::Named(name) => Some(name),
        ColumnRef::All | ColumnRef::WholeRow => None,
    });
    let names: Vec<&str> = of_body.chain(returned).map(AsRef::as_ref).collect();
    let mut position = POSITION.to_owned();
    while names.contains(&position.as_str()) {
        position.push('_');
    }
    position
}
