//! The query string of a printed request: its parameters and their encoding.

use super::condition::{logic_members, operation, root_leaf};
use super::name::{field, name, names, parameter_name, path_prefix};
use super::select::{is_all_columns, select};
use crate::decode::push_escaped;
use crate::request::{
    ApiRequest, EmbedPath, LogicOperator, LogicTree, OrderDirection, OrderNulls, OrderTerm,
    RowRange,
};

/// Appends parameters to a query string.
struct Parameters(String);

impl Parameters {
    fn add(&mut self, name: &str, value: &str) {
        // What the query string may hold and does not divide it.
        const KEPT: &[u8] = b"!$'()*,:@/";
        if !self.0.is_empty() {
            self.0.push('&');
        }
        push_escaped(&mut self.0, name, KEPT);
        self.0.push('=');
        push_escaped(&mut self.0, value, KEPT);
    }
}

pub(super) fn print_query(request: &ApiRequest) -> String {
    let mut out = Parameters(String::new());
    if !is_all_columns(&request.select) {
        out.add("select", &select(&request.select));
    }
    for (path, filter) in &request.filters {
        let value = operation(filter.negated, &filter.operation, str::to_owned);
        out.add(&parameter_name(path, &filter.field), &value);
    }
    for (path, tree) in &request.logic {
        print_logic(&mut out, path, tree);
    }
    for (path, terms) in &request.order {
        out.add(&format!("{}order", path_prefix(path)), &order(terms));
    }
    print_range(&mut out, &[], request.range);
    for (path, range) in &request.embed_ranges {
        if *range == RowRange::default() {
            out.add(&format!("{}offset", path_prefix(path)), "0");
        }
        print_range(&mut out, path, *range);
    }
    if let Some(columns) = &request.columns {
        out.add("columns", &names(columns));
    }
    if let Some(columns) = &request.on_conflict {
        out.add("on_conflict", &names(columns));
    }
    for (argument, value) in &request.arguments {
        let field = crate::Field {
            name: argument.clone(),
            json_path: Vec::new(),
        };
        out.add(&parameter_name(&[], &field), value);
    }
    out.0
}

fn print_range(out: &mut Parameters, path: &[String], range: RowRange) {
    if let Some(limit) = range.limit {
        out.add(&format!("{}limit", path_prefix(path)), &limit.to_string());
    }
    if range.offset > 0 {
        out.add(
            &format!("{}offset", path_prefix(path)),
            &range.offset.to_string(),
        );
    }
}

fn print_logic(out: &mut Parameters, path: &EmbedPath, tree: &LogicTree) {
    let prefix = path_prefix(path);
    match tree {
        LogicTree::Branch {
            negated,
            operator,
            members,
        } => {
            let not = if *negated { "not." } else { "" };
            let operator = match operator {
                LogicOperator::And => "and",
                LogicOperator::Or => "or",
            };
            out.add(&format!("{prefix}{not}{operator}"), &logic_members(members));
        }
        // A condition alone has no spelling of its own; an empty operator in front of it does.
        LogicTree::Leaf(filter) => out.add(&format!("{prefix}\"\"_.and"), &root_leaf(filter)),
    }
}

fn order(terms: &[OrderTerm]) -> String {
    let mut out = String::new();
    for (index, term) in terms.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match &term.relation {
            Some(relation) => {
                name(&mut out, relation);
                out.push('(');
                field(&mut out, &term.field);
                out.push(')');
            }
            None => field(&mut out, &term.field),
        }
        out.push_str(match term.direction {
            Some(OrderDirection::Asc) => ".asc",
            Some(OrderDirection::Desc) => ".desc",
            None => "",
        });
        out.push_str(match term.nulls {
            Some(OrderNulls::First) => ".nullsfirst",
            Some(OrderNulls::Last) => ".nullslast",
            None => "",
        });
    }
    out
}
