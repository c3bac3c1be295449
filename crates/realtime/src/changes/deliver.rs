//! From changes to frames: policies are asked once for each audience and batch, then everybody is told in the order of commits.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use futures_util::StreamExt as _;
use passerelle_pg::{RowChange, RowSink, RowValue, RowWhat, chain};
use tokio::time::sleep;

use super::record::{columns, object};
use super::{Following, Spec, Subscription, system};
use crate::frame::push_text;
use crate::outlet::{Audience, Out};
use crate::rules::{Check, Needs, Question, Rule, Table, Wish, arranged, array, is_key, text};
use crate::state::{AskError, Shared};
use crate::topic::{Broadcast, Name, Said};

/// Microseconds between 1970 and 2000.
const EPOCH: i64 = 946_684_800_000_000;
/// Pause before a database is asked again that did not hear.
const AGAIN: Duration = Duration::from_millis(100);
/// Audiences that are asked about at a time.
const AT_ONCE: usize = 4;

/// Takes changes from the feed.
pub(crate) struct Deliverer(pub(crate) Arc<Shared>);

impl RowSink for Deliverer {
    fn started(&self, missed: bool) {
        if missed {
            for outlet in self.0.subscriptions.outlets() {
                outlet.send(Out::Missed);
            }
        }
        self.0.rules.forget();
        self.0.subscriptions.follow(Following::Live);
    }

    fn deliver(&self, changes: Vec<RowChange>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.deliver(changes))
    }

    fn redefined(&self) {
        self.0.rules.forget();
    }

    fn lost(&self, reason: &str) {
        tracing::debug!(reason, "changes of rows do not come");
        let reason = "Changes of rows are not available at the moment".to_owned();
        self.0.subscriptions.follow(Following::Down(reason));
    }
}

/// Which image of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Image {
    New,
    Old,
}

/// Whether somebody may see an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Yes,
    No,
    /// What it depends on is not known.
    Unknown,
}

/// One change on its way.
struct Case<'a> {
    change: &'a RowChange,
    table: Arc<Table>,
    new: Option<Vec<Option<&'a RowValue>>>,
    old: Option<Vec<Option<&'a RowValue>>>,
    /// Whether the old row is known as a whole.
    is_old_whole: bool,
    /// Who wants to know, by what they want.
    wanted: Vec<(Arc<Spec>, Vec<Arc<Subscription>>)>,
}

/// Those whose sight is the same.
type AudienceKey = (u32, Arc<str>, Arc<str>);

/// What roles may see of tables.
type RulesOfRoles = HashMap<(u32, Arc<str>), Arc<Rule>>;

/// What is asked of the database for one audience.
struct Asked {
    audience: Audience,
    rule: Arc<Rule>,
    /// Which cases and images.
    rows: Vec<(usize, Image)>,
}

