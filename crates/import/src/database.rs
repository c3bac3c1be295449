//! What the importer asks of the database, and what it has to keep quiet while rows are written.

use std::collections::{HashMap, HashSet};

use passerelle_pg::{ControlError, ControlTransaction};
use thiserror::Error;
use uuid::Uuid;

use crate::collect::key_of;
use crate::table::{Natural, Table};

/// How many values a question has at a time.
const AT_ONCE: usize = 20_000;
/// What has a gateway tell nobody about the changes of a transaction.
const QUIET: &str = "select pg_catalog.pg_logical_emit_message(true, 'passerelle.quiet', '')";
const PATIENCE: &str = "set local lock_timeout = '10s'";
const NAMES: &str = "set local search_path = pg_catalog";
const NO_LIMIT: &str = "set local statement_timeout = 0";
const AT_ONCE_CHECKED: &str = "set constraints all immediate";
const RELATIONS: &str = "select n.nspname || '.' || c.relname, pg_catalog.pg_has_role(c.relowner, 'usage'), \
    array(select a.attname::text from pg_catalog.pg_attribute a \
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) \
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
    where c.relkind in ('r', 'p') and n.nspname || '.' || c.relname = any($1)";
const TRIGGERS: &str = "select \
      pg_catalog.format('alter table %s disable trigger %I', t.tgrelid::pg_catalog.regclass, t.tgname), \
      pg_catalog.format('alter table %s enable %s trigger %I', t.tgrelid::pg_catalog.regclass, \
        case t.tgenabled when 'A' then 'always' when 'R' then 'replica' else '' end, t.tgname) \
    from pg_catalog.pg_trigger t \
    where not t.tgisinternal and t.tgenabled <> 'D' and t.tgrelid = any($1::text[]::pg_catalog.regclass[]) \
    order by t.tgrelid, t.tgname";
const PROFILES: &str = "select user_id::text, lower(email) from public.profiles \
    where lower(email) = any($1) or user_id = any($2::text[]::uuid[])";
const ACCOUNTS: &str = "select id::text, lower(email) from auth.users \
    where (lower(email) = any($1) and not is_sso_user) or id = any($2::text[]::uuid[])";
const USERNAMES: &str = "select username::text from public.profiles where username is not null";
const TAGS: &str = "select name::text from public.category_tag_suggestions \
    where type = 'tag' and status = 'approved' order by name";
const WITH_ROLES: &str =
    "select user_id::text from public.user_roles where user_id = any($1::text[]::uuid[])";
/// Of settings that nobody has changed since they were put there.
const UNTOUCHED: &str = "select id::text from public.admin_configs where updated_at = created_at";

