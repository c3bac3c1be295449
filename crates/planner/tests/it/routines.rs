use passerelle_planner::{Arguments, CallPlan, Plan, PlanError, ResultKind, TextArgument};

use crate::{plan_body, plan_with, settings};

fn get(path: &str) -> Result<Plan, PlanError> {
    plan_with(&settings(), "anon", path, &[])
}

fn call(plan: Result<Plan, PlanError>) -> CallPlan {
    match plan {
        Ok(Plan::Call(plan)) => *plan,
        other => panic!("not a call: {other:?}"),
    }
}

#[test]
fn arguments_pick_among_functions_of_one_name() {
    let plan = call(get("/rpc/add?a=1"));
    assert!(plan.transaction.read_only);
    assert_eq!(plan.result, ResultKind::Scalar);
    let Arguments::Text(arguments) = &plan.arguments else {
        panic!("texts")
    };
    assert_eq!(arguments[0].1, TextArgument::One("1".to_owned()));
    let plan = call(plan_body("POST", "/rpc/add", &[], &["a", "b", "c"]));
    let Arguments::Json { parameters, .. } = &plan.arguments else {
        panic!("members")
    };
    assert_eq!(parameters.len(), 3);
}

#[test]
fn arguments_that_fit_no_function_are_told() {
    let PlanError::RoutineNotFound(missing) = get("/rpc/add?x=1").expect_err("none fits") else {
        panic!("not found")
    };
    assert_eq!(missing.arguments, ["x"]);
    assert_eq!(missing.posted, None);
}

#[test]
fn functions_that_cannot_be_told_apart_are_ambiguous() {
    let PlanError::AmbiguousRoutine(candidates) = get("/rpc/twice?a=1").expect_err("two fit")
    else {
        panic!("ambiguous")
    };
    assert_eq!(
        candidates,
        ["test.twice(a => integer)", "test.twice(a => integer)"]
    );
}

#[test]
fn a_body_may_be_the_only_parameter() {
    let plan = call(plan_body("POST", "/rpc/echo", &[], &["anything"]));
    assert!(matches!(
        plan.arguments,
        Arguments::Body { bytes: Some(_), .. }
    ));
    assert!(!plan.transaction.read_only);
    assert!(get("/rpc/echo?anything=1").is_err());
}

#[test]
fn rows_of_a_relation_have_its_relationships() {
    let plan = call(get(
        "/rpc/all_projects?select=name,clients(name)&id=gt.3&limit=2",
    ));
    assert_eq!(plan.result, ResultKind::SetOfComposite);
    assert_eq!(plan.read.range.limit, Some(2));
    assert_eq!(plan.read.filters.len(), 1);
    assert_eq!(
        plan.returning.len(),
        3,
        "client_id, id and name: {:?}",
        plan.returning
    );
}

#[test]
fn max_affected_needs_a_set() {
    let strict = [("prefer", "handling=strict, max-affected=1")];
    assert_eq!(
        plan_with(&settings(), "anon", "/rpc/add?a=1", &strict),
        Err(PlanError::MaxAffectedOnSingle)
    );
    assert!(plan_with(&settings(), "anon", "/rpc/all_projects", &strict).is_ok());
}
