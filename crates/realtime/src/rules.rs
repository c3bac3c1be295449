//! Who may see a row: the policies of its table, as expressions over an image of the row.
//!
//! Policies are asked of the row as it was when it changed, not of what it has become: their expressions are evaluated by the
//! database over a row that is a parameter, under the role and the claims of those who want to see it. What they look up
//! besides is what is there now.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use passerelle_pg::{ControlClient, ControlEndpoint, RowRelation, RowValue};
use serde::Deserialize;

/// Functions that read nothing of a token but its subject.
const OF_SUBJECT: [&str; 1] = ["auth.uid()"];
const TABLE: &str = "select schema_name, table_name, is_guarded, is_full, columns::text, policies::text \
    from passerelle.told_table($1::text::oid)";
const ROLE: &str =
    "select is_above, roles::text[], columns::text[] from passerelle.told_role($1::text::oid, $2)";
const MESSAGES: &str = "select c.oid::text from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
    where n.nspname = 'realtime' and c.relname = 'messages'";
const TABLES: &str = "select passerelle.told_tables($1, $2)::text[]";

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) oid: u32,
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) is_guarded: bool,
    pub(crate) is_full: bool,
    pub(crate) columns: Vec<Column>,
    policies: Vec<Policy>,
}

/// A column.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The name of its type.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// That of what a domain is over.
    pub(crate) base: String,
    number: i32,
    /// Whether it is of the primary key.
    primary: bool,
}

#[derive(Debug, Deserialize)]
struct Policy {
    command: String,
    permissive: bool,
    roles: Vec<String>,
    using: Option<String>,
    check: Option<String>,
    columns: Vec<i32>,
    functions: Vec<String>,
    others: bool,
}

/// What a role may see of a table.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Which columns, in their order.
    pub(crate) columns: Vec<bool>,
    pub(crate) check: Check,
}

/// How it is found out whether a row may be seen.
#[derive(Debug)]
pub(crate) enum Check {
    Always,
    Never,
    Ask(Question),
}

/// A question for the database.
#[derive(Debug)]
pub(crate) struct Question {
    /// A statement whose first parameter is an array of rows.
    pub(crate) statement: String,
    /// What of a token it depends on.
    pub(crate) needs: Needs,
    /// Columns that have to be known, in their order.
    pub(crate) reads: Vec<bool>,
}

/// What of a token an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Role,
    Subject,
    Claims,
}

/// What is wanted: to see a row, or to add one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wish {
    See,
    Add,
}

