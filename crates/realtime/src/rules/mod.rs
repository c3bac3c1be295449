//! Who may see a row: the policies of its table, as expressions over an image of the row.
//!
//! Policies are asked of the row as it was when it changed, not of what it has become: their expressions are evaluated by the
//! database over a row that is a parameter, under the role and the claims of those who want to see it. What they look up
//! besides is what is there now.

mod row;
mod rule;

use std::collections::HashMap;
use std::error::Error as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use passerelle_pg::{ControlClient, ControlEndpoint, ROW_STYLE, RowRelation};
use tokio::time::timeout;

use crate::setback::Setback;

pub(crate) use self::row::{arranged, array, is_key, text};
use self::rule::Grants;
pub(crate) use self::rule::{Check, Column, Needs, Question, Rule, Table, Wish};

/// Longest time for a question about definitions.
const PATIENCE: Duration = Duration::from_secs(10);
const TABLE: &str = "select id::text, schema_name, table_name, is_guarded, is_watched, columns::text, policies::text \
    from passerelle.followed_table($1::text::oid)";
const ROLE: &str = "select is_above, may_add, roles::text[], columns::text[] from passerelle.followed_role($1::text::oid, $2)";
const MESSAGES: &str = "select c.oid::text from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
    where n.nspname = 'realtime' and c.relname = 'messages'";
const TABLES: &str = "select passerelle.told_tables($1, $2)::text[]";

