//! What a client wants to know of: its bindings, and what they mean for the tables that there are.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use passerelle_pg::{RowWhat, ToSql, chain};

use super::filter::{Filter, Literal};
use crate::join::BindingConfig;
use crate::rules::{RulesError, Table, Wish};
use crate::setback::Setback;
use crate::state::Shared;

/// A binding, in the one way in which it can be said: those who have the same are told together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Binding {
    /// Nothing, if there is no such event.
    event: Option<Wanted>,
    schema: String,
    table: Option<String>,
    pub(super) select: Option<Vec<String>>,
    filter: Option<String>,
}

impl Binding {
    fn of(config: &BindingConfig) -> Self {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Self {
            event: Wanted::of(&config.event),
            schema: config.schema.clone(),
            table: given(&config.table).filter(|table| table != "*"),
            select: config.select.clone(),
            filter: given(&config.filter),
        }
    }

    /// The same for the same binding, everywhere. Others may have it, too.
    fn id(&self) -> u32 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        // Clients keep numbers of 53 bits at most; what is shown stays short.
        u32::try_from(hasher.finish() & 0x7fff_ffff).unwrap_or_default()
    }
}

/// What somebody wants to know of.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(super) id: u32,
    pub(super) binding: Binding,
    /// The values of the filter as the database writes them.
    values: Vec<String>,
    compiled: Mutex<HashMap<u32, Arc<CompiledFilter>>>,
}

/// For one description of a table.
#[derive(Debug)]
pub(super) struct CompiledFilter {
    table: Arc<Table>,
    pub(super) filter: Filter,
}

/// Which changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Wanted {
    All,
    Insert,
    Update,
    Delete,
}

impl Wanted {
    fn of(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "*" => Some(Self::All),
            "INSERT" => Some(Self::Insert),
            "UPDATE" => Some(Self::Update),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }

    fn takes(self, what: &RowWhat) -> bool {
        match self {
            Self::All => true,
            Self::Insert => matches!(what, RowWhat::Insert { .. }),
            Self::Update => matches!(what, RowWhat::Update { .. }),
            Self::Delete => matches!(what, RowWhat::Delete { .. }),
        }
    }
}

impl Spec {
    /// The id of a binding.
    pub(crate) fn id_of(config: &BindingConfig) -> u32 {
        Binding::of(config).id()
    }

    /// A binding, whose table is known if it has a filter. `values` are those of the filter, as the database writes them.
    ///
    /// # Errors
    /// What is wrong with it, for whoever asked.
    fn new(binding: Binding, tables: &[Arc<Table>], values: Vec<String>) -> Result<Self, String> {
        if let Some(select) = &binding.select
            && let [table] = tables
            && let Some(unknown) = select
                .iter()
                .find(|name| table.columns.iter().all(|column| column.name != **name))
        {
            return Err(format!(
                "invalid column {unknown:?} for select: table {}.{} has none of this name",
                table.schema, table.name
            ));
        }
        let spec = Self {
            id: binding.id(),
            binding,
            values,
            compiled: Mutex::default(),
        };
        if let [table] = tables {
            spec.compile(table)?;
        }
        Ok(spec)
    }

    /// A column that the filter looks at and that somebody may not read: what it lets through would tell of it.
    pub(super) fn hidden(&self, table: &Arc<Table>, allowed: &[bool]) -> Option<String> {
        let compiled = self.compile(table).ok()??;
        let hidden = compiled
            .filter
            .columns()
            .find(|column| allowed.get(*column) != Some(&true))?;
        table.columns.get(hidden).map(|column| column.name.clone())
    }

    pub(super) fn compile(
        &self,
        table: &Arc<Table>,
    ) -> Result<Option<Arc<CompiledFilter>>, String> {
        let Some(text) = &self.binding.filter else {
            return Ok(None);
        };
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(&table.oid)
            && Arc::ptr_eq(&known.table, table)
        {
            return Ok(Some(Arc::clone(known)));
        }
        let mut values = self.values.iter().cloned();
        let filter = Filter::read(text, table, &mut |_, _| values.next())?;
        let filter = Arc::new(CompiledFilter {
            table: Arc::clone(table),
            filter,
        });
        compiled.insert(table.oid, Arc::clone(&filter));
        Ok(Some(filter))
    }

