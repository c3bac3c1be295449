//! Changes of rows: who wants to know of which, who may, and what they are told.

mod deliver;
mod filter;
mod record;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use passerelle_pg::RowWhat;

use self::filter::Filter;
use crate::join::BindingConfig;
use crate::outlet::{Audience, Outlet};
use crate::rules::Table;

pub(crate) use self::deliver::{Deliverer, missed};
pub(crate) use self::filter::Filter as BindingFilter;

/// What somebody wants to know of.
#[derive(Debug)]
pub(crate) struct Spec {
    /// The same for the same wish, everywhere. Different wishes may have the same.
    pub(crate) id: u32,
    event: Wanted,
    schema: String,
    table: Option<String>,
    select: Option<Vec<String>>,
    /// The filter as it was written, with its values as the database writes them.
    filter: Option<(String, Vec<String>)>,
    compiled: Mutex<HashMap<u32, Arc<CompiledFilter>>>,
}

/// For one description of a table.
#[derive(Debug)]
struct CompiledFilter {
    table: Arc<Table>,
    filter: Filter,
}

/// A wish as it was written: who has the same is told together.
type Wish = (
    Wanted,
    String,
    Option<String>,
    Option<Vec<String>>,
    Option<String>,
);

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
    /// The id of a wish.
    pub(crate) fn id_of(config: &BindingConfig) -> u32 {
        let mut hasher = DefaultHasher::new();
        config.event.to_ascii_uppercase().hash(&mut hasher);
        config.schema.hash(&mut hasher);
        config.table.hash(&mut hasher);
        config.filter.hash(&mut hasher);
        config.select.hash(&mut hasher);
        // Clients keep numbers of 53 bits at most; what is shown stays short.
        u32::try_from(hasher.finish() & 0x7fff_ffff).unwrap_or_default()
    }

    /// A wish, whose table is known if it has a filter. `values` are those of the filter, as the database writes them.
    ///
    /// # Errors
    /// What is wrong with it, for whoever asked.
    pub(crate) fn new(
        config: &BindingConfig,
        tables: &[Arc<Table>],
        values: Vec<String>,
    ) -> Result<Self, String> {
        let event =
            Wanted::of(&config.event).ok_or_else(|| format!("invalid event {:?}", config.event))?;
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let table = given(&config.table).filter(|table| table != "*");
        let filter = given(&config.filter).map(|filter| (filter, values));
        if let Some(select) = &config.select
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
            id: Self::id_of(config),
            event,
            schema: config.schema.clone(),
            table,
            select: config.select.clone(),
            filter,
            compiled: Mutex::default(),
        };
        if spec.filter.is_some() {
            let [table] = tables else {
                return Err("a filter needs a table".to_owned());
            };
            spec.compile(table)?;
        }
        Ok(spec)
    }

    fn wish(&self) -> Wish {
        let filter = self.filter.as_ref().map(|(text, _)| text.clone());
        (
            self.event,
            self.schema.clone(),
            self.table.clone(),
            self.select.clone(),
            filter,
        )
    }

    /// A column that the filter looks at and that somebody may not read: what it lets through would tell of it.
    pub(crate) fn hidden(&self, table: &Arc<Table>, allowed: &[bool]) -> Option<String> {
        let compiled = self.compile(table).ok()??;
        let hidden = compiled
            .filter
            .columns()
            .find(|column| allowed.get(*column) != Some(&true))?;
        table.columns.get(hidden).map(|column| column.name.clone())
    }

    fn compile(&self, table: &Arc<Table>) -> Result<Option<Arc<CompiledFilter>>, String> {
        let Some((text, values)) = &self.filter else {
            return Ok(None);
        };
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(&table.oid)
            && Arc::ptr_eq(&known.table, table)
        {
            return Ok(Some(Arc::clone(known)));
        }
        let mut values = values.iter().cloned();
        let filter = Filter::read(text, table, &mut |_, _| values.next())?;
        let filter = Arc::new(CompiledFilter {
            table: Arc::clone(table),
            filter,
        });
        compiled.insert(table.oid, Arc::clone(&filter));
        Ok(Some(filter))
    }

    fn is_for(&self, table: &Table) -> bool {
        (self.schema == "*" || self.schema == table.schema)
            && self.table.as_ref().is_none_or(|name| *name == table.name)
    }
}

/// Somebody who wants to know.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) join: u64,
    pub(crate) outlet: Arc<Outlet>,
    /// As clients write it.
    pub(crate) topic: String,
    pub(crate) audience: Audience,
    pub(crate) specs: Vec<Arc<Spec>>,
}

/// Whether changes come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Following {
    /// It has not begun yet.
    Starting,
    Live,
    /// Why not. For clients.
    Down(String),
}

/// All who want to know.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    inner: RwLock<Inner>,
}

