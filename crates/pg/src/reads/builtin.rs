//! Functions of PostgreSQL itself whose answer may differ from one call to the next.
//!
//! Those declared immutable are not among them. Of the others, these depend on nothing but their
//! arguments, what the prelude sets, and definitions; the time is told apart.

/// They tell the time of the transaction or of the statement.
const TIME: [&str; 5] = [
    "now",
    "transaction_timestamp",
    "statement_timestamp",
    "clock_timestamp",
    "timeofday",
];

/// They depend on their arguments, settings, roles and definitions alone.
const SETTLED: [&str; 68] = [
    "array_agg",
    "array_in",
    "array_out",
    "array_to_json",
    "array_to_string",
    "array_to_text",
    "cash_out",
    "col_description",
    "concat",
    "concat_ws",
    "current_schema",
    "current_schemas",
    "current_setting",
    "current_user",
    "date",
    "date_part",
    "date_trunc",
    "enum_first",
    "enum_in",
    "enum_last",
    "enum_out",
    "enum_range",
    "extract",
    "format",
    "format_type",
    "has_any_column_privilege",
    "has_column_privilege",
    "has_function_privilege",
    "has_schema_privilege",
    "has_table_privilege",
    "interval_pl_timestamptz",
    "json_agg",
    "json_build_array",
    "json_build_object",
    "json_object_agg",
    "json_populate_record",
    "json_to_record",
    "json_to_recordset",
    "jsonb_agg",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_object_agg",
    "jsonb_populate_record",
    "jsonb_to_record",
    "jsonb_to_recordset",
    "like_escape",
    "make_timestamptz",
    "obj_description",
    "pg_has_role",
    "phraseto_tsquery",
    "plainto_tsquery",
    "quote_literal",
    "row_to_json",
    "session_user",
    "similar_escape",
    "string_to_table",
    "text",
    "timestamp",
    "timestamptz",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
];

/// Comparisons of times with and without a zone and arithmetic of times with a zone depend on the
/// time zone, which is part of the prelude.
const SETTLED_PREFIXES: [&str; 6] = [
    "date_",
    "timestamp_",
    "timestamptz_",
    "websearch_to_tsquery",
    "ts_",
    "timetz_",
];

/// What a function of PostgreSQL that is not immutable depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    /// Nothing beyond what a reply is kept under.
    Settled,
    /// The time.
    Time,
    /// Nobody knows.
    Unsettled,
}

/// What it depends on.
pub(super) fn builtin(name: &str, volatile: bool) -> Builtin {
    if TIME.contains(&name) {
        Builtin::Time
    } else if !volatile
        && (SETTLED.contains(&name)
            || SETTLED_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix)))
    {
        Builtin::Settled
    } else {
        Builtin::Unsettled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_functions() {
        assert_eq!(builtin("now", false), Builtin::Time);
        assert_eq!(builtin("current_setting", false), Builtin::Settled);
        assert_eq!(builtin("timestamptz_lt_date", false), Builtin::Settled);
        for name in ["random", "nextval", "set_config"] {
            assert_eq!(builtin(name, true), Builtin::Unsettled);
        }
        for name in ["table_to_xml", "pg_current_snapshot", "pg_sleep", "age"] {
            assert_eq!(builtin(name, false), Builtin::Unsettled);
        }
    }
}
