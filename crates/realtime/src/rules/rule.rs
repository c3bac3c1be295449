//! What a role may see of a table, as its policies say.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde::Deserialize;

/// Functions that read nothing of a token but its subject.
const OF_SUBJECT: [&str; 1] = ["auth.uid()"];

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    /// Which description of it this is; no other has the number.
    pub(crate) edition: u64,
    pub(crate) oid: u32,
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(super) is_guarded: bool,
    /// The database tells when definitions change.
    pub(super) is_watched: bool,
    pub(crate) columns: Vec<Column>,
    pub(super) policies: Vec<Policy>,
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
    /// The same with its schema, for statements.
    #[serde(default)]
    pub(crate) of: String,
    #[serde(default)]
    pub(crate) is_enum: bool,
    number: i32,
    /// Whether it is of the primary key.
    pub(super) primary: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Policy {
    command: String,
    permissive: bool,
    roles: Vec<String>,
    using: Option<String>,
    check: Option<String>,
    columns: Vec<i32>,
    /// It looks at the row as a whole.
    whole: bool,
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

#[cfg(test)]
impl Table {
    pub(crate) fn for_tests(columns: Vec<Column>) -> Self {
        Self {
            edition: 1,
            oid: 1,
            schema: "public".to_owned(),
            name: "posts".to_owned(),
            is_guarded: false,
            is_watched: true,
            columns,
            policies: Vec::new(),
        }
    }
}

/// A role and what it has been granted.
pub(super) struct Grants<'a> {
    /// No policy counts.
    pub(super) is_above: bool,
    pub(super) may_add: bool,
    /// The roles that it is of.
    pub(super) roles: HashSet<&'a str>,
    /// The columns that it may read.
    pub(super) columns: HashSet<i32>,
}

impl Rule {
    /// That of a role which may see nothing.
    pub(crate) fn nothing() -> Self {
        Self {
            columns: Vec::new(),
            check: Check::Never,
        }
    }

    pub(super) fn of(table: &Table, grants: &Grants<'_>, wish: Wish) -> Self {
        let allowed: Vec<bool> = table
            .columns
            .iter()
            .map(|column| grants.columns.contains(&column.number))
            .collect();
        let is_granted = match wish {
            Wish::See => allowed.contains(&true),
            Wish::Add => grants.may_add,
        };
        let check = if !is_granted {
            Check::Never
        } else if !table.is_guarded || grants.is_above {
            Check::Always
        } else {
            Self::check(table, &grants.roles, wish)
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
        let is_whole = policies.iter().any(|policy| policy.whole);
        let reads = reads.map(|column| is_whole || numbers.contains(&column.number));
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

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
