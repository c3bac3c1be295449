//! Who may see which change: rules of roles, and what policies say of images of rows, asked once for each audience and batch.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use passerelle_pg::{RowChange, RowValue, RowWhat, chain};
use tokio::time::sleep;

use super::Subscription;
use super::binding::Spec;
use crate::outlet::Audience;
use crate::rules::{
    Check, Needs, Question, Rule, RulesError, Table, Wish, arranged, array, is_key, text,
};
use crate::setback::Setback;
use crate::state::{AskError, Shared};

/// Pause before a database is asked again that did not answer.
const AGAIN: Duration = Duration::from_millis(100);
/// How often a database is asked again that has heard and had no time or room.
const TRIES: u32 = 2;
/// Audiences that are asked about at a time.
const AT_ONCE: usize = 4;

/// Which image of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Image {
    New,
    Old,
}

/// Whether somebody may see an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    Yes,
    No,
    /// What it depends on is not known.
    Unknown,
    /// The database did not say in time: who wants to know of it has missed it.
    Missed,
}

/// One change on its way.
pub(super) struct Case<'a> {
    pub(super) change: &'a RowChange,
    pub(super) table: Arc<Table>,
    pub(super) new: Option<Vec<Option<&'a RowValue>>>,
    pub(super) old: Option<Vec<Option<&'a RowValue>>>,
    /// Whether the old row is known as a whole.
    pub(super) is_old_whole: bool,
    /// Who wants to know, by what they want.
    pub(super) wanted: Vec<(Arc<Spec>, Vec<Arc<Subscription>>)>,
}

/// Those whose sight of a description of a table is the same.
type AudienceKey = (u64, Arc<str>, Arc<str>);

/// What roles may see of tables; nothing where that could not be found out.
type RulesOfRoles = HashMap<(u64, Arc<str>), Option<Arc<Rule>>>;

type Sights = HashMap<(usize, Image), Sight>;

/// What is asked of the database for one audience.
struct Asked {
    audience: Audience,
    rule: Arc<Rule>,
    /// Which cases and images.
    rows: Vec<(usize, Image)>,
}

/// Changes, and who may see them.
#[derive(Default)]
pub(super) struct Judged<'a> {
    pub(super) cases: Vec<Case<'a>>,
    /// Changes of tables that could not be found out about.
    pub(super) is_incomplete: bool,
    rules: RulesOfRoles,
    sights: HashMap<AudienceKey, Sights>,
}

/// What was asked may be out of date: everything is to be asked once more.
struct OutOfDate;

/// What can go wrong with a question.
trait Unanswered: Error + Send + Sync + Sized + 'static {
    fn setback(&self) -> Setback;
}

impl Unanswered for RulesError {
    fn setback(&self) -> Setback {
        Self::setback(self)
    }
}

impl Unanswered for AskError {
    fn setback(&self) -> Setback {
        Self::setback(self)
    }
}

/// Questions are asked until there is an answer, or no hope of one: what is not told now is never told.
#[derive(Default)]
struct Patience {
    tries: u32,
}

impl Patience {
    /// Whether a question is to be asked again, after a pause.
    async fn has(&mut self, error: &impl Unanswered) -> bool {
        match error.setback() {
            Setback::Unheard => {}
            Setback::Busy if self.tries < TRIES => self.tries += 1,
            _ => return false,
        }
        let error = chain(error);
        tracing::debug!(error, "the database is asked again");
        sleep(AGAIN).await;
        true
    }
}