impl Shared {
    async fn deliver(&self, changes: Vec<RowChange>) {
        let mut cases = Vec::new();
        for change in &changes {
            let relation = &change.relation;
            if relation.schema == "realtime" {
                self.say(change);
                continue;
            }
            let table = loop {
                match self.rules.table(relation).await {
                    Err(error) if error.is_passing() => pause(&error).await,
                    known => break known,
                }
            };
            match table {
                Ok(table) => cases.extend(self.case(change, table)),
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, "a change is not told");
                }
            }
        }
        if cases.is_empty() {
            return;
        }
        let rules = self.rules_of(&cases).await;
        for case in &mut cases {
            case.keep_allowed(&rules);
        }
        let asked = questions(&cases, &rules);
        let sights = self.answers(&cases, asked).await;
        for (index, case) in cases.iter().enumerate() {
            self.tell(index, case, &rules, &sights);
        }
    }

    /// A message from the database.
    fn say(&self, change: &RowChange) {
        let RowWhat::Insert { new } = &change.what else {
            return;
        };
        let columns = &change.relation.columns;
        let value = |name: &str| {
            let at = columns.iter().position(|column| column == name)?;
            text(new.get(at))
        };
        if value("extension") != Some("broadcast") {
            return;
        }
        let name = Name {
            name: value("topic").unwrap_or_default().into(),
            is_private: value("private") == Some("t"),
        };
        let Some(topic) = self.topics.find(&name) else {
            return;
        };
        let said = match (value("payload"), value("binary_payload")) {
            (Some(json), _) => Said::Json(json.to_owned()),
            (None, Some(hex)) => Said::Raw(unhex(hex)),
            (None, None) => Said::Json("{}".to_owned()),
        };
        let broadcast = Broadcast {
            event: value("event").unwrap_or_default().to_owned(),
            said,
            meta: serde_json::json!({ "id": value("id") }).to_string(),
        };
        let told = topic.broadcast(&broadcast, None);
        self.metrics.delivered(told);
    }

    /// A change that somebody wants to know of.
    fn case<'a>(&self, change: &'a RowChange, table: Arc<Table>) -> Option<Case<'a>> {
        let relation = &change.relation;
        let arrange = |values: &'a [RowValue], instead| arranged(&table, relation, values, instead);
        let keys_only = |values: &'a [RowValue]| {
            let mut row = arrange(values, None);
            for (column, value) in row.iter_mut().enumerate() {
                if !is_key(&table, relation, column) {
                    *value = None;
                }
            }
            row
        };
        let (new, old, is_old_whole) = match &change.what {
            RowWhat::Insert { new } => (Some(arrange(new, None)), None, false),
            RowWhat::Update { old, key, new } => {
                let old_row = match (old, key) {
                    (Some(old), _) => arrange(old, None),
                    (None, Some(key)) => keys_only(key),
                    (None, None) => keys_only(new),
                };
                let new_row = arrange(new, old.as_deref());
                (Some(new_row), Some(old_row), old.is_some())
            }
            RowWhat::Delete { old, is_whole } => {
                let row = if *is_whole {
                    arrange(old, None)
                } else {
                    keys_only(old)
                };
                (None, Some(row), *is_whole)
            }
        };
        let row = new.as_ref().or(old.as_ref())?;
        let values: Vec<Option<&str>> = row.iter().map(|value| text(*value)).collect();
        let mut wanted = Vec::new();
        {
            let inner = self.subscriptions.inner.read();
            let inner = inner.unwrap_or_else(PoisonError::into_inner);
            for group in inner.groups.values() {
                let spec = &group.spec;
                if !spec.is_for(&table) || !spec.event.takes(&change.what) {
                    continue;
                }
                if passes(spec, &table, row, &values) {
                    let members = group.members.values().flatten().cloned().collect();
                    wanted.push((Arc::clone(spec), members));
                }
            }
        }
        (!wanted.is_empty()).then_some(Case {
            change,
            table,
            new,
            old,
            is_old_whole,
            wanted,
        })
    }

    /// The rules of all roles.
    async fn rules_of(&self, cases: &[Case<'_>]) -> RulesOfRoles {
        let mut rules = RulesOfRoles::new();
        for case in cases {
            for member in case.wanted.iter().flat_map(|(_, members)| members) {
                let role = &member.audience.role;
                let key = (case.table.oid, Arc::clone(role));
                if rules.contains_key(&key) {
                    continue;
                }
                let found = self.rule_of(&case.table, role).await;
                rules.insert(key, found);
            }
        }
        rules
    }

    /// What a role may see; nothing where that is not known.
    async fn rule_of(&self, table: &Table, role: &Arc<str>) -> Arc<Rule> {
        let found = loop {
            match self.rules.rule(table, role, Wish::See).await {
                Err(error) if error.is_passing() => pause(&error).await,
                known => break known,
            }
        };
        found.unwrap_or_else(|error| {
            let error = chain(&error);
            tracing::warn!(error, "it is not known who may see a table");
            Arc::new(Rule {
                columns: Vec::new(),
                check: Check::Never,
            })
        })
    }

    /// Asks the database, each audience by itself.
    async fn answers(
        &self,
        cases: &[Case<'_>],
        asked: HashMap<AudienceKey, Asked>,
    ) -> HashMap<AudienceKey, HashMap<(usize, Image), Sight>> {
        let all = asked.into_iter().map(|(key, asked)| async move {
            let sights = self.answer(cases, &asked).await;
            (key, sights)
        });
        futures_util::stream::iter(all)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    async fn answer(&self, cases: &[Case<'_>], asked: &Asked) -> HashMap<(usize, Image), Sight> {
        let mut sights = HashMap::new();
        let Check::Ask(question) = &asked.rule.check else {
            return sights;
        };
        let mut rows = Vec::new();
        let mut known = Vec::new();
        for (index, image) in &asked.rows {
            let case = &cases[*index];
            let row = match image {
                Image::New => case.new.as_ref(),
                Image::Old => case.old.as_ref(),
            };
            let Some(row) = row else {
                continue;
            };
            let misses = question
                .reads
                .iter()
                .zip(row)
                .any(|(is_read, value)| *is_read && value.is_none());
            if misses {
                sights.insert((*index, *image), Sight::Unknown);
                continue;
            }
            rows.push(row.iter().map(|value| text(*value)).collect::<Vec<_>>());
            known.push((*index, *image));
        }
        // A row that its policy fails on takes no other with it: the rest is asked about by halves.
        let mut parts: Vec<_> = std::iter::once(0..rows.len()).collect();
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            match self.ask_about(asked, question, &rows[part.clone()]).await {
                Ok(answers) => {
                    for (place, is_visible) in known[part].iter().zip(answers) {
                        let sight = if is_visible { Sight::Yes } else { Sight::No };
                        sights.insert(*place, sight);
                    }
                }
                Err(error) if part.len() == 1 => {
                    let error = chain(&error);
                    tracing::warn!(error, "policies could not be asked; the change is not told");
                }
                Err(_) => {
                    let middle = part.start.midpoint(part.end);
                    parts.extend([middle..part.end, part.start..middle]);
                }
            }
        }
        sights
    }

    /// Asks until the database hears.
    async fn ask_about(
        &self,
        asked: &Asked,
        question: &Question,
        rows: &[Vec<Option<&str>>],
    ) -> Result<Vec<bool>, AskError> {
        let rows = array(rows.iter().map(Vec::as_slice));
        self.metrics.asked();
        loop {
            let (audience, statement) = (&asked.audience, &question.statement);
            match self.ask(audience, &[], statement, rows.clone()).await {
                Err(error) if error.is_passing() => pause(&error).await,
                heard => return heard,
            }
        }
    }

    /// Tells everybody who may know.
    fn tell(
        &self,
        index: usize,
        case: &Case<'_>,
        rules: &RulesOfRoles,
        sights: &HashMap<AudienceKey, HashMap<(usize, Image), Sight>>,
    ) {
        // A channel is told once, with all its bindings that fit.
        let mut told: Vec<(&Arc<Subscription>, Vec<&Spec>)> = Vec::new();
        if let [(spec, members)] = &case.wanted[..] {
            told.extend(members.iter().map(|member| (member, vec![&**spec])));
        } else {
            let mut places: HashMap<u64, usize> = HashMap::new();
            for (spec, members) in &case.wanted {
                for member in members {
                    if let Some(at) = places.get(&member.join) {
                        told[*at].1.push(spec);
                    } else {
                        places.insert(member.join, told.len());
                        told.push((member, vec![spec]));
                    }
                }
            }
        }
        let mut writer = Writer::new(case);
        let mut count = 0;
        for (member, specs) in told {
            let Some(rule) = rules.get(&(case.table.oid, Arc::clone(&member.audience.role))) else {
                continue;
            };
            let sight = |image| match &rule.check {
                Check::Always => Sight::Yes,
                Check::Never => Sight::No,
                Check::Ask(question) => {
                    let key = audience_key(case.table.oid, &member.audience, question.needs);
                    let sights = sights.get(&key);
                    let known = sights.and_then(|sights| sights.get(&(index, image)));
                    known.copied().unwrap_or(Sight::No)
                }
            };
            let is_asked = matches!(rule.check, Check::Ask(_));
            let (shown, old) = match &case.change.what {
                RowWhat::Delete { .. } if !case.is_old_whole && is_asked => {
                    (self.tells_keys(Sight::Unknown), Old::Keys)
                }
                RowWhat::Delete { .. } => (self.tells_keys(sight(Image::Old)), Old::All),
                RowWhat::Insert { .. } => (self.tells_keys(sight(Image::New)), Old::None),
                RowWhat::Update { .. } => {
                    let is_seen = case.is_old_whole && sight(Image::Old) == Sight::Yes;
                    let old = if is_seen { Old::All } else { Old::Keys };
                    (self.tells_keys(sight(Image::New)), old)
                }
            };
            let Some(shown) = shown else {
                continue;
            };
            for specs in by_selection(&specs) {
                if let Some(out) = writer.frame(member, &specs, rule, shown, old) {
                    member.outlet.send(out);
                    count += 1;
                }
            }
        }
        self.metrics.delivered(count);
    }

    fn tells_keys(&self, sight: Sight) -> Option<Shown> {
        match sight {
            Sight::Yes => Some(Shown::Row),
            Sight::No => None,
            Sight::Unknown => self.tells_deleted_keys().then_some(Shown::Key),
        }
    }
}

impl Case<'_> {
    /// Leaves out who may not read what their filter looks at.
    fn keep_allowed(&mut self, rules: &RulesOfRoles) {
        let table = &self.table;
        for (spec, members) in &mut self.wanted {
            let mut known: Option<(Arc<str>, bool)> = None;
            members.retain(|member| {
                let role = &member.audience.role;
                if let Some((of, is_allowed)) = &known
                    && of == role
                {
                    return *is_allowed;
                }
                let found = rules.get(&(table.oid, Arc::clone(role)));
                let is_allowed =
                    found.is_some_and(|rule| spec.hidden(table, &rule.columns).is_none());
                known = Some((Arc::clone(role), is_allowed));
                is_allowed
            });
        }
    }
}

/// What is to be asked.
fn questions(cases: &[Case<'_>], rules: &RulesOfRoles) -> HashMap<AudienceKey, Asked> {
    let mut asked: HashMap<AudienceKey, Asked> = HashMap::new();
    for (index, case) in cases.iter().enumerate() {
        for member in case.wanted.iter().flat_map(|(_, members)| members) {
            let audience = &member.audience;
            let Some(rule) = rules.get(&(case.table.oid, Arc::clone(&audience.role))) else {
                continue;
            };
            let Check::Ask(question) = &rule.check else {
                continue;
            };
            let asked = asked
                .entry(audience_key(case.table.oid, audience, question.needs))
                .or_insert_with(|| Asked {
                    audience: audience.clone(),
                    rule: Arc::clone(rule),
                    rows: Vec::new(),
                });
            if asked.rows.last().is_some_and(|(last, _)| *last == index) {
                continue;
            }
            if case.new.is_some() {
                asked.rows.push((index, Image::New));
            }
            if case.is_old_whole {
                asked.rows.push((index, Image::Old));
            }
        }
    }
    asked
}

/// Waits before the database is asked again, which did not hear: what is not told now is never told.
async fn pause(error: &(dyn std::error::Error + Send + Sync)) {
    let error = chain(error);
    tracing::debug!(error, "the database is asked again");
    sleep(AGAIN).await;
}

/// Bindings of one channel that want the same columns.
fn by_selection<'a>(specs: &[&'a Spec]) -> Vec<Vec<&'a Spec>> {
    let mut groups: Vec<Vec<&'a Spec>> = Vec::new();
    for spec in specs {
        match groups
            .iter_mut()
            .find(|group| group[0].select == spec.select)
        {
            Some(group) => group.push(spec),
            None => groups.push(vec![spec]),
        }
    }
    groups
}

