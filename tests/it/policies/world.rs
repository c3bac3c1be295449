//! Names of the things of a case, for requests and for SQL.

use e2e::{Actor, Operation, Rule, State};

/// What has an id in each case.
const THINGS: &[&str] = &[
    "owner",
    "author",
    "other",
    "reader",
    "writer",
    "member",
    "group_admin",
    "admin",
    "stranger",
    "newcomer",
    "new",
    "resource",
    "elsewhere",
    "hidden",
    "group",
    "foreign_group",
    "reader_share",
    "writer_share",
    "group_share",
    "saved",
    "rating",
    "comment",
    "reply",
    "version",
    "latest_version",
    "template",
    "collection",
    "foreign_collection",
    "entry",
    "lost_entry",
    "suggestion",
    "other_suggestion",
    "vote",
    "setting",
    "category",
    "filter",
    "notification",
    "event",
];

/// The same ids as [`id`], and all cases.
pub(super) const CASES: &str = "
    create schema matrix;
    create function matrix.id(thing integer, n integer) returns uuid language sql immutable as $$
      select (lpad(to_hex(thing), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
    $$;
    create table matrix.cases (
      n integer primary key, rule integer, relation text, operation text, state text, me uuid, before jsonb);
";

/// One attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) number: usize,
    pub(super) rule: Rule,
    pub(super) actor: Actor,
    pub(super) state: State,
}

impl Case {
    /// Who asks; without a token, the id of a stranger is sent where one's own is asked for.
    pub(super) fn me(&self) -> String {
        let person = match self.actor.person() {
            None => "stranger",
            Some(_) if self.rule.first_sign_in => "newcomer",
            Some(person) => person,
        };
        self.fill(&format!("{{{person}}}"))
    }

    /// A text of a request with the ids of this case.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut text = text.replace("{n}", &self.number.to_string());
        if text.contains("{me}") {
            text = text.replace("{me}", &self.me());
        }
        replace_things(text, |thing| id(thing, self.number))
    }
}

/// A text of SQL in which the case is `c`.
pub(super) fn sql(text: &str) -> String {
    let text = text.replace("{n}", "' || c.n || '").replace("{me}", "c.me");
    replace_things(text, |thing| format!("matrix.id({thing}, c.n)"))
}

/// SQL that says, of the case `c`, whether what the rule tries has been done; nothing where only the answer tells.
pub(super) fn probe(rule: &Rule) -> Option<String> {
    let holding = if rule.holding.is_empty() {
        "true"
    } else {
        rule.holding
    };
    let row = format!("from {} t where {}", rule.relation, row(rule));
    Some(match rule.operation {
        Operation::Read => return None,
        Operation::Call if rule.holding.is_empty() => return None,
        Operation::Call => sql(holding),
        Operation::Remove => format!("not exists (select {row})"),
        Operation::Add | Operation::Merge | Operation::Change => {
            format!("exists (select {row} and ({}))", sql(holding))
        }
    })
}

/// SQL that gives the row that the rule is about, of the case `c`, where there is one before.
pub(super) fn image(rule: &Rule) -> Option<String> {
    let lasting = matches!(
        rule.operation,
        Operation::Merge | Operation::Change | Operation::Remove
    );
    lasting.then(|| {
        format!(
            "(select to_jsonb(t) from {} t where {})",
            rule.relation,
            row(rule)
        )
    })
}

fn row(rule: &Rule) -> String {
    let e2e::Query::Rows(columns) = rule.query else {
        return "false".to_owned();
    };
    let conditions = columns
        .iter()
        .map(|(column, thing)| format!("t.{column} = {}", sql(&format!("{{{thing}}}"))));
    conditions.collect::<Vec<_>>().join(" and ")
}

fn replace_things(mut text: String, id: impl Fn(usize) -> String) -> String {
    for (index, thing) in THINGS.iter().enumerate() {
        let name = format!("{{{thing}}}");
        if text.contains(&name) {
            text = text.replace(&name, &id(index + 1));
        }
    }
    text
}

fn id(thing: usize, number: usize) -> String {
    format!("{thing:08x}-0000-4000-8000-{number:012x}")
}