    /// Whether it wants to know of such a change of a table.
    pub(super) fn takes(&self, table: &Table, what: &RowWhat) -> bool {
        let Binding {
            event,
            schema,
            table: name,
            ..
        } = &self.binding;
        (schema == "*" || *schema == table.schema)
            && name.as_ref().is_none_or(|name| *name == table.name)
            && event.is_some_and(|event| event.takes(what))
    }
}

/// Why values of a filter are not known as the database writes them.
enum Unwritten {
    /// One is no value of its type.
    Wrong(Literal),
    Unknown(RulesError),
}

impl Shared {
    /// What a binding means for somebody, if it can be meant.
    ///
    /// # Errors
    /// What is wrong with it, for whoever asked.
    pub(crate) async fn spec(
        &self,
        config: &BindingConfig,
        role: &Arc<str>,
    ) -> Result<Spec, String> {
        let fault = |error: &RulesError| {
            let error = chain(error);
            tracing::warn!(error, "a binding cannot be looked at");
            "Unable to subscribe to changes with given parameters".to_owned()
        };
        let binding = Binding::of(config);
        if binding.event.is_none() {
            return Err(format!("invalid event {:?}", config.event));
        }
        if binding.schema.is_empty() {
            return Err("A binding needs a schema".to_owned());
        }
        let table = binding.table.as_deref();
        let schema = Some(binding.schema.as_str()).filter(|schema| *schema != "*");
        let tables = self.rules.tables(schema, table).await;
        let tables = tables.map_err(|error| fault(&error))?;
        if tables.is_empty() && table.is_some() {
            return Err(format!(
                "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect \
                 parameters: [event: {}, schema: {}, table: {}]",
                config.event,
                config.schema,
                table.unwrap_or("*")
            ));
        }
        let mut values = Vec::new();
        if let Some(filter) = &binding.filter {
            let [of] = &tables[..] else {
                return Err("A filter needs a table".to_owned());
            };
            let literals = Filter::literals(filter, of)?;
            values = self.written(&literals).await.map_err(|error| match error {
                Unwritten::Wrong(Literal { text, kind, .. }) => {
                    format!("invalid value {text:?} for type {kind}")
                }
                Unwritten::Unknown(error) => fault(&error),
            })?;
        }
        let spec = Spec::new(binding, &tables, values)?;
        if let [table] = &tables[..] {
            let seen = self.rules.rule(table, role, Wish::See).await;
            let seen = seen.map_err(|error| fault(&error))?;
            if let Some(hidden) = spec.hidden(table, &seen.columns) {
                return Err(format!("invalid column for filter {hidden}"));
            }
        }
        Ok(spec)
    }

    /// Values as the database writes those of rows.
    async fn written(&self, literals: &[Literal]) -> Result<Vec<String>, Unwritten> {
        let mut written = Vec::with_capacity(literals.len());
        // All at once; where one is wrong, it is found by halves.
        let mut parts: Vec<&[Literal]> = vec![literals];
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            match self.write(part).await {
                Ok(texts) => written.extend(texts),
                Err(error) if matches!(error.setback(), Setback::Unheard | Setback::Busy) => {
                    return Err(Unwritten::Unknown(error));
                }
                Err(_) if part.len() == 1 => return Err(Unwritten::Wrong(part[0].clone())),
                Err(_) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            }
        }
        Ok(written)
    }

    async fn write(&self, literals: &[Literal]) -> Result<Vec<String>, RulesError> {
        let format = |(index, literal): (usize, &Literal)| {
            format!(
                "pg_catalog.format('%s', ${}::text::{})",
                index + 1,
                literal.of
            )
        };
        let items: Vec<String> = literals.iter().enumerate().map(format).collect();
        let sql = format!("select array[{}]", items.join(", "));
        let texts = literals.iter().map(|literal| &literal.text);
        let params: Vec<&(dyn ToSql + Sync)> =
            texts.map(|text| text as &(dyn ToSql + Sync)).collect();
        let rows = self.rules.ask(&sql, &params).await?;
        let row = rows.first().ok_or(RulesError::Unreadable)?;
        Ok(row.try_get(0)?)
    }
}