/// What of a row is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shown {
    Row,
    Key,
}

/// What of the row before is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Old {
    None,
    Keys,
    All,
}

fn audience_key(table: u32, audience: &Audience, needs: Needs) -> AudienceKey {
    let part = match needs {
        Needs::Role => "".into(),
        Needs::Subject => Arc::clone(&audience.subject),
        Needs::Claims => Arc::clone(&audience.claims),
    };
    (table, Arc::clone(&audience.role), part)
}

/// Whether a row passes the filter. What is not known of it does not.
fn passes(
    spec: &Spec,
    table: &Arc<Table>,
    row: &[Option<&RowValue>],
    values: &[Option<&str>],
) -> bool {
    match spec.compile(table) {
        Ok(None) => true,
        Ok(Some(compiled)) => {
            let is_known = compiled
                .filter
                .columns()
                .all(|column| row.get(column).is_some_and(Option::is_some));
            is_known && compiled.filter.matches(values)
        }
        // The column is gone.
        Err(_) => false,
    }
}

fn unhex(text: &str) -> Bytes {
    let digits = text.strip_prefix("\\x").unwrap_or_default().as_bytes();
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let bytes = digits.chunks(2).filter_map(|pair| {
        let [high, low] = pair else { return None };
        u8::try_from(digit(high)? * 16 + digit(low)?).ok()
    });
    bytes.collect()
}

