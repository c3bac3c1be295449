//! Requests as text, planned against a small catalogue.
#![expect(clippy::panic, reason = "a test says what it got instead")]

mod catalog;
mod embeds;
mod routines;
mod select;
mod writes;

use std::sync::Arc;

use passerelle_planner::{Plan, PlanError, PlanSettings, ReadPlan};
use passerelle_syntax::{Exposure, Extensions, Head, Limits, Payload, parse};

pub(crate) fn settings() -> PlanSettings {
    PlanSettings {
        max_rows: None,
        aggregates_enabled: true,
        legacy_target_names: false,
        expand_star: true,
        plan_enabled: false,
        index_conflict: true,
    }
}

/// Plans a GET.
pub(crate) fn plan_with(
    settings: &PlanSettings,
    role: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Plan, PlanError> {
    plan_request(settings, role, ("GET", path), headers, &Payload::None)
}

/// Plans a request with a JSON object of these members.
pub(crate) fn plan_body(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    keys: &[&str],
) -> Result<Plan, PlanError> {
    let payload = Payload::Json {
        bytes: "{}".into(),
        is_object: true,
        keys: keys.iter().map(|&key| key.to_owned()).collect(),
        operations: Vec::new(),
    };
    plan_request(
        &settings(),
        "authenticated",
        (method, path),
        headers,
        &payload,
    )
}

fn plan_request(
    settings: &PlanSettings,
    role: &str,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    payload: &Payload,
) -> Result<Plan, PlanError> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let head = Head {
        method,
        path,
        query,
        headers,
    };
    let exposure = Exposure {
        schemas: vec!["test".to_owned()],
        root: true,
        allow_transaction_override: true,
        extensions: Extensions::all(),
    };
    let limits = Limits {
        query_bytes: 10_000,
        query_body_bytes: 65_536,
        embed_depth: 10,
        logic_depth: 10,
        items: 100,
    };
    let request = parse(&head, &exposure, &limits).expect("the request is well-formed");
    let catalog = catalog::catalog();
    passerelle_planner::plan_with(&request, payload, &catalog, settings, &Arc::from(role))
}

pub(crate) fn read(path: &str) -> ReadPlan {
    match plan_with(&settings(), "authenticated", path, &[]) {
        Ok(Plan::Read(read)) => *read,
        other => panic!("not a read: {other:?}"),
    }
}

pub(crate) fn error(path: &str) -> PlanError {
    plan_with(&settings(), "authenticated", path, &[]).expect_err("there is no plan")
}
