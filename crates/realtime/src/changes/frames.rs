//! Changes as frames.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use passerelle_pg::RowWhat;

use super::Subscription;
use super::binding::Spec;
use super::judge::Case;
use super::record::{columns, object};
use crate::frame::push_text;
use crate::outlet::Out;
use crate::rules::{Rule, is_key};

/// Microseconds between 1970 and 2000.
const EPOCH: i64 = 946_684_800_000_000;

/// What of a row is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shown {
    Row,
    Key,
}

/// What of the row before is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Old {
    None,
    /// That there was one.
    Nothing,
    Keys,
    All,
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
pub(super) struct Writer<'a, 'b> {
    case: &'b Case<'a>,
    data: HashMap<(Vec<bool>, Shown, Old), Arc<str>>,
    last: Option<Written>,
}

impl<'a, 'b> Writer<'a, 'b> {
    pub(super) fn new(case: &'b Case<'a>) -> Self {
        Self {
            case,
            data: HashMap::new(),
            last: None,
        }
    }

    pub(super) fn frame(
        &mut self,
        member: &Subscription,
        specs: &[&Spec],
        rule: &Rule,
        shown: Shown,
        old: Old,
    ) -> Option<Out> {
        let select = specs.first()?.binding.select.as_ref();
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
        let mut ids: Vec<u32> = specs.iter().map(|spec| spec.id).collect();
        ids.sort_unstable();
        ids.dedup();
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
            let keys = old != Old::Nothing;
            let is_shown = |index| is_wanted(index) && (all || keys && is_key(index));
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