#[derive(Debug)]
struct Inner {
    by_join: HashMap<u64, Arc<Subscription>>,
    groups: HashMap<Wish, Group>,
    following: Following,
    /// Who has not been told yet that changes come.
    untold: Vec<Arc<Subscription>>,
}

/// Those who want the same.
#[derive(Debug)]
struct Group {
    spec: Arc<Spec>,
    members: HashMap<Person, Vec<Arc<Subscription>>>,
}

/// Role and subject.
type Person = (Arc<str>, Arc<str>);

impl Default for Subscriptions {
    fn default() -> Self {
        Self {
            inner: RwLock::new(Inner {
                by_join: HashMap::new(),
                groups: HashMap::new(),
                following: Following::Starting,
                untold: Vec::new(),
            }),
        }
    }
}

impl Subscriptions {
    /// Adds somebody; the same join takes the place of what it was before. They are told when changes come.
    pub(crate) fn add(&self, subscription: Subscription) {
        let subscription = Arc::new(subscription);
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let is_known = inner.remove(subscription.join);
        inner.insert(&subscription);
        if is_known {
            return;
        }
        match &inner.following {
            Following::Starting => inner.untold.push(subscription),
            Following::Live => subscription.tell_following(),
            Following::Down(reason) => {
                subscription.tell("error", reason);
                inner.untold.push(subscription);
            }
        }
    }

    /// Removes somebody.
    pub(crate) fn remove(&self, join: u64) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.remove(join);
        inner
            .untold
            .retain(|subscription| subscription.join != join);
    }

    /// Somebody is somebody else now.
    pub(crate) fn replace_audience(&self, join: u64, audience: Audience) {
        let known = {
            let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
            inner.by_join.get(&join).cloned()
        };
        if let Some(known) = known {
            self.add(Subscription {
                join,
                outlet: Arc::clone(&known.outlet),
                topic: known.topic.clone(),
                audience,
                specs: known.specs.clone(),
            });
        }
    }

    /// Changes come, or not.
    pub(crate) fn follow(&self, following: Following) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if following == Following::Live {
            for subscription in std::mem::take(&mut inner.untold) {
                subscription.tell_following();
            }
        } else if let Following::Down(reason) = &following
            && inner.following == Following::Starting
        {
            for subscription in &inner.untold {
                subscription.tell("error", reason);
            }
        }
        inner.following = following;
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.by_join.len()
    }

    /// Whose socket it is of everybody.
    pub(crate) fn outlets(&self) -> Vec<Arc<Outlet>> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let mut outlets: Vec<Arc<Outlet>> = inner
            .by_join
            .values()
            .map(|subscription| Arc::clone(&subscription.outlet))
            .collect();
        outlets.sort_by_key(|outlet| outlet.id);
        outlets.dedup_by_key(|outlet| outlet.id);
        outlets
    }
}

impl Inner {
    fn insert(&mut self, subscription: &Arc<Subscription>) {
        let audience = &subscription.audience;
        let key = (Arc::clone(&audience.role), Arc::clone(&audience.subject));
        for spec in &subscription.specs {
            let group = self.groups.entry(spec.wish()).or_insert_with(|| Group {
                spec: Arc::clone(spec),
                members: HashMap::new(),
            });
            let members = group.members.entry(key.clone()).or_default();
            members.push(Arc::clone(subscription));
        }
        self.by_join
            .insert(subscription.join, Arc::clone(subscription));
    }

    fn remove(&mut self, join: u64) -> bool {
        let Some(subscription) = self.by_join.remove(&join) else {
            return false;
        };
        let audience = &subscription.audience;
        let key = (Arc::clone(&audience.role), Arc::clone(&audience.subject));
        for spec in &subscription.specs {
            let wish = spec.wish();
            let Some(group) = self.groups.get_mut(&wish) else {
                continue;
            };
            if let Some(members) = group.members.get_mut(&key) {
                members.retain(|member| member.join != join);
                if members.is_empty() {
                    group.members.remove(&key);
                }
            }
            if group.members.is_empty() {
                self.groups.remove(&wish);
            }
        }
        true
    }
}

impl Subscription {
    fn tell_following(&self) {
        self.tell("ok", "Subscribed to PostgreSQL");
    }

    fn tell(&self, status: &str, message: &str) {
        let payload = system(&self.topic, "postgres_changes", status, message);
        let frame = self
            .outlet
            .version
            .write(None, None, &self.topic, "system", &payload);
        self.outlet.text(frame);
    }
}

/// The payload of a `system` message.
pub(crate) fn system(topic: &str, extension: &str, status: &str, message: &str) -> String {
    let channel = topic.strip_prefix(crate::topic::PREFIX).unwrap_or(topic);
    serde_json::json!({
        "extension": extension, "status": status, "message": message, "channel": channel,
    })
    .to_string()
}
