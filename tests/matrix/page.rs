use std::fmt::Write;

use crate::{Actor, Operation, Outcome, Rule, State, rules};

const INTRODUCTION: &str = "\
# Who may do what in Hub-Lib

The rights of the example application, `sql/hub-lib/policies.sql`. `make policies` prints this page from the rules in
`tests/matrix`; the tests try every cell of it through the gateway, in each state that it names, and look into the database
for what has happened. To change a right, change it there and in `policies.sql`, then `make -s policies > docs/policies.md`.

The columns say who asks:

| | |
| --- | --- |
| anon | nobody signed in |
| unnamed | a token of the role `authenticated` that names no person |
| other | signed in, without any relation to the rows |
| reader, writer | has a share of the resource, for reading or for writing |
| member, group admin | belongs to the group that the resource is shared with, or administers it |
| author | bookmarked, rated and commented the resource, made the suggestion, voted, is told by the notification |
| owner | owns the resource, its versions and shares, the group, the collection, the template, the profile |
| admin | administers the application: `user_roles` says so |

The cells say when it succeeds: `yes` always, `·` never, otherwise in the states of these letters:

| | |
| --- | --- |
| `p` | the resource is `public`; so are collection and template, and the category is active |
| `u` | it is `shared_users`; the share of the group is for reading |
| `g` | it is `shared_groups`; the share of the group is for writing |
| `x` | it is `private`; the shares are still there, and count for nothing |
| `e` | it is `shared_users`, and all shares have expired |
| `c` | it is public, but the collection and the template are not, and the category is not active |

The last column says what happens otherwise. *No rows*: the answer is empty. *Nothing*: the answer is a success, and nothing has
changed, because the rows that one may not change are not found; nor are those that one may not read. *42501*: refused with this code,
status 403, or 401 without a token. *42501, or nothing*: refused to those who may change other things of the row, nothing for all others.

Two rules are about more than one row: the last administrator is neither demoted nor removed, by whatever statement and however many
try at once (42501); and whoever is removed takes along all that is theirs, while their suggestions stay without a name.

`service_role` is bound by none of this.
";

/// The page for people, in Markdown.
pub fn page() -> String {
    let rules = rules();
    let mut page = String::from(INTRODUCTION);
    for table in rules.chunk_by(|one, next| one.relation == next.relation) {
        heading(&mut page, table);
        for rule in table {
            line(&mut page, rule);
        }
    }
    page
}

fn heading(page: &mut String, table: &[Rule]) {
    let Some(first) = table.first() else { return };
    page.push_str("\n## `");
    page.push_str(first.relation);
    page.push_str(if first.operation == Operation::Call {
        "()`\n\n|"
    } else {
        "`\n\n|"
    });
    for actor in Actor::ALL {
        page.push_str(" | ");
        page.push_str(actor.heading());
    }
    page.push_str(" | otherwise |\n|");
    page.push_str(&" --- |".repeat(Actor::ALL.len() + 2));
    page.push('\n');
}

fn line(page: &mut String, rule: &Rule) {
    let verb = match rule.operation {
        Operation::Read => "read",
        Operation::Add => "add",
        Operation::Merge => "upsert",
        Operation::Change => "change",
        Operation::Remove => "remove",
        Operation::Call => "call",
    };
    page.push_str("| ");
    page.push_str(verb);
    if !rule.what.is_empty() {
        page.push_str(": ");
        page.push_str(rule.what);
    }
    for actor in Actor::ALL {
        page.push_str(" | ");
        page.push_str(&cell(rule, actor));
    }
    // Writing to a string cannot fail.
    let _ = writeln!(page, " | {} |", rule.refusal());
}

fn cell(rule: &Rule, actor: Actor) -> String {
    let states = rule.states.iter().copied();
    let done = states.filter(|state| rule.outcome(actor, *state) == Outcome::Done);
    let letters: String = done.map(State::letter).collect();
    if letters.is_empty() {
        "·".to_owned()
    } else if letters.chars().count() == rule.states.len() {
        "yes".to_owned()
    } else {
        letters
    }
}