/// Why something is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RulesError {
    #[error("no connection to the database")]
    Connect(#[from] passerelle_wire::ClientError),
    #[error("the database could not be asked")]
    Ask(#[from] passerelle_pg::ControlError),
    #[error("the database gave an answer that is not understood")]
    Unreadable,
    #[error("there is no such table")]
    Gone,
}

impl RulesError {
    /// Whether the question was not heard, so that it may be asked again.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Connect(_) => true,
            Self::Ask(error) => {
                let code = error.as_db_error().map(|error| error.code().code());
                code.is_none_or(|code| {
                    ["08", "53", "57P"]
                        .iter()
                        .any(|class| code.starts_with(class))
                })
            }
            Self::Unreadable | Self::Gone => false,
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
    /// With the version that was described.
    tables: HashMap<u32, (u64, Arc<Table>)>,
    rules: HashMap<(u32, Arc<str>, Wish), Arc<Rule>>,
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
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Known::default();
    }

    /// The table of a change.
    pub(crate) async fn table(&self, relation: &RowRelation) -> Result<Arc<Table>, RulesError> {
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            match known.tables.get(&relation.table) {
                Some((version, table)) if *version == relation.version => {
                    return Ok(Arc::clone(table));
                }
                _ => known
                    .rules
                    .retain(|(table, ..), _| *table != relation.table),
            }
        }
        self.load(relation.table, relation.version).await
    }

    async fn load(&self, oid: u32, version: u64) -> Result<Arc<Table>, RulesError> {
        let id = oid.to_string();
        let rows = self.ask(TABLE, &[&id]).await?;
        let row = rows.first().ok_or(RulesError::Gone)?;
        let json = |column: usize| -> Result<String, RulesError> { Ok(row.try_get(column)?) };
        let unreadable = |_| RulesError::Unreadable;
        let table = Arc::new(Table {
            oid,
            schema: row.try_get(0)?,
            name: row.try_get(1)?,
            is_guarded: row.try_get(2)?,
            is_full: row.try_get(3)?,
            columns: serde_json::from_str(&json(4)?).map_err(unreadable)?,
            policies: serde_json::from_str(&json(5)?).map_err(unreadable)?,
        });
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.tables.insert(oid, (version, Arc::clone(&table)));
        Ok(table)
    }

    /// What a role may see of a table, or add to it.
    pub(crate) async fn rule(
        &self,
        table: &Table,
        role: &Arc<str>,
        wish: Wish,
    ) -> Result<Arc<Rule>, RulesError> {
        let key = (table.oid, Arc::clone(role), wish);
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(rule) = known.rules.get(&key) {
                return Ok(Arc::clone(rule));
            }
        }
        let id = table.oid.to_string();
        let role: &str = role;
        let rows = self.ask(ROLE, &[&id, &role]).await?;
        let row = rows.first().ok_or(RulesError::Gone)?;
        let is_above: bool = row.try_get(0)?;
        let (roles, columns): (Vec<String>, Vec<String>) = (row.try_get(1)?, row.try_get(2)?);
        let roles: HashSet<&str> = roles.iter().map(String::as_str).collect();
        let columns: HashSet<i32> = columns.iter().filter_map(|one| one.parse().ok()).collect();
        let found = Arc::new(Rule::of(table, is_above, &roles, &columns, wish));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.rules.insert(key, Arc::clone(&found));
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

    /// The table of a name, told or not.
    pub(crate) async fn messages(&self) -> Result<Arc<Table>, RulesError> {
        let rows = self.ask(MESSAGES, &[]).await?;
        let oid: String = rows.first().ok_or(RulesError::Gone)?.try_get(0)?;
        let oid = oid.parse().map_err(|_| RulesError::Unreadable)?;
        self.known_or_load(oid).await
    }

    async fn known_or_load(&self, oid: u32) -> Result<Arc<Table>, RulesError> {
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, table)) = known.tables.get(&oid) {
                return Ok(Arc::clone(table));
            }
        }
        self.load(oid, 0).await
    }

    /// Asks something that is asked rarely, over a connection of its own.
    pub(crate) async fn ask_once(&self, sql: &str) -> Result<(), RulesError> {
        let client = self.endpoint.connect().await?;
        client.query(sql, &[]).await?;
        Ok(())
    }

    /// Asks over a connection that is kept.
    pub(crate) async fn ask(
        &self,
        sql: &str,
        params: &[&(dyn passerelle_pg::ToSql + Sync)],
    ) -> Result<Vec<passerelle_pg::ControlRow>, RulesError> {
        let mut kept = self.client.lock().await;
        let open = kept.take().filter(|client| !client.is_closed());
        let client = match open {
            Some(client) => client,
            None => self.endpoint.connect().await?,
        };
        let rows = client.query(sql, params).await;
        *kept = Some(client);
        Ok(rows?)
    }
}

#[cfg(test)]
impl Table {
    pub(crate) fn for_tests(columns: Vec<Column>) -> Self {
        Self {
            oid: 1,
            schema: "public".to_owned(),
            name: "posts".to_owned(),
            is_guarded: false,
            is_full: false,
            columns,
            policies: Vec::new(),
        }
    }
}

impl Rule {
    fn of(
        table: &Table,
        is_above: bool,
        roles: &HashSet<&str>,
        columns: &HashSet<i32>,
        wish: Wish,
    ) -> Self {
        let allowed: Vec<bool> = table
            .columns
            .iter()
            .map(|column| columns.contains(&column.number))
            .collect();
        let check = if !allowed.iter().any(|is_allowed| *is_allowed) {
            Check::Never
        } else if !table.is_guarded || is_above {
            Check::Always
        } else {
            Self::check(table, roles, wish)
        };
        Self {
            columns: allowed,
            check,
        }
    }

