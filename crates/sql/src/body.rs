//! Aggregates that turn the rows of a read, called `_postgrest_t`, into a body.

use passerelle_catalog::MediaHandler;
use passerelle_planner::Handler;

use crate::writer::Writer;

/// Name of the rows that are aggregated.
pub(crate) const ROWS: &str = "_postgrest_t";

/// Name of the common table expression that holds the rows where they are read twice.
pub(crate) const SOURCE: &str = "pgrst_source";

/// Keys of the first row, joined by commas. Not quoted, as in `PostgREST`.
const CSV_HEADER: &str = "coalesce((SELECT string_agg(k, ',') FROM json_object_keys(\
    (SELECT row_to_json(h) FROM pgrst_source AS h LIMIT 1)) AS k), '')";

/// A row's text without its parentheses is a CSV line.
const CSV_LINES: &str = "coalesce(string_agg(left(substr(_postgrest_t::text, 2), -1), E'\\n'), '')";

/// Whether the handler reads the rows twice.
pub(crate) fn needs_source(handler: &Handler) -> bool {
    matches!(handler, Handler::Csv)
}

/// Writes the expression of the body.
pub(crate) fn write_body(sql: &mut Writer, handler: &Handler) {
    match handler {
        Handler::Json => sql.push("coalesce(json_agg(_postgrest_t), '[]')"),
        Handler::JsonStripped => {
            sql.push("coalesce(json_strip_nulls(json_agg(_postgrest_t)), '[]')");
        }
        Handler::SingularJson { strip: false } => {
            sql.push("coalesce((array_agg(row_to_json(_postgrest_t)))[1], 'null')");
        }
        Handler::SingularJson { strip: true } => {
            sql.push(
                "coalesce(json_strip_nulls((array_agg(row_to_json(_postgrest_t)))[1]), 'null')",
            );
        }
        Handler::Csv => {
            sql.push(CSV_HEADER);
            sql.push(" || E'\\n' || ");
            sql.push(CSV_LINES);
        }
        Handler::GeoJson => sql.push(
            "json_build_object('type', 'FeatureCollection', 'features', \
             coalesce(json_agg(ST_AsGeoJSON(_postgrest_t)::json), '[]'))",
        ),
        Handler::Custom(handler) => write_custom(sql, handler),
        Handler::None => sql.push("''"),
    }
}

/// The cast to the relation's row type picks the overload.
fn write_custom(sql: &mut Writer, handler: &MediaHandler) {
    sql.qualified_name(&handler.function);
    sql.push("(");
    sql.push(ROWS);
    if let Some(target) = &handler.target {
        sql.push("::");
        sql.qualified_name(target);
    }
    sql.push(")");
}
