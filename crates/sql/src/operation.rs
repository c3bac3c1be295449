//! What a column is set to by an operation on what it holds.
//!
//! The operand is the only member of the JSON object that the body has for the column.

use passerelle_catalog::QualifiedName;
use passerelle_planner::{ColumnOperation, OperatedType, WriteColumn};
use passerelle_syntax::ValueOperation;

use crate::refusal::write_refusal;
use crate::write::write_body_column;
use crate::writer::Writer;

/// Writes the value that the column gets.
pub(crate) fn write_operation(
    sql: &mut Writer,
    target: &QualifiedName,
    column: &WriteColumn,
    operation: &ColumnOperation,
) {
    let change = Change {
        target,
        column,
        operation,
    };
    match operation.on {
        OperatedType::Number => change.increment(sql),
        OperatedType::Json => change.json(sql),
        OperatedType::Array => change.array(sql),
    }
}

struct Change<'a> {
    target: &'a QualifiedName,
    column: &'a WriteColumn,
    operation: &'a ColumnOperation,
}

impl Change<'_> {
    /// Writes what the column holds, as a value of the type.
    fn held(&self, sql: &mut Writer, type_name: &str) {
        sql.qualified_name(self.target);
        sql.push(".");
        sql.identifier(&self.column.name);
        sql.push("::");
        sql.push(type_name);
    }

    /// Writes the operand, as a value of the type: PostgreSQL makes it of the JSON as it makes a
    /// column, so numbers keep their digits.
    fn operand(&self, sql: &mut Writer, type_name: &str) {
        let member = self.operation.operation.as_str();
        sql.push("(SELECT ");
        sql.identifier(member);
        sql.push(" FROM json_to_record(");
        write_body_column(sql, self.column);
        sql.push(") AS _(");
        sql.identifier(member);
        sql.push(" ");
        sql.push(type_name);
        sql.push("))");
    }

    /// Nothing counts as zero.
    fn increment(&self, sql: &mut Writer) {
        let type_name = &self.operation.type_name;
        sql.push("coalesce(");
        self.held(sql, type_name);
        sql.push(", 0) + ");
        self.operand(sql, type_name);
    }

    /// Nothing, and JSON's null, count as empty.
    fn json(&self, sql: &mut Writer) {
        sql.push("CASE WHEN coalesce(jsonb_typeof(");
        self.held(sql, "jsonb");
        match self.operation.operation {
            ValueOperation::Remove => {
                sql.push("), 'null') = 'null' THEN ");
                self.held(sql, "jsonb");
                sql.push(" WHEN jsonb_typeof(");
                self.held(sql, "jsonb");
                sql.push(") IN ('object', 'array') THEN ");
                self.held(sql, "jsonb");
                sql.push(" - ");
                self.operand(sql, "text[]");
            }
            ValueOperation::Prepend => {
                sql.push("), 'null') IN ('null', 'array') THEN ");
                self.operand(sql, "jsonb");
                sql.push(" || ");
                self.json_or(sql, "'[]'");
            }
            ValueOperation::Append => {
                sql.push("), 'null') IN ('null', 'array') THEN ");
                self.json_or(sql, "'[]'");
                sql.push(" || ");
                self.operand(sql, "jsonb");
            }
            ValueOperation::Merge | ValueOperation::Increment => {
                sql.push("), 'null') IN ('null', 'object') THEN ");
                self.json_or(sql, "'{}'");
                sql.push(" || ");
                self.operand(sql, "jsonb");
            }
        }
        sql.push(" ELSE ");
        self.refusal(sql, "jsonb");
        sql.push(" END");
    }

    fn json_or(&self, sql: &mut Writer, empty: &str) {
        sql.push("coalesce(nullif(");
        self.held(sql, "jsonb");
        sql.push(", 'null'), ");
        sql.push(empty);
        sql.push(")");
    }

    fn refusal(&self, sql: &mut Writer, type_name: &str) {
        let operation = self.operation.operation;
        write_refusal(sql, operation, &self.column.name, type_name);
    }

    /// Nothing counts as empty. Arrays of other dimensions than one's own would be flattened or
    /// taken for elements.
    fn array(&self, sql: &mut Writer) {
        let type_name = &self.operation.type_name;
        sql.push("CASE WHEN array_ndims(");
        self.held(sql, type_name);
        let remove = self.operation.operation == ValueOperation::Remove;
        if remove {
            sql.push(") > 1 THEN ");
        } else {
            sql.push(") <> array_ndims(");
            self.operand(sql, type_name);
            sql.push(") THEN ");
        }
        self.refusal(sql, type_name);
        if remove {
            self.array_without(sql);
        } else {
            sql.push(" ELSE ");
            self.array_with(sql);
        }
        sql.push(" END");
    }

    fn array_without(&self, sql: &mut Writer) {
        let type_name = &self.operation.type_name;
        sql.push(" WHEN ");
        self.held(sql, type_name);
        sql.push(" IS NOT NULL THEN ARRAY(SELECT element FROM unnest(");
        self.held(sql, type_name);
        sql.push(") WITH ORDINALITY AS held(element, position) WHERE (element = ANY (");
        // Without the cast it would be a subquery of rows.
        self.operand(sql, type_name);
        sql.push("::");
        sql.push(type_name);
        sql.push(")) IS NOT TRUE ORDER BY position)");
    }

    fn array_with(&self, sql: &mut Writer) {
        let type_name = &self.operation.type_name;
        let prepend = self.operation.operation == ValueOperation::Prepend;
        if prepend {
            self.operand(sql, type_name);
            sql.push(" || ");
        }
        sql.push("coalesce(");
        self.held(sql, type_name);
        sql.push(", '{}')");
        if !prepend {
            sql.push(" || ");
            self.operand(sql, type_name);
        }
    }
}
