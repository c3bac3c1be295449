//! Requests as text, planned against a small catalogue.
#![expect(clippy::panic, reason = "a test says what it got instead")]

mod catalog;
mod embeds;
mod select;

use std::sync::Arc;

use passerelle_planner::{Plan, PlanError, PlanSettings, ReadPlan, plan};
use passerelle_syntax::{Exposure, Head, Limits, parse};

pub(crate) fn settings() -> PlanSettings {
    PlanSettings {
        max_rows: None,
        aggregates_enabled: true,
        legacy_target_names: false,
        expand_star: true,
        plan_enabled: false,
    }
}

pub(crate) fn plan_with(
    settings: &PlanSettings,
    role: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Plan, PlanError> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let head = Head {
        method: "GET",
        path,
        query,
        headers,
    };
    let exposure = Exposure {
        schemas: vec!["test".to_owned()],
        root: true,
        allow_transaction_override: true,
    };
    let limits = Limits {
        query_bytes: 10_000,
        embed_depth: 10,
        logic_depth: 10,
        items: 100,
    };
    let request = parse(&head, &exposure, &limits).expect("the request is well-formed");
    plan(&request, &catalog::catalog(), settings, &Arc::from(role))
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
