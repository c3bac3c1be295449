//! Turns fields of the request into expressions on known columns.

use std::sync::Arc;

use passerelle_catalog::{Catalog, Column, Table};
use passerelle_syntax::{AggregateFunction, Field, Filter, JsonOperand, Operation, SelectField};

use crate::{Aggregate, ColumnRef, Condition, PlanField, SelectColumn};

/// The relation a field belongs to; unknown for what a function returns.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'c> {
    pub(crate) catalog: &'c Catalog,
    pub(crate) table: Option<&'c Table>,
}

impl<'c> Scope<'c> {
    fn column(self, name: &str) -> Option<&'c Column> {
        self.table?.column(name)
    }

    /// A field without any conversion, as in an order.
    pub(crate) fn plain(self, field: &Field) -> PlanField {
        let column = self.column(&field.name);
        let is_json = column.is_some_and(|c| matches!(&*c.nominal_type, "json" | "jsonb"));
        PlanField {
            column: match column {
                Some(column) => ColumnRef::Named(Arc::clone(&column.name)),
                None if field.name == "*" => ColumnRef::All,
                None => ColumnRef::Named(Arc::from(field.name.as_str())),
            },
            json_path: field.json_path.clone(),
            to_json: !is_json,
            to_tsvector: None,
            transform: None,
        }
    }

    /// A field as it is selected.
    pub(crate) fn output(self, field: &Field) -> PlanField {
        let transform = self.column(&field.name).and_then(|c| self.json_output(c));
        PlanField {
            transform,
            ..self.plain(field)
        }
    }

    /// A condition on a field.
    pub(crate) fn condition(self, filter: &Filter) -> Condition {
        let column = self.column(&filter.field.name);
        let mut field = self.plain(&filter.field);
        if let Some(column) = column {
            field.transform = self
                .catalog
                .representation("text", &column.nominal_type)
                .map(|representation| Arc::clone(&representation.function));
        }
        if let Operation::FullText(_, configuration, _) = &filter.operation
            && column.is_some_and(|column| &*column.base_type != "tsvector")
        {
            field.to_tsvector = Some(configuration.clone());
        }
        Condition::Compare {
            field,
            negated: filter.negated,
            operation: filter.operation.clone(),
        }
    }

    /// A column that stands for itself when `*` is written out.
    pub(crate) fn whole_column(self, column: &Column) -> SelectColumn {
        let transform = self.json_output(column);
        SelectColumn {
            alias: transform.is_some().then(|| column.name.to_string()),
            field: PlanField {
                column: ColumnRef::Named(Arc::clone(&column.name)),
                json_path: Vec::new(),
                to_json: false,
                to_tsvector: None,
                transform,
            },
            aggregate: None,
            cast: None,
        }
    }

    /// Whether any column of the relation has a representation of its own in JSON.
    pub(crate) fn has_representations(self) -> bool {
        self.table
            .is_some_and(|table| table.columns.iter().any(|c| self.json_output(c).is_some()))
    }

    fn json_output(self, column: &Column) -> Option<Arc<str>> {
        self.catalog
            .representation(&column.nominal_type, "json")
            .map(|representation| Arc::clone(&representation.function))
    }
}

/// An item of `select` with the alias it gets when it has none of its own.
pub(crate) fn select_column(scope: Scope<'_>, item: &SelectField, spread: bool) -> SelectColumn {
    let field = scope.output(&item.field);
    let alias = item
        .alias
        .clone()
        .or_else(|| implied_alias(item, &field, spread));
    SelectColumn {
        field,
        aggregate: item.aggregate.map(|function| Aggregate {
            function,
            cast: item.aggregate_cast.clone(),
        }),
        cast: item.cast.clone(),
        alias,
    }
}

/// JSON paths are named for their last key, represented columns for themselves. In a spread an
/// aggregate is named for its function, because the parent selects it by that name.
fn implied_alias(item: &SelectField, field: &PlanField, spread: bool) -> Option<String> {
    if let Some(function) = item.aggregate {
        return spread.then(|| aggregate_name(function).to_owned());
    }
    if !item.field.json_path.is_empty() {
        let last_key = item
            .field
            .json_path
            .iter()
            .rev()
            .find_map(|step| match &step.operand {
                JsonOperand::Key(key) => Some(key),
                JsonOperand::Index(_) => None,
            });
        return Some(last_key.unwrap_or(&item.field.name).clone());
    }
    field.transform.is_some().then(|| item.field.name.clone())
}

fn aggregate_name(function: AggregateFunction) -> &'static str {
    match function {
        AggregateFunction::Sum => "sum",
        AggregateFunction::Avg => "avg",
        AggregateFunction::Max => "max",
        AggregateFunction::Min => "min",
        AggregateFunction::Count => "count",
    }
}