impl Shared {
    /// Finds out who may see changes.
    pub(super) async fn judge<'a>(&self, changes: &'a [RowChange]) -> Judged<'a> {
        if let Ok(judged) = self.judge_once(changes, false).await {
            return judged;
        }
        self.rules.forget();
        let judged = self.judge_once(changes, true).await;
        judged.unwrap_or_default()
    }

    async fn judge_once<'a>(
        &self,
        changes: &'a [RowChange],
        is_last: bool,
    ) -> Result<Judged<'a>, OutOfDate> {
        let mut judged = Judged::default();
        for change in changes {
            match self.table_of(change).await {
                Ok(table) => judged.cases.extend(self.case(change, table)),
                // Nobody can see it any more.
                Err(RulesError::Gone) => {}
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, "nothing is known of a table; its change is not told");
                    judged.is_incomplete = true;
                }
            }
        }
        if judged.cases.is_empty() {
            return Ok(judged);
        }
        judged.rules = self.rules_of(&judged.cases).await;
        for case in &mut judged.cases {
            case.keep_allowed(&judged.rules);
        }
        let asked = questions(&judged.cases, &judged.rules);
        judged.sights = self.answers(&judged.cases, asked, is_last).await?;
        Ok(judged)
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
                if !spec.takes(&table, &change.what) {
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

    async fn table_of(&self, change: &RowChange) -> Result<Arc<Table>, RulesError> {
        let mut patience = Patience::default();
        loop {
            match self.rules.table(&change.relation).await {
                Ok(table) => return Ok(table),
                Err(error) if !patience.has(&error).await => return Err(error),
                Err(_) => {}
            }
        }
    }

    async fn rule_of(&self, table: &Arc<Table>, role: &Arc<str>) -> Result<Arc<Rule>, RulesError> {
        let mut patience = Patience::default();
        loop {
            match self.rules.rule(table, role, Wish::See).await {
                Ok(found) => return Ok(found),
                Err(error) if !patience.has(&error).await => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// The rules of all roles.
    async fn rules_of(&self, cases: &[Case<'_>]) -> RulesOfRoles {
        let mut rules = RulesOfRoles::new();
        for case in cases {
            for member in case.wanted.iter().flat_map(|(_, members)| members) {
                let role = &member.audience.role;
                let key = (case.table.edition, Arc::clone(role));
                if rules.contains_key(&key) {
                    continue;
                }
                let found = match self.rule_of(&case.table, role).await {
                    Ok(found) => Some(found),
                    // There is no such role any more.
                    Err(RulesError::Gone) => Some(Arc::new(Rule::nothing())),
                    Err(error) => {
                        let error = chain(&error);
                        tracing::warn!(error, "it is not known who may see a table");
                        None
                    }
                };
                rules.insert(key, found);
            }
        }
        rules
    }

    /// Asks the database, each audience by itself.
    async fn answers(
        &self,
        cases: &[Case<'_>],
        asked: HashMap<AudienceKey, Asked>,
        is_last: bool,
    ) -> Result<HashMap<AudienceKey, Sights>, OutOfDate> {
        let all = asked.into_iter().map(|(key, asked)| async move {
            let sights = self.answer(cases, &asked, is_last).await?;
            Ok((key, sights))
        });
        let all: Vec<_> = futures_util::stream::iter(all)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        all.into_iter().collect()
    }

    async fn answer(
        &self,
        cases: &[Case<'_>],
        asked: &Asked,
        is_last: bool,
    ) -> Result<Sights, OutOfDate> {
        let mut sights = HashMap::new();
        let Check::Ask(question) = &asked.rule.check else {
            return Ok(sights);
        };
        let mut rows = Vec::new();
        let mut known = Vec::new();
        for place in &asked.rows {
            let (index, image) = *place;
            let case = &cases[index];
            let row = match image {
                Image::New => case.new.as_ref(),
                Image::Old => case.old.as_ref(),
            };
            let Some(row) = row else {
                continue;
            };
            let mut values = question.reads.iter().zip(row);
            if values.any(|(is_read, value)| *is_read && value.is_none()) {
                sights.insert(*place, Sight::Unknown);
                continue;
            }
            rows.push(row.iter().map(|value| text(*value)).collect::<Vec<_>>());
            known.push(*place);
        }
        // A row that its policy fails on takes no other with it: the rest is asked about by halves.
        let mut parts: Vec<_> = std::iter::once(0..rows.len()).collect();
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            let places = &known[part.clone()];
            let error = match self.ask_about(asked, question, &rows[part.clone()]).await {
                Ok(answers) => {
                    for (place, is_visible) in places.iter().zip(answers) {
                        let sight = if is_visible { Sight::Yes } else { Sight::No };
                        sights.insert(*place, sight);
                    }
                    continue;
                }
                Err(error) => error,
            };
            match error.setback() {
                Setback::Stale if !is_last => return Err(OutOfDate),
                Setback::Unheard | Setback::Busy => {
                    let error = chain(&error);
                    tracing::warn!(error, "policies could not be asked; changes are missed");
                    sights.extend(places.iter().map(|place| (*place, Sight::Missed)));
                }
                Setback::Stale | Setback::Refused if part.len() == 1 => {
                    let error = chain(&error);
                    tracing::warn!(error, "policies could not be asked; the change is not told");
                }
                Setback::Stale | Setback::Refused => {
                    let middle = part.start.midpoint(part.end);
                    parts.extend([middle..part.end, part.start..middle]);
                }
            }
        }
        Ok(sights)
    }

    async fn ask_about(
        &self,
        asked: &Asked,
        question: &Question,
        rows: &[Vec<Option<&str>>],
    ) -> Result<Vec<bool>, AskError> {
        let rows = array(rows.iter().map(Vec::as_slice));
        self.metrics.asked();
        let (audience, statement) = (&asked.audience, &question.statement);
        let mut patience = Patience::default();
        loop {
            match self.ask(audience, &[], statement, rows.clone()).await {
                Ok(answers) => return Ok(answers),
                Err(error) if !patience.has(&error).await => return Err(error),
                Err(_) => {}
            }
        }
    }
}

impl Judged<'_> {
    /// What a role may see of a table; nothing if that could not be found out.
    pub(super) fn rule(&self, case: &Case<'_>, audience: &Audience) -> Option<&Arc<Rule>> {
        let key = (case.table.edition, Arc::clone(&audience.role));
        self.rules.get(&key)?.as_ref()
    }

    /// Whether somebody may see an image of a change.
    pub(super) fn sight(
        &self,
        index: usize,
        image: Image,
        rule: &Rule,
        audience: &Audience,
    ) -> Sight {
        match &rule.check {
            Check::Always => Sight::Yes,
            Check::Never => Sight::No,
            Check::Ask(question) => {
                let edition = self.cases[index].table.edition;
                let key = audience_key(edition, audience, question.needs);
                let sights = self.sights.get(&key);
                let known = sights.and_then(|sights| sights.get(&(index, image)));
                known.copied().unwrap_or(Sight::No)
            }
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
                let found = rules.get(&(table.edition, Arc::clone(role)));
                // Of whom nothing is known has missed it.
                let is_allowed = found
                    .and_then(Option::as_ref)
                    .is_none_or(|rule| spec.hidden(table, &rule.columns).is_none());
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
            let key = (case.table.edition, Arc::clone(&audience.role));
            let Some(Some(rule)) = rules.get(&key) else {
                continue;
            };
            let Check::Ask(question) = &rule.check else {
                continue;
            };
            let asked = asked
                .entry(audience_key(case.table.edition, audience, question.needs))
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

fn audience_key(edition: u64, audience: &Audience, needs: Needs) -> AudienceKey {
    let part = match needs {
        Needs::Role => "".into(),
        Needs::Subject => Arc::clone(&audience.subject),
        Needs::Claims => Arc::clone(&audience.claims),
    };
    (edition, Arc::clone(&audience.role), part)
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
