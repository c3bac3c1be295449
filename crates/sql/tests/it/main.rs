//! Requests as text, rendered as SQL; the SQL is also run by a real PostgreSQL.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "that is how a test fails"
)]

mod bodies;
mod calls;
mod catalog;
mod database;
mod embeds;
mod filters;
mod properties;
mod select;
mod writes;

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use passerelle_planner::{Plan, PlanSettings, ReadPlan, plan_with};
use passerelle_sql::{ReadStatements, render, render_call, render_mutate};
use passerelle_statement::Statement;
use passerelle_syntax::{Exposure, Extensions, Head, Limits, parse, read_payload};

/// A request: path with query, and header lines separated by `; `.
pub(crate) type Request = (&'static str, &'static str);

/// Every request that has a golden SQL.
pub(crate) fn all_requests() -> impl Iterator<Item = &'static Request> {
    [
        select::REQUESTS,
        select::COUNTS,
        filters::REQUESTS,
        embeds::REQUESTS,
        embeds::SPREADS,
    ]
    .into_iter()
    .chain([bodies::REQUESTS])
    .flatten()
}

/// A request with a body.
pub(crate) type Sent = (&'static str, &'static str, &'static [u8]);

pub(crate) fn plan_of((target, headers): Request) -> ReadPlan {
    match plan_of_sent((target, headers, b"")) {
        Plan::Read(plan) => *plan,
        other => panic!("{target} is not a read: {other:?}"),
    }
}

pub(crate) fn plan_of_sent((target, headers, body): Sent) -> Plan {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let lines = headers
        .split("; ")
        .filter_map(|line| line.split_once(": "))
        .collect::<Vec<_>>();
    let (method, path) = path.split_once(' ').unwrap_or(("GET", path));
    let head = Head {
        method,
        path,
        query,
        headers: &lines,
    };
    let exposure = Exposure {
        schemas: vec!["test".to_owned()],
        root: true,
        allow_transaction_override: false,
        extensions: Extensions::all(),
    };
    let limits = Limits {
        query_bytes: 10_000,
        query_body_bytes: 65_536,
        embed_depth: 10,
        logic_depth: 10,
        items: 100,
    };
    let settings = PlanSettings {
        max_rows: headers.contains("max-rows").then_some(1000),
        aggregates_enabled: true,
        legacy_target_names: false,
        expand_star: true,
        plan_enabled: true,
        index_conflict: true,
    };
    let request = parse(&head, &exposure, &limits).expect("the request is well-formed");
    let payload =
        read_payload(Bytes::from_static(body), &request).expect("the body is well-formed");
    let catalog = catalog::catalog();
    plan_with(&request, &payload, &catalog, &settings, &Arc::from("anon"))
        .unwrap_or_else(|error| panic!("{target} cannot be planned: {error}"))
}

/// The statement of a write or of a call.
pub(crate) fn statement(sent: Sent) -> Statement {
    match plan_of_sent(sent) {
        Plan::Mutate(plan) => render_mutate(&plan),
        Plan::Call(plan) => {
            let ReadStatements { main, explain } = render_call(&plan);
            assert_eq!(explain, None, "nothing is estimated of a call");
            main
        }
        Plan::Read(plan) => render(&plan).main,
        other => panic!("{sent:?} has no statement: {other:?}"),
    }
}

/// The requests with their SQL and parameters, for a snapshot.
pub(crate) fn golden_sent(requests: &[Sent]) -> String {
    let mut text = String::new();
    for &(target, headers, body) in requests {
        writeln!(text, "-- {}", heading(target, headers)).unwrap();
        write_statement(&mut text, &statement((target, headers, body)));
        text.push('\n');
    }
    text
}

pub(crate) fn heading(target: &str, headers: &str) -> String {
    let separator = if headers.is_empty() { "" } else { "  " };
    format!("{target}{separator}{headers}")
}

pub(crate) fn statements(request: Request) -> ReadStatements {
    render(&plan_of(request))
}

/// The requests with their SQL and parameters, for a snapshot.
pub(crate) fn golden(requests: &[Request]) -> String {
    let mut text = String::new();
    for &request in requests {
        let (target, headers) = request;
        writeln!(text, "-- {}", heading(target, headers)).unwrap();
        let ReadStatements { main, explain } = statements(request);
        write_statement(&mut text, &main);
        if let Some(explain) = explain {
            write_statement(&mut text, &explain);
        }
        text.push('\n');
    }
    text
}

fn write_statement(text: &mut String, statement: &Statement) {
    writeln!(text, "{}", statement.text).unwrap();
    for (index, value) in statement.params.iter().enumerate() {
        let value = value.as_deref().map(String::from_utf8_lossy);
        writeln!(
            text,
            "  ${} = {}",
            index + 1,
            value.unwrap_or("NULL".into())
        )
        .unwrap();
    }
}
