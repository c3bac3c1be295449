//! Writes to a relation.

use std::sync::Arc;

use passerelle_catalog::Table;
use passerelle_syntax::{
    ApiRequest, Count, Filter, Missing, Mutation, Operation, Payload, QuantOperator,
    Representation, Resolution,
};

use crate::build::logic_condition;
use crate::context::Context;
use crate::draft::Draft;
use crate::read::needed_columns;
use crate::resolve::Scope;
use crate::update::spelled_out;
use crate::{
    Condition, Conflict, Handler, JsonBody, MutatePlan, OutcomeCheck, PlanError, Source, Write,
    WriteColumn, reply,
};

impl Context<'_> {
    pub(crate) fn mutate(
        self,
        relation: &str,
        mutation: Mutation,
    ) -> Result<MutatePlan, PlanError> {
        let table = self.table(relation)?;
        let legacy = self.settings.legacy_target_names;
        let draft = Draft::of_written(self.request, &table.name.name, legacy)?;
        let source = Source::Written {
            alias: Arc::clone(&table.name.name),
        };
        let read = self.builder(None).root(&draft, &table.name, source)?;
        let write = self.write(table, mutation)?;
        self.check_preferences()?;
        let (handler, media_type) = self.handler(&table.name, draft.is_star())?;

        let preferences = &self.request.preferences;
        let shown = preferences.representation;
        let returning = match shown {
            None | Some(Representation::Minimal) => Vec::new(),
            Some(_) => needed_columns(&read, table.primary_key.iter().cloned()),
        };
        let keys = self.key_check(&write);
        let returning = match keys {
            Some(_) => spelled_out(table, returning),
            None => returning,
        };
        let tells_location =
            mutation == Mutation::Create && shown == Some(Representation::HeadersOnly);
        let merges = !table.primary_key.is_empty() || self.request.on_conflict.is_some();
        let reply = reply::of_write(self.request, &draft, media_type, mutation, merges);
        Ok(MutatePlan {
            target: table.name.clone(),
            write,
            returning,
            read,
            handler: if shown == Some(Representation::Full) {
                handler
            } else {
                Handler::None
            },
            transaction: self.transaction(false),
            check: OutcomeCheck {
                keys,
                ..self.outcome(mutation, reply.singular)
            },
            reply,
            mutation,
            location_columns: if tells_location {
                table.primary_key.to_vec()
            } else {
                Vec::new()
            },
            counted: matches!(preferences.count, Some(Count::Exact | Count::Estimated)),
        })
    }

    fn outcome(self, mutation: Mutation, singular: bool) -> OutcomeCheck {
        let limited = matches!(mutation, Mutation::Update | Mutation::Delete);
        let put = mutation == Mutation::SingleUpsert;
        OutcomeCheck {
            singular: singular && !put,
            max_affected: if limited { self.max_affected() } else { None },
            put,
            keys: None,
        }
    }

    fn write(self, table: &Table, mutation: Mutation) -> Result<Write, PlanError> {
        let preferences = &self.request.preferences;
        let apply_defaults = preferences.missing == Some(Missing::Default);
        match mutation {
            Mutation::Create => Ok(Write::Insert {
                columns: self.columns(table)?,
                body: self.body(),
                apply_defaults,
                conflict: preferences
                    .resolution
                    .map(|resolution| self.conflict(table, resolution))
                    .transpose()?,
                conditions: Vec::new(),
            }),
            Mutation::SingleUpsert => {
                if !addresses_key(self.request, table) {
                    return Err(PlanError::PutFilters);
                }
                Ok(Write::Insert {
                    columns: self.columns(table)?,
                    body: self.body(),
                    apply_defaults: false,
                    conflict: Some(Conflict::on(
                        table.primary_key.iter().cloned(),
                        Resolution::MergeDuplicates,
                    )),
                    conditions: self.conditions(table),
                })
            }
            Mutation::Update => self.update(table),
            Mutation::Delete => Ok(Write::Delete {
                filters: self.conditions(table),
            }),
        }
    }

    /// Conditions of the root.
    pub(crate) fn conditions(self, table: &Table) -> Vec<Condition> {
        let scope = Scope {
            catalog: self.catalog,
            table: Some(table),
        };
        let filters = self
            .request
            .filters
            .iter()
            .filter(|(path, _)| path.is_empty());
        let logic = self
            .request
            .logic
            .iter()
            .filter(|(path, _)| path.is_empty());
        filters
            .map(|(_, filter)| scope.condition(filter))
            .chain(logic.map(|(_, tree)| logic_condition(tree, scope, &[])))
            .collect()
    }

    /// The columns that the body gives.
    pub(crate) fn columns(self, table: &Table) -> Result<Vec<WriteColumn>, PlanError> {
        let names = self.payload.keys().into_iter();
        names.map(|name| self.column(table, name)).collect()
    }

    pub(crate) fn column(self, table: &Table, name: &str) -> Result<WriteColumn, PlanError> {
        let found = table
            .column(name)
            .ok_or_else(|| PlanError::ColumnNotFound {
                relation: table.name.name.to_string(),
                column: name.to_owned(),
            })?;
        let transform = self.catalog.representation("json", &found.nominal_type);
        Ok(WriteColumn {
            name: Arc::clone(&found.name),
            type_name: Arc::clone(&found.nominal_type),
            collation: found.collation.clone(),
            transform: transform.map(|representation| Arc::clone(&representation.function)),
            default: found.default.clone(),
            operation: None,
        })
    }

    pub(crate) fn body(self) -> JsonBody {
        match self.payload {
            Payload::Json {
                bytes, is_object, ..
            } => JsonBody {
                bytes: bytes.clone(),
                is_object: *is_object,
            },
            Payload::None | Payload::Form(_) | Payload::Raw(_) => JsonBody {
                bytes: bytes::Bytes::from_static(b"[]"),
                is_object: false,
            },
        }
    }
}

/// A PUT addresses one row: its filters are equality with each column of the primary key, and
/// nothing else.
fn addresses_key(request: &ApiRequest, table: &Table) -> bool {
    let is_equality = |filter: &Filter| {
        !filter.negated
            && matches!(
                filter.operation,
                Operation::Quantified(QuantOperator::Equal, None, _)
            )
    };
    let all_equal = request
        .filters
        .iter()
        .all(|(path, filter)| path.is_empty() && is_equality(filter));
    let mut filtered: Vec<&str> = request
        .filters
        .iter()
        .map(|(_, filter)| filter.field.name.as_str())
        .collect();
    filtered.sort_unstable();
    filtered.dedup();
    let mut key: Vec<&str> = table.primary_key.iter().map(AsRef::as_ref).collect();
    key.sort_unstable();
    request.logic.is_empty() && all_equal && !key.is_empty() && filtered == key
}
