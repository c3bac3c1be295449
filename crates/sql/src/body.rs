//! Aggregates that turn the rows of a statement, called `_postgrest_t`, into a body.

use passerelle_catalog::MediaHandler;
use passerelle_planner::{Handler, ResultKind};

use crate::writer::Writer;

/// Name of the rows that are aggregated.
pub(crate) const ROWS: &str = "_postgrest_t";

/// Name of the common table expression that holds the rows where they are read twice.
pub(crate) const NAMED_ROWS: &str = "pgrst_rows";

/// Name of the only column of a result that is not composite.
pub(crate) const SCALAR: &str = "pgrst_scalar";

/// Keys of the first row, joined by commas. Not quoted, as in `PostgREST`. `h.*` is the row, whatever its columns are called.
const CSV_HEADER: &str = "coalesce((SELECT string_agg(k, ',') FROM json_object_keys(\
    (SELECT row_to_json(h.*) FROM pgrst_rows AS h LIMIT 1)) AS k), '')";

/// A row's text without its parentheses is a CSV line.
const CSV_LINES: &str = "coalesce(string_agg(left(substr(_postgrest_t::text, 2), -1), E'\\n'), '')";

/// All rows.
const ROWS_JSON: &str = "json_agg(_postgrest_t)";

/// The first row.
const ROW_JSON: &str = "(array_agg(row_to_json(_postgrest_t)))[1]";

/// The values of all rows.
const SCALARS_JSON: &str = "json_agg(_postgrest_t.pgrst_scalar)";

/// The value of the first row.
const SCALAR_JSON: &str = "(array_agg(to_json(_postgrest_t.pgrst_scalar)))[1]";

/// Whether the handler reads the rows twice.
pub(crate) fn needs_named_rows(handler: &Handler) -> bool {
    matches!(handler, Handler::Csv)
}

/// Writes the expression of the body. The rows of relations are a set of composites.
pub(crate) fn write_body(sql: &mut Writer, handler: &Handler, result: ResultKind) {
    match handler {
        Handler::Json => write_all(sql, result, false),
        Handler::JsonStripped => write_all(sql, result, true),
        Handler::SingularJson { strip } => write_first(sql, result, *strip),
        Handler::Csv => {
            sql.push(CSV_HEADER);
            sql.push(" || E'\\n' || ");
            sql.push(CSV_LINES);
        }
        Handler::GeoJson => sql.push(
            "json_build_object('type', 'FeatureCollection', 'features', \
             coalesce(json_agg(ST_AsGeoJSON(_postgrest_t)::json), '[]'))",
        ),
        Handler::Custom(handler) => write_custom(sql, handler, result),
        Handler::None => sql.push("''"),
    }
}

fn write_all(sql: &mut Writer, result: ResultKind, strip: bool) {
    match result {
        ResultKind::SetOfComposite => write_json(sql, ROWS_JSON, "'[]'", strip),
        ResultKind::SetOfScalar => write_json(sql, SCALARS_JSON, "'[]'", strip),
        ResultKind::Composite | ResultKind::Scalar | ResultKind::Void => {
            write_first(sql, result, strip);
        }
    }
}

/// The value of a scalar stands for itself; that of a set of scalars is its row, as in `PostgREST`.
fn write_first(sql: &mut Writer, result: ResultKind, strip: bool) {
    let value = match result {
        ResultKind::Scalar | ResultKind::Void => SCALAR_JSON,
        ResultKind::SetOfScalar | ResultKind::Composite | ResultKind::SetOfComposite => ROW_JSON,
    };
    write_json(sql, value, "'null'", strip);
}

/// Writes the expression of the body of a value that is the only row, which spares an aggregate.
pub(crate) fn write_only_value(sql: &mut Writer, handler: &Handler) {
    let strip = matches!(
        handler,
        Handler::JsonStripped | Handler::SingularJson { strip: true }
    );
    write_json(sql, "to_json(_postgrest_t.pgrst_scalar)", "'null'", strip);
}

fn write_json(sql: &mut Writer, value: &str, otherwise: &str, strip: bool) {
    sql.push("coalesce(");
    if strip {
        sql.push("json_strip_nulls(");
    }
    sql.push(value);
    if strip {
        sql.push(")");
    }
    sql.push(", ");
    sql.push(otherwise);
    sql.push(")");
}

/// The cast to the relation's row type picks the overload. A value needs none.
fn write_custom(sql: &mut Writer, handler: &MediaHandler, result: ResultKind) {
    sql.qualified_name(&handler.function);
    sql.push("(");
    sql.push(ROWS);
    if matches!(result, ResultKind::Scalar | ResultKind::Void) {
        sql.push(".");
        sql.push(SCALAR);
    } else if let Some(target) = &handler.target {
        sql.push("::");
        sql.qualified_name(target);
    }
    sql.push(")");
}
