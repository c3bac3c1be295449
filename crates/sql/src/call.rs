//! The statement of a call: what a function is given, and one row with what became of its result.

use passerelle_catalog::QualifiedName;
use passerelle_planner::{
    Arguments, CallParameter, CallPlan, ColumnRef, CountSpec, Handler, ResultKind, SelectColumn,
    TextArgument,
};
use passerelle_syntax::Count;

use crate::body::{SCALAR, write_body, write_only_value};
use crate::count::write_row_count;
use crate::explain::write_explain;
use crate::json::{BODY, is_object, write_json_arguments};
use crate::node::{Separator, WRITTEN};
use crate::read::ReadStatements;
use crate::rows::{RESPONSE_SETTINGS, write_from_rows, write_from_written, write_named_rows};
use crate::writer::Writer;

/// Name of the rows of a function.
const CALL: &str = "pgrst_call";

/// Renders a call. Its columns are those of a read ([`column`](crate::column)). As in `PostgREST`,
/// nothing is estimated: a planned count is not known, and an estimated count is exact.
pub fn render_call(plan: &CallPlan) -> ReadStatements {
    let mut sql = Writer::new();
    write_explain(&mut sql, plan.reply.explain.as_ref());
    sql.push("WITH ");
    sql.push(WRITTEN);
    sql.push(" AS (");
    write_result(&mut sql, plan);
    sql.push(")");
    write_named_rows(&mut sql, ", ", &plan.handler, &plan.read);
    sql.push(" SELECT ");
    write_total(&mut sql, plan);
    sql.push(", ");
    write_page_count(&mut sql, plan);
    sql.push(", ");
    if is_only_value(plan) {
        write_only_value(&mut sql, &plan.handler);
        sql.push(RESPONSE_SETTINGS);
        write_from_written(&mut sql);
    } else {
        write_body(&mut sql, &plan.handler, plan.result);
        sql.push(RESPONSE_SETTINGS);
        write_from_rows(&mut sql, &plan.handler, &plan.read);
    }
    ReadStatements {
        main: sql.finish(),
        explain: None,
    }
}

/// Whether the result is one value as JSON, and nothing in the request can make it another row or
/// none.
fn is_only_value(plan: &CallPlan) -> bool {
    let read = &plan.read;
    let called_once = match &plan.arguments {
        Arguments::Json { bytes, .. } => is_object(bytes),
        Arguments::None | Arguments::Body { .. } | Arguments::Text(_) => true,
    };
    called_once
        && matches!(plan.result, ResultKind::Scalar | ResultKind::Void)
        && matches!(
            plan.handler,
            Handler::Json | Handler::JsonStripped | Handler::SingularJson { .. }
        )
        && read.select.iter().all(is_whole)
        && read.embeds.is_empty()
        && read.filters.is_empty()
        && read.order.is_empty()
        && read.range.offset == 0
        && read.range.limit != Some(0)
}

fn is_whole(column: &SelectColumn) -> bool {
    column.field.column == ColumnRef::All && column.aggregate.is_none()
}

fn write_total(sql: &mut Writer, plan: &CallPlan) {
    match plan.count {
        None
        | Some(CountSpec {
            kind: Count::Planned,
            ..
        }) => sql.push("NULL"),
        Some(CountSpec {
            separate: false, ..
        }) => write_page_count(sql, plan),
        Some(CountSpec {
            kind: Count::Exact | Count::Estimated,
            ..
        }) => {
            sql.push("(");
            write_row_count(sql, &plan.read);
            sql.push(")");
        }
    }
}

/// What is no set counts as one row, whatever the read makes of it. A media type's function need
/// not be an aggregate then; without a body something else has to be one, so that there is one row.
fn write_page_count(sql: &mut Writer, plan: &CallPlan) {
    let is_set = matches!(
        plan.result,
        ResultKind::SetOfScalar | ResultKind::SetOfComposite
    );
    sql.push(match (is_set, &plan.handler) {
        (true, _) => "count(*)",
        (false, Handler::None) => "greatest(count(*), 1)",
        (false, _) => "1",
    });
}

fn write_result(sql: &mut Writer, plan: &CallPlan) {
    let function = &plan.function;
    match plan.result {
        ResultKind::Void | ResultKind::Scalar | ResultKind::SetOfScalar => {
            sql.push("SELECT ");
            write_call(sql, function, &plan.arguments);
            sql.push(" AS ");
            sql.push(SCALAR);
            if let Arguments::Json { bytes, parameters } = &plan.arguments {
                sql.push(" FROM ");
                write_json_arguments(sql, parameters, bytes);
            }
        }
        ResultKind::Composite | ResultKind::SetOfComposite => {
            write_columns(sql, &plan.returning);
            sql.push(" FROM ");
            if let Arguments::Json { bytes, parameters } = &plan.arguments {
                write_json_arguments(sql, parameters, bytes);
                sql.push(", LATERAL ");
            }
            write_call(sql, function, &plan.arguments);
            sql.push(" AS ");
            sql.push(CALL);
        }
    }
}

fn write_columns(sql: &mut Writer, returning: &[ColumnRef]) {
    let mut separator = Separator::new("SELECT ", ", ");
    for column in returning {
        separator.write(sql);
        sql.push(CALL);
        sql.push(".");
        match column {
            ColumnRef::All | ColumnRef::WholeRow => sql.push("*"),
            ColumnRef::Named(name) => sql.identifier(name),
        }
    }
    if returning.is_empty() {
        separator.write(sql);
        sql.push(CALL);
        sql.push(".*");
    }
}

fn write_call(sql: &mut Writer, function: &QualifiedName, arguments: &Arguments) {
    sql.qualified_name(function);
    sql.push("(");
    let mut separator = Separator::new("", ", ");
    match arguments {
        Arguments::None => {}
        Arguments::Body { bytes, type_name } => write_whole_body(sql, bytes.as_ref(), type_name),
        Arguments::Json { parameters, .. } => {
            for parameter in parameters {
                separator.write(sql);
                write_name(sql, parameter);
                sql.push(BODY);
                sql.push(".");
                sql.identifier(&parameter.name);
            }
        }
        Arguments::Text(arguments) => {
            for (parameter, argument) in arguments {
                separator.write(sql);
                write_name(sql, parameter);
                write_text(sql, argument);
                sql.push("::");
                sql.push(&parameter.type_name);
            }
        }
    }
    sql.push(")");
}

fn write_name(sql: &mut Writer, parameter: &CallParameter) {
    if parameter.variadic {
        sql.push("VARIADIC ");
    }
    sql.identifier(&parameter.name);
    sql.push(" := ");
}

/// Values of a list are texts, each of which is cast.
fn write_text(sql: &mut Writer, argument: &TextArgument) {
    match argument {
        TextArgument::One(value) => sql.parameter(value),
        TextArgument::Many(values) => {
            sql.elements_parameter(values);
            sql.push("::text[]");
        }
    }
}

fn write_whole_body(sql: &mut Writer, bytes: Option<&bytes::Bytes>, type_name: &str) {
    match bytes {
        None => sql.null_parameter(),
        Some(bytes) if type_name == "bytea" => sql.bytea_parameter(bytes),
        Some(bytes) => sql.body_parameter(bytes),
    }
    sql.push("::");
    sql.push(type_name);
}