/// Why something is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RulesError {
    #[error("no connection to the database")]
    Connect(#[from] passerelle_wire::ClientError),
    #[error("the database could not be asked")]
    Ask(#[from] passerelle_pg::ControlError),
    #[error("the database did not answer in time")]
    Late,
    #[error("the database gave an answer that is not understood")]
    Unreadable,
    #[error("there is no such table")]
    Gone,
}

impl RulesError {
    /// What is to be done about it.
    pub(crate) fn setback(&self) -> Setback {
        match self {
            Self::Connect(_) | Self::Late => Setback::Unheard,
            Self::Ask(error) => match error.as_db_error() {
                Some(error) => Setback::of(error.code().code()),
                None if error.is_closed() => Setback::Unheard,
                None => match error.source() {
                    Some(source) if source.is::<io::Error>() => Setback::Unheard,
                    _ => Setback::Refused,
                },
            },
            Self::Unreadable | Self::Gone => Setback::Refused,
        }
    }
}

/// Tables and rules as they are known.
#[derive(Debug)]
pub(crate) struct Rules {
    endpoint: ControlEndpoint,
    client: tokio::sync::Mutex<Option<ControlClient>>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Somebody tells when definitions change. Otherwise nothing is kept.
    is_told: bool,
    /// Grows whenever something may be different: what was asked before is not kept after.
    generation: u64,
    /// The last description.
    editions: u64,
    /// With the version that was described.
    tables: HashMap<u32, (u64, Arc<Table>)>,
    /// That of messages.
    messages: Option<Arc<Table>>,
    /// With the description that they are for.
    rules: HashMap<RuleKey, (Arc<Table>, Arc<Rule>)>,
}

/// Of a table and a role.
type RuleKey = (u32, Arc<str>, Wish);

impl Known {
    fn keeps(&self, generation: u64, table: &Table) -> bool {
        self.is_told && table.is_watched && self.generation == generation
    }
}

impl Rules {
    pub(crate) fn new(endpoint: ControlEndpoint) -> Self {
        Self {
            endpoint,
            client: tokio::sync::Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Everything may be different.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        known.generation += 1;
        known.tables.clear();
        known.messages = None;
        known.rules.clear();
    }

    /// Whether changes of definitions are told from now on.
    pub(crate) fn follow(&self, is_told: bool) {
        self.known().is_told = is_told;
        self.forget();
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table of a change: for a partition, the one that it is of.
    pub(crate) async fn table(&self, relation: &RowRelation) -> Result<Arc<Table>, RulesError> {
        if let Some((version, table)) = self.known().tables.get(&relation.table)
            && *version == relation.version
        {
            return Ok(Arc::clone(table));
        }
        self.load(relation.table, relation.version).await
    }

    async fn load(&self, oid: u32, version: u64) -> Result<Arc<Table>, RulesError> {
        let (generation, edition) = {
            let mut known = self.known();
            known.editions += 1;
            (known.generation, known.editions)
        };
        let rows = self.ask(TABLE, &[&oid.to_string()]).await?;
        let row = rows.first().ok_or(RulesError::Gone)?;
        let unreadable = |_| RulesError::Unreadable;
        let text = |column: usize| -> Result<String, RulesError> { Ok(row.try_get(column)?) };
        let table = Arc::new(Table {
            edition,
            oid: text(0)?.parse().map_err(|_| RulesError::Unreadable)?,
            schema: text(1)?,
            name: text(2)?,
            is_guarded: row.try_get(3)?,
            is_watched: row.try_get(4)?,
            columns: serde_json::from_str(&text(5)?).map_err(unreadable)?,
            policies: serde_json::from_str(&text(6)?).map_err(unreadable)?,
        });
        let mut known = self.known();
        if known.keeps(generation, &table) {
            known.tables.insert(oid, (version, Arc::clone(&table)));
        }
        Ok(table)
    }

    /// What a role may see of a table, or add to it.
    pub(crate) async fn rule(
        &self,
        table: &Arc<Table>,
        role: &Arc<str>,
        wish: Wish,
    ) -> Result<Arc<Rule>, RulesError> {
        let key = (table.oid, Arc::clone(role), wish);
        let generation = {
            let known = self.known();
            if let Some((of, rule)) = known.rules.get(&key)
                && Arc::ptr_eq(of, table)
            {
                return Ok(Arc::clone(rule));
            }
            known.generation
        };
        let (id, role): (String, &str) = (table.oid.to_string(), role);
        let rows = self.ask(ROLE, &[&id, &role]).await?;
        let row = rows.first().ok_or(RulesError::Gone)?;
        let (roles, columns): (Vec<String>, Vec<String>) = (row.try_get(2)?, row.try_get(3)?);
        let grants = Grants {
            is_above: row.try_get(0)?,
            may_add: row.try_get(1)?,
            roles: roles.iter().map(String::as_str).collect(),
            columns: columns.iter().filter_map(|one| one.parse().ok()).collect(),
        };
        let found = Arc::new(Rule::of(table, &grants, wish));
        let mut known = self.known();
        if known.keeps(generation, table) {
            let kept = (Arc::clone(table), Arc::clone(&found));
            known.rules.insert(key, kept);
        }
        Ok(found)
    }

    /// Tables of a schema whose changes are told, or the one of a name.
    pub(crate) async fn tables(
        &self,
        schema: Option<&str>,
        table: Option<&str>,
    ) -> Result<Vec<Arc<Table>>, RulesError> {
        let rows = self.ask(TABLES, &[&schema, &table]).await?;
        let row = rows.first().ok_or(RulesError::Unreadable)?;
        let ids: Vec<String> = row.try_get(0)?;
        let mut tables = Vec::with_capacity(ids.len());
        for id in ids {
            let oid = id.parse().map_err(|_| RulesError::Unreadable)?;
            tables.push(self.known_or_load(oid).await?);
        }
        Ok(tables)
    }

    /// The table of messages, told or not.
    pub(crate) async fn messages(&self) -> Result<Arc<Table>, RulesError> {
        let generation = {
            let known = self.known();
            if let Some(table) = &known.messages {
                return Ok(Arc::clone(table));
            }
            known.generation
        };
        let rows = self.ask(MESSAGES, &[]).await?;
        let oid: String = rows.first().ok_or(RulesError::Gone)?.try_get(0)?;
        let oid = oid.parse().map_err(|_| RulesError::Unreadable)?;
        let table = self.known_or_load(oid).await?;
        let mut known = self.known();
        if known.keeps(generation, &table) {
            known.messages = Some(Arc::clone(&table));
        }
        Ok(table)
    }

    async fn known_or_load(&self, oid: u32) -> Result<Arc<Table>, RulesError> {
        if let Some((_, table)) = self.known().tables.get(&oid) {
            return Ok(Arc::clone(table));
        }
        self.load(oid, 0).await
    }

    /// Asks something that is asked rarely, over a connection of its own.
    pub(crate) async fn ask_once(&self, sql: &str) -> Result<(), RulesError> {
        let client = self.endpoint.connect().await?;
        client.query(sql, &[]).await?;
        Ok(())
    }

    /// Asks over a connection that is kept, and that writes values as changes have them.
    pub(crate) async fn ask(
        &self,
        sql: &str,
        params: &[&(dyn passerelle_pg::ToSql + Sync)],
    ) -> Result<Vec<passerelle_pg::ControlRow>, RulesError> {
        let mut kept = self.client.lock().await;
        let open = kept.take().filter(|client| !client.is_closed());
        let asked = async {
            let client = if let Some(client) = open {
                client
            } else {
                let client = self.endpoint.connect().await?;
                client.query(ROW_STYLE, &[]).await?;
                client
            };
            let rows = client.query(sql, params).await;
            *kept = Some(client);
            Ok::<_, RulesError>(rows?)
        };
        timeout(PATIENCE, asked)
            .await
            .map_err(|_| RulesError::Late)?
    }
}
