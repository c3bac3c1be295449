//! Who may hear and say what on private channels: the policies of `realtime.messages`.

use std::sync::Arc;

use passerelle_identity::Principal;

use crate::outlet::Audience;
use crate::rules::{Check, Table, Wish, array};
use crate::state::{AskError, Shared};
use crate::topic::Name;

/// What somebody may do on a channel.
#[expect(clippy::struct_excessive_bools, reason = "each is a right of its own")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    /// Hear what is said.
    pub(crate) reads: bool,
    /// Say something.
    pub(crate) writes: bool,
    /// See who is present.
    pub(crate) sees_presence: bool,
    /// Be present.
    pub(crate) is_present: bool,
}

impl Rights {
    /// On public channels.
    pub(crate) const ALL: Self = Self {
        reads: true,
        writes: true,
        sees_presence: true,
        is_present: true,
    };
}

impl Shared {
    /// What somebody may do on a channel.
    pub(crate) async fn rights(
        &self,
        principal: &Principal,
        name: &Name,
    ) -> Result<Rights, AskError> {
        if !name.is_private {
            return Ok(Rights::ALL);
        }
        let table = self.rules.messages().await?;
        let audience = Audience::of(principal);
        let [reads, sees_presence] = self.of_wish(&table, &audience, name, Wish::See).await?;
        let [writes, is_present] = self.of_wish(&table, &audience, name, Wish::Add).await?;
        Ok(Rights {
            reads,
            writes,
            sees_presence,
            is_present,
        })
    }

    /// For broadcast and for presence.
    async fn of_wish(
        &self,
        table: &Arc<Table>,
        audience: &Audience,
        name: &Name,
        wish: Wish,
    ) -> Result<[bool; 2], AskError> {
        let rule = self.rules.rule(table, &audience.role, wish).await?;
        let question = match &rule.check {
            Check::Always => return Ok([true; 2]),
            Check::Never => return Ok([false; 2]),
            Check::Ask(question) => question,
        };
        let row = |extension: &'static str| -> Vec<Option<&str>> {
            let columns = table.columns.iter();
            let value = columns.map(|column| match column.name.as_str() {
                "topic" => Some(&*name.name),
                "extension" => Some(extension),
                "private" => Some("t"),
                "updated_at" | "inserted_at" => Some("now"),
                "id" => Some("00000000-0000-0000-0000-000000000000"),
                "payload" => Some("{}"),
                "event" => Some(""),
                _ => None,
            });
            value.collect()
        };
        let rows = [row("broadcast"), row("presence")];
        let rows = array(rows.iter().map(Vec::as_slice));
        let setting = (Box::from("realtime.topic"), Box::from(&*name.name));
        let answers = self
            .ask(audience, &[setting], &question.statement, rows)
            .await?;
        Ok([
            answers.first() == Some(&true),
            answers.get(1) == Some(&true),
        ])
    }
}