/// A frame, and what it was written for.
struct Written {
    ids: Vec<u32>,
    topic: String,
    version: crate::frame::Version,
    data: Arc<str>,
    frame: bytestring::ByteString,
}

/// Writes frames; those that are the same are written once.
struct Writer<'a, 'b> {
    case: &'b Case<'a>,
    data: HashMap<(Vec<bool>, Shown, Old), Arc<str>>,
    last: Option<Written>,
}

impl<'a, 'b> Writer<'a, 'b> {
    fn new(case: &'b Case<'a>) -> Self {
        Self {
            case,
            data: HashMap::new(),
            last: None,
        }
    }

    fn frame(
        &mut self,
        member: &Subscription,
        specs: &[&Spec],
        rule: &Rule,
        shown: Shown,
        old: Old,
    ) -> Option<Out> {
        let select = specs.first()?.select.as_ref();
        let columns = self.case.table.columns.iter().zip(&rule.columns);
        let wanted: Vec<bool> = columns
            .map(|(column, is_allowed)| {
                *is_allowed && select.is_none_or(|select| select.contains(&column.name))
            })
            .collect();
        let key = (wanted, shown, old);
        let data = if let Some(data) = self.data.get(&key) {
            Arc::clone(data)
        } else {
            let data: Arc<str> = self.write(&key.0, shown, old).into();
            self.data.insert(key, Arc::clone(&data));
            data
        };
        let ids: Vec<u32> = specs.iter().map(|spec| spec.id).collect();
        let version = member.outlet.version;
        if let Some(last) = &self.last
            && last.ids == ids
            && last.topic == member.topic
            && last.version == version
            && Arc::ptr_eq(&last.data, &data)
        {
            return Some(Out::Text(last.frame.clone()));
        }
        let mut payload = String::with_capacity(data.len() + 32);
        payload.push_str("{\"ids\":[");
        for (index, id) in ids.iter().enumerate() {
            if index > 0 {
                payload.push(',');
            }
            payload.push_str(&id.to_string());
        }
        payload.push_str("],\"data\":");
        payload.push_str(&data);
        payload.push('}');
        let frame = version.write(None, None, &member.topic, "postgres_changes", &payload);
        let frame = bytestring::ByteString::from(frame);
        self.last = Some(Written {
            ids,
            topic: member.topic.clone(),
            version,
            data,
            frame: frame.clone(),
        });
        Some(Out::Text(frame))
    }