/// Why the database cannot be filled.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// The application is not there.
    #[error(
        "the database has no {0}: apply the application first (passerelle migrate --app sql/hub-lib)"
    )]
    Missing(String),
    /// A right is missing.
    #[error(
        "{0} belongs to another role: import as the owner of the tables, who may keep their triggers from running"
    )]
    NotOwner(String),
    /// Somebody else works with the tables.
    #[error("the tables are in use by another transaction: try again when it has ended")]
    Busy(#[source] ControlError),
    /// The database failed.
    #[error("the database failed: {}", passerelle_pg::told(.0))]
    Failed(#[from] ControlError),
    /// It has answered something else.
    #[error("the database gave an answer that is not understood")]
    Unreadable,
}

/// The tables that are filled, with their columns.
fn targets() -> Vec<(String, Vec<&'static str>)> {
    let users = vec!["id", "email", "encrypted_password", "email_confirmed_at"];
    let identities = vec!["id", "user_id", "provider_id", "identity_data", "provider"];
    let mut targets = vec![
        ("auth.users".to_owned(), users),
        ("auth.identities".to_owned(), identities),
        (
            "public.profiles".to_owned(),
            vec!["id", "user_id", "email", "username"],
        ),
    ];
    targets.extend(Table::plain().map(|table| {
        let columns = table.columns().iter().map(|column| column.name);
        let columns = std::iter::once("id").chain(columns).collect();
        (format!("public.{}", table.name()), columns)
    }));
    targets
}

/// Takes the tables: nobody else writes to them until the transaction ends.
pub(crate) async fn take(transaction: &ControlTransaction<'_>) -> Result<(), DatabaseError> {
    let targets = targets();
    let names: Vec<&str> = targets.iter().map(|(name, _)| name.as_str()).collect();
    let mut found: HashMap<String, (bool, Vec<String>)> = HashMap::new();
    for row in transaction.query(RELATIONS, &[&names]).await? {
        found.insert(row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
    }
    for (name, columns) in &targets {
        let Some((is_owner, has)) = found.get(name) else {
            return Err(DatabaseError::Missing(format!("table {name}")));
        };
        let missing = columns
            .iter()
            .find(|column| !has.iter().any(|has| has == *column));
        if let Some(column) = missing {
            return Err(DatabaseError::Missing(format!("column {name}.{column}")));
        }
        if !is_owner {
            return Err(DatabaseError::NotOwner(name.clone()));
        }
    }
    for setting in [PATIENCE, NAMES, NO_LIMIT, QUIET] {
        transaction.execute(setting, &[]).await?;
    }
    let lock = format!(
        "lock table {} in share row exclusive mode",
        names.join(", ")
    );
    transaction
        .execute(&lock, &[])
        .await
        .map_err(DatabaseError::Busy)?;
    Ok(())
}

/// Triggers that do not run for the time being.
pub(crate) struct Silenced {
    again: Vec<String>,
}

/// Keeps triggers from running: nobody is told about old data, no work follows it, and nothing is counted twice.
/// Foreign keys are still checked.
pub(crate) async fn silence(
    transaction: &ControlTransaction<'_>,
) -> Result<Silenced, DatabaseError> {
    let names: Vec<String> = targets().into_iter().map(|(name, _)| name).collect();
    let mut again = Vec::new();
    for row in transaction.query(TRIGGERS, &[&names]).await? {
        let off: &str = row.try_get(0)?;
        transaction.execute(off, &[]).await?;
        again.push(row.try_get(1)?);
    }
    Ok(Silenced { again })
}

impl Silenced {
    /// Has them run again.
    pub(crate) async fn end(
        self,
        transaction: &ControlTransaction<'_>,
    ) -> Result<(), DatabaseError> {
        transaction.execute(AT_ONCE_CHECKED, &[]).await?;
        for on in &self.again {
            transaction.execute(on, &[]).await?;
        }
        Ok(())
    }
}

/// People that the database knows.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) profiles: Directory,
    pub(crate) accounts: Directory,
    pub(crate) usernames: HashSet<String>,
}

/// People by address and id.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) by_email: HashMap<String, Uuid>,
    pub(crate) ids: HashSet<Uuid>,
}

pub(crate) async fn known(
    transaction: &ControlTransaction<'_>,
    emails: &[String],
    ids: &[Uuid],
) -> Result<Known, DatabaseError> {
    let ids = texts(ids);
    let mut known = Known::default();
    for (question, found) in [
        (PROFILES, &mut known.profiles),
        (ACCOUNTS, &mut known.accounts),
    ] {
        for row in transaction.query(question, &[&emails, &ids]).await? {
            let email: Option<String> = row.try_get(1)?;
            let id = uuid(row.try_get(0)?)?;
            found.ids.insert(id);
            found.by_email.insert(email.unwrap_or_default(), id);
        }
    }
    for row in transaction.query(USERNAMES, &[]).await? {
        known.usernames.insert(row.try_get(0)?);
    }
    Ok(known)
}

