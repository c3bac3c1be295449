//! Statements that tell what of a schema the current role may see, for its description.
//!
//! They run in the caller's transaction, under its role. Each row is one object; how the
//! description looks is not decided here.

use bytes::Bytes;
use passerelle_statement::Statement;

const ACCESSIBLE_TABLES: &str = include_str!("describe/accessible_tables.sql");
const ACCESSIBLE_ROUTINES: &str = include_str!("describe/accessible_routines.sql");
const SCHEMA_COMMENT: &str = include_str!("describe/schema_comment.sql");

/// Relations of the schema on which the current role has any privilege, be it on a single column:
/// rows of schema and name.
pub fn accessible_tables(schema: &str) -> Statement {
    of_schema(ACCESSIBLE_TABLES, schema)
}

/// Functions of the schema that the current role may execute: rows of one object identifier,
/// which is that of the catalogue's routine.
pub fn accessible_routines(schema: &str) -> Statement {
    of_schema(ACCESSIBLE_ROUTINES, schema)
}

/// Comment of the schema: a row of one text, `NULL` when it has none; no row for an unknown
/// schema.
pub fn schema_comment(schema: &str) -> Statement {
    of_schema(SCHEMA_COMMENT, schema)
}

fn of_schema(text: &str, schema: &str) -> Statement {
    Statement {
        text: text.to_owned(),
        params: vec![Some(Bytes::copy_from_slice(schema.as_bytes()))],
    }
}