    fn write(&self, wanted: &[bool], shown: Shown, old: Old) -> String {
        let Case {
            change,
            table,
            new,
            old: before,
            is_old_whole,
            ..
        } = self.case;
        let relation = &change.relation;
        let is_key = |index: usize| is_key(table, relation, index);
        let is_wanted = |index: usize| wanted.get(index) == Some(&true);
        let kind = match change.what {
            RowWhat::Insert { .. } => "INSERT",
            RowWhat::Update { .. } => "UPDATE",
            RowWhat::Delete { .. } => "DELETE",
        };
        let moment = DateTime::from_timestamp_micros(change.time + EPOCH).unwrap_or_default();
        let mut out = String::from("{\"schema\":");
        push_text(&mut out, &table.schema);
        out.push_str(",\"table\":");
        push_text(&mut out, &table.name);
        out.push_str(",\"type\":\"");
        out.push_str(kind);
        out.push_str("\",\"commit_timestamp\":");
        push_text(
            &mut out,
            &moment.to_rfc3339_opts(SecondsFormat::Micros, true),
        );
        out.push_str(",\"columns\":");
        out.push_str(&columns(table, &is_wanted));
        if let Some(row) = new {
            out.push_str(",\"record\":");
            let is_shown = |index| is_wanted(index) && (shown == Shown::Row || is_key(index));
            out.push_str(&object(table, row, &is_shown));
        }
        if let (Some(row), true) = (before, old != Old::None) {
            out.push_str(",\"old_record\":");
            let all = old == Old::All && shown == Shown::Row && *is_old_whole;
            let is_shown = |index| is_wanted(index) && (all || is_key(index));
            out.push_str(&object(table, row, &is_shown));
        }
        out.push_str(",\"errors\":");
        match shown {
            Shown::Row => out.push_str("null"),
            Shown::Key => {
                let error = ["The row policies could not be asked: only the key is shown"];
                out.push_str(&serde_json::json!(error).to_string());
            }
        }
        out.push('}');
        out
    }
}

/// The payload that tells a channel that changes were missed.
pub(crate) fn missed(topic: &str) -> String {
    system(
        topic,
        "postgres_changes",
        "error",
        "Changes of rows may have been missed; subscribe again",
    )
}