/// Which of these rows the database has; of people, which of these ids.
pub(crate) async fn existing(
    transaction: &ControlTransaction<'_>,
    table: Table,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, DatabaseError> {
    let column = if table == Table::Profiles {
        "user_id"
    } else {
        "id"
    };
    let question = format!(
        "select {column}::text from public.{} where {column} = any($1::text[]::uuid[])",
        table.name()
    );
    ask(transaction, &question, ids).await
}

/// Who of these has a role.
pub(crate) async fn with_roles(
    transaction: &ControlTransaction<'_>,
    people: &[Uuid],
) -> Result<HashSet<Uuid>, DatabaseError> {
    ask(transaction, WITH_ROLES, people).await
}

/// Settings that are as they were put there.
pub(crate) async fn untouched_settings(
    transaction: &ControlTransaction<'_>,
) -> Result<HashSet<Uuid>, DatabaseError> {
    let rows = transaction.query(UNTOUCHED, &[]).await?;
    let ids = rows.iter().map(|row| uuid(row.try_get(0)?));
    ids.collect()
}

async fn ask(
    transaction: &ControlTransaction<'_>,
    question: &str,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, DatabaseError> {
    let mut found = HashSet::new();
    for some in ids.chunks(AT_ONCE) {
        for row in transaction.query(question, &[&texts(some)]).await? {
            found.insert(uuid(row.try_get(0)?)?);
        }
    }
    Ok(found)
}

/// A natural key: what it belongs to, and what tells it apart from others there.
pub(crate) type Key = (Uuid, u128);

/// Rows of the database by their natural keys, as far as they belong to these.
pub(crate) async fn naturals(
    transaction: &ControlTransaction<'_>,
    table: Table,
    parents: &[Uuid],
) -> Result<HashMap<Key, Uuid>, DatabaseError> {
    let mut columns = table.references().map(|(column, _, _)| column.name);
    let mut next = || columns.next().unwrap_or("id");
    let first = next();
    let second = match table.natural() {
        Natural::Nothing => return Ok(HashMap::new()),
        Natural::One => "''".to_owned(),
        Natural::Two => format!("{}::text", next()),
        Natural::Target => format!("coalesce({}, {})::text", next(), next()),
        Natural::Numbered => "version_number::text".to_owned(),
        Natural::Text => return texts_of(transaction, table).await,
    };
    let question = format!(
        "select id::text, {first}::text, {second} from public.{} where {first} = any($1::text[]::uuid[])",
        table.name()
    );
    let mut found = HashMap::new();
    for some in parents.chunks(AT_ONCE) {
        for row in transaction.query(&question, &[&texts(some)]).await? {
            let (id, parent) = (uuid(row.try_get(0)?)?, uuid(row.try_get(1)?)?);
            let rest: &str = row.try_get(2)?;
            let rest = match table.natural() {
                Natural::One => 0,
                Natural::Numbered => rest.parse().map_err(|_| DatabaseError::Unreadable)?,
                _ => uuid(rest)?.as_u128(),
            };
            found.insert((parent, rest), id);
        }
    }
    Ok(found)
}

async fn texts_of(
    transaction: &ControlTransaction<'_>,
    table: Table,
) -> Result<HashMap<Key, Uuid>, DatabaseError> {
    let key = match table {
        Table::Suggestions => "type::text || e'\\x1f' || name",
        _ => "key::text",
    };
    let question = format!("select id::text, {key} from public.{}", table.name());
    let mut found = HashMap::new();
    for row in transaction.query(&question, &[]).await? {
        let key = u128::from(key_of(row.try_get(1)?));
        found.insert((Uuid::nil(), key), uuid(row.try_get(0)?)?);
    }
    Ok(found)
}

/// How the approved tags are spelled, by their lower-case form.
pub(crate) async fn tags(
    transaction: &ControlTransaction<'_>,
) -> Result<HashMap<String, String>, DatabaseError> {
    let mut tags = HashMap::new();
    for row in transaction.query(TAGS, &[]).await? {
        let name: String = row.try_get(0)?;
        tags.entry(name.to_lowercase()).or_insert(name);
    }
    Ok(tags)
}

/// Ids as PostgreSQL reads them.
pub(crate) fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

fn uuid(text: &str) -> Result<Uuid, DatabaseError> {
    text.parse().map_err(|_| DatabaseError::Unreadable)
}