    fn check(table: &Table, roles: &HashSet<&str>, wish: Wish) -> Check {
        let command = match wish {
            Wish::See => "r",
            Wish::Add => "a",
        };
        let applies = |policy: &&Policy| {
            (policy.command == command || policy.command == "*")
                && policy
                    .roles
                    .iter()
                    .any(|role| role == "0" || roles.contains(role.as_str()))
        };
        let policies: Vec<&Policy> = table.policies.iter().filter(applies).collect();
        let expression = |policy: &Policy| {
            let expression = match wish {
                Wish::See => policy.using.as_ref(),
                Wish::Add => policy.check.as_ref().or(policy.using.as_ref()),
            };
            expression.map_or("true".to_owned(), |text| format!("({text})"))
        };
        let of_kind = |is_permissive: bool| {
            let these = policies
                .iter()
                .filter(move |policy| policy.permissive == is_permissive);
            these.map(|policy| expression(policy)).collect::<Vec<_>>()
        };
        let (permissive, restrictive) = (of_kind(true), of_kind(false));
        if permissive.is_empty() {
            return Check::Never;
        }
        let mut all = format!("({})", permissive.join(" or "));
        for one in &restrictive {
            let _ = write!(all, " and {one}");
        }
        let (schema, name) = (quoted(&table.schema), quoted(&table.name));
        let numbers: HashSet<i32> = policies
            .iter()
            .flat_map(|policy| policy.columns.iter().copied())
            .collect();
        let reads = table.columns.iter();
        let reads = reads.map(|column| numbers.contains(&column.number));
        Check::Ask(Question {
            statement: format!(
                "select coalesce({all}, false) from pg_catalog.unnest($1::{schema}.{name}[]) as {name}"
            ),
            needs: needs(&policies, &all),
            reads: reads.collect(),
        })
    }
}

/// What of a token the policies depend on, as far as that can be seen.
fn needs(policies: &[&Policy], text: &str) -> Needs {
    let knows = |function: &String| OF_SUBJECT.contains(&function.as_str());
    let may_read_all = policies
        .iter()
        .any(|policy| policy.others || !policy.functions.iter().all(knows));
    if may_read_all || text.contains("current_setting") {
        return Needs::Claims;
    }
    if policies.iter().any(|policy| !policy.functions.is_empty()) {
        return Needs::Subject;
    }
    Needs::Role
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Rows as an array of PostgreSQL.
pub(crate) fn array<'a>(rows: impl Iterator<Item = &'a [Option<&'a str>]>) -> String {
    let mut out = String::from("{");
    for (index, row) in rows.enumerate() {
        if index > 0 {
            out.push(',');
        }
        let mut composite = String::from("(");
        for (index, value) in row.iter().enumerate() {
            if index > 0 {
                composite.push(',');
            }
            if let Some(value) = value {
                composite.push('"');
                for c in value.chars() {
                    if matches!(c, '"' | '\\') {
                        composite.push(c);
                    }
                    composite.push(c);
                }
                composite.push('"');
            }
        }
        composite.push(')');
        out.push('"');
        for c in composite.chars() {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
        out.push('"');
    }
    out.push('}');
    out
}

/// A row in the order of the table's columns; what is not known is absent.
pub(crate) fn arranged<'a>(
    table: &Table,
    relation: &RowRelation,
    values: &'a [RowValue],
    instead: Option<&'a [RowValue]>,
) -> Vec<Option<&'a RowValue>> {
    let place = |name: &str| relation.columns.iter().position(|column| column == name);
    let columns = table.columns.iter().map(|column| {
        let at = place(&column.name)?;
        let known = |values: &'a [RowValue]| {
            values
                .get(at)
                .filter(|value| **value != RowValue::Unchanged)
        };
        known(values).or_else(|| known(instead?))
    });
    columns.collect()
}

/// Whether a column is of the key by which rows are known. Where they are known by all they hold, that is the primary key.
pub(crate) fn is_key(table: &Table, relation: &RowRelation, column: usize) -> bool {
    let Some(of) = table.columns.get(column) else {
        return false;
    };
    if table.is_full {
        return of.primary;
    }
    let at = relation.columns.iter().position(|name| *name == of.name);
    at.is_some_and(|at| relation.keys.get(at) == Some(&true))
}

/// A value as text; null and what is not known are absent.
pub(crate) fn text(value: Option<&RowValue>) -> Option<&str> {
    match value {
        Some(RowValue::Data(bytes)) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_arrays() {
        let rows = [vec![Some("a\""), None], vec![None, Some("")]];
        let text = array(rows.iter().map(Vec::as_slice));
        assert_eq!(text, r#"{"(\"a\"\"\",)","(,\"\")"}"#);
    }
}
