//! From changes to frames: everybody is told in the order of commits, once it is known who may see what.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use passerelle_pg::{RowChange, RowSink, RowWhat};

use super::binding::Spec;
use super::frames::{Old, Shown, Writer};
use super::judge::{Case, Image, Judged, Sight};
use super::{Following, Subscription, system};
use crate::outlet::{Out, Outlet};
use crate::rules::{Check, Rule, is_key, text};
use crate::state::Shared;
use crate::topic::{Broadcast, Name, Said};

/// Takes changes from the feed.
pub(crate) struct Deliverer(pub(crate) Arc<Shared>);

impl RowSink for Deliverer {
    fn started(&self, missed: bool) {
        if missed {
            self.0.tell_missed();
        }
        self.0.rules.follow(true);
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
        self.0.rules.follow(false);
        let reason = "Changes of rows are not available at the moment".to_owned();
        self.0.subscriptions.follow(Following::Down(reason));
    }
}

impl Shared {
    async fn deliver(&self, changes: Vec<RowChange>) {
        let is_message = |change: &RowChange| change.relation.schema == "realtime";
        let (messages, changes): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_message);
        for message in &messages {
            self.say(message);
        }
        let judged = self.judge(&changes).await;
        if judged.is_incomplete {
            self.tell_missed();
        }
        let mut missed = HashMap::new();
        for index in 0..judged.cases.len() {
            self.tell(index, &judged, &mut missed);
        }
        for outlet in missed.into_values() {
            outlet.send(Out::Missed);
        }
    }

    /// Everybody has to read anew what they follow.
    fn tell_missed(&self) {
        for outlet in self.subscriptions.outlets() {
            outlet.send(Out::Missed);
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

    /// Tells everybody who may know, and notes who has missed it.
    fn tell(&self, index: usize, judged: &Judged<'_>, missed: &mut HashMap<u64, Arc<Outlet>>) {
        let case = &judged.cases[index];
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
            let Some(rule) = judged.rule(case, &member.audience) else {
                missed.insert(member.outlet.id, Arc::clone(&member.outlet));
                continue;
            };
            let sight = |image| judged.sight(index, image, rule, &member.audience);
            let (sight, old) = seen(case, rule, sight);
            let shown = match sight {
                Sight::Yes => Shown::Row,
                Sight::Unknown if self.tells_deleted_keys() => Shown::Key,
                Sight::No | Sight::Unknown => continue,
                Sight::Missed => {
                    missed.insert(member.outlet.id, Arc::clone(&member.outlet));
                    continue;
                }
            };
            for specs in by_selection(&specs) {
                if let Some(out) = writer.frame(member, &specs, rule, shown, old) {
                    member.outlet.send_for(member.join, out);
                    count += 1;
                }
            }
        }
        self.metrics.delivered(count);
    }
}

/// Whether somebody sees a change, and what of the row before.
fn seen(case: &Case<'_>, rule: &Rule, sight: impl Fn(Image) -> Sight) -> (Sight, Old) {
    match &case.change.what {
        RowWhat::Insert { .. } => (sight(Image::New), Old::None),
        RowWhat::Update { .. } => {
            let before = case.is_old_whole.then(|| sight(Image::Old));
            let old = match before {
                Some(Sight::Yes) => Old::All,
                // Whose the row was is nobody's business who could not see it; that it has this key now, they know.
                Some(Sight::No | Sight::Missed) if is_moved(case) => Old::Nothing,
                _ => Old::Keys,
            };
            (sight(Image::New), old)
        }
        RowWhat::Delete { .. } if case.is_old_whole => (sight(Image::Old), Old::All),
        RowWhat::Delete { .. } => match &rule.check {
            Check::Ask(_) => (Sight::Unknown, Old::Keys),
            Check::Always | Check::Never => (sight(Image::Old), Old::Keys),
        },
    }
}

/// Whether an update gives a row another key.
fn is_moved(case: &Case<'_>) -> bool {
    let (Some(new), Some(old)) = (&case.new, &case.old) else {
        return false;
    };
    let relation = &case.change.relation;
    let mut values = new.iter().zip(old).enumerate();
    values.any(|(column, (new, old))| new != old && is_key(&case.table, relation, column))
}

/// Bindings of one channel that want the same columns.
fn by_selection<'a>(specs: &[&'a Spec]) -> Vec<Vec<&'a Spec>> {
    let mut groups: Vec<Vec<&'a Spec>> = Vec::new();
    for spec in specs {
        match groups
            .iter_mut()
            .find(|group| group[0].binding.select == spec.binding.select)
        {
            Some(group) => group.push(spec),
            None => groups.push(vec![spec]),
        }
    }
    groups
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

/// The payload that tells a channel that changes were missed.
pub(crate) fn missed(topic: &str) -> String {
    system(
        topic,
        "postgres_changes",
        "error",
        "Changes of rows may have been missed; subscribe again",
    )
}
