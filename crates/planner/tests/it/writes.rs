use passerelle_planner::{
    ColumnRef, ConflictKey, Handler, KeyCheck, MutatePlan, OutcomeCheck, Plan, PlanError, Write,
    WriteColumn,
};
use passerelle_syntax::{Mutation, Resolution};

use crate::plan_body;

fn mutate(method: &str, path: &str, prefer: &str, keys: &[&str]) -> MutatePlan {
    match plan_body(method, path, &[("prefer", prefer)], keys) {
        Ok(Plan::Mutate(plan)) => *plan,
        other => panic!("not a write: {other:?}"),
    }
}

fn names(columns: &[ColumnRef]) -> Vec<&str> {
    columns
        .iter()
        .map(|column| match column {
            ColumnRef::All => "*",
            ColumnRef::WholeRow => "<row>",
            ColumnRef::Named(name) => name,
        })
        .collect()
}

#[test]
fn an_insert_shows_nothing_unless_asked() {
    let plan = mutate("POST", "/projects", "return=minimal", &["id", "name"]);
    assert_eq!((plan.handler, plan.returning), (Handler::None, Vec::new()));
    assert!(plan.check.is_void());
    let Write::Insert {
        columns,
        conflict: None,
        ..
    } = plan.write
    else {
        panic!("an insert")
    };
    assert_eq!(columns.len(), 2);
}

#[test]
fn a_representation_returns_what_it_and_its_embeds_need() {
    let plan = mutate(
        "POST",
        "/projects?select=name,clients(name)",
        "return=representation",
        &["id"],
    );
    assert_eq!(names(&plan.returning), ["client_id", "id", "name"]);
    assert_eq!(plan.handler, Handler::Json);
    let plan = mutate("POST", "/projects", "return=representation", &["id"]);
    assert_eq!(names(&plan.returning), ["*"]);
    let plan = mutate("POST", "/projects", "return=headers-only", &["id"]);
    assert_eq!(plan.location_columns.len(), 1);
}

#[test]
fn filters_of_the_root_choose_the_rows_and_others_the_embeds() {
    let path =
        "/projects?id=eq.1&or=(name.eq.a,name.eq.b)&select=id,tasks(id)&tasks.id=gt.3&limit=1";
    let plan = mutate("PATCH", path, "return=representation", &["name"]);
    let Write::Update { filters, .. } = &plan.write else {
        panic!("an update")
    };
    assert_eq!(filters.len(), 2);
    assert!(plan.read.filters.is_empty());
    assert_eq!(plan.read.range.limit, None);
    assert_eq!(plan.read.embeds[0].node.filters.len(), 1);
}

#[test]
fn an_upsert_merges_on_the_key_or_on_what_is_named() {
    let conflict = |path| match mutate("POST", path, "resolution=merge-duplicates", &["id"]).write {
        Write::Insert {
            conflict: Some(conflict),
            ..
        } => conflict,
        other => panic!("no conflict: {other:?}"),
    };
    let columns = |path| -> Vec<String> {
        let keys = conflict(path).keys.into_iter();
        keys.map(|key| match key {
            ConflictKey::Column(name) => name.to_string(),
            ConflictKey::Expression(_) => panic!("an expression"),
        })
        .collect()
    };
    assert_eq!(columns("/projects"), ["id"]);
    assert_eq!(
        conflict("/projects").resolution,
        Resolution::MergeDuplicates
    );
    assert_eq!(
        columns("/projects?on_conflict=name,client_id"),
        ["name", "client_id"]
    );
}

#[test]
fn a_put_addresses_its_row_by_the_whole_key() {
    let plan = mutate(
        "PUT",
        "/projects?id=eq.1",
        "return=representation",
        &["id", "name"],
    );
    assert_eq!(plan.mutation, Mutation::SingleUpsert);
    assert!(plan.check.put);
    for path in [
        "/projects",
        "/projects?name=eq.a",
        "/projects?id=gt.1",
        "/projects?id=eq.1&name=eq.a",
    ] {
        assert_eq!(
            plan_body("PUT", path, &[], &["id"]),
            Err(PlanError::PutFilters),
            "{path}"
        );
    }
}

#[test]
fn an_unknown_column_is_told() {
    assert_eq!(
        plan_body("POST", "/projects", &[], &["nothing"]),
        Err(PlanError::ColumnNotFound {
            relation: "projects".to_owned(),
            column: "nothing".to_owned()
        })
    );
}

#[test]
fn outcomes_are_looked_at_where_they_may_be_refused() {
    let strict = "handling=strict, max-affected=3";
    let limited = OutcomeCheck {
        max_affected: Some(3),
        ..OutcomeCheck::default()
    };
    assert_eq!(
        mutate("DELETE", "/projects?id=eq.1", strict, &[]).check,
        limited
    );
    assert!(
        mutate("DELETE", "/projects?id=eq.1", "max-affected=3", &[])
            .check
            .is_void()
    );
    assert!(mutate("POST", "/projects", strict, &["id"]).check.is_void());
}

#[test]
fn an_update_by_key_matches_by_the_key_and_sets_the_rest() {
    let by_key = |path: &str, keys: &[&str]| mutate("PATCH", path, "update=by-key", keys);
    let plan = by_key("/projects?id=gt.1", &["client_id", "id", "name"]);
    let Write::Update {
        columns,
        keys,
        filters,
        ..
    } = &plan.write
    else {
        panic!("an update")
    };
    let names = |columns: &[WriteColumn]| -> Vec<String> {
        columns
            .iter()
            .map(|column| column.name.to_string())
            .collect()
    };
    assert_eq!(
        (names(keys), names(columns)),
        (
            vec!["id".to_owned()],
            vec!["client_id".to_owned(), "name".to_owned()]
        )
    );
    assert_eq!(filters.len(), 1);
    assert_eq!(plan.check.keys, Some(KeyCheck::Distinct));
    assert_eq!(plan.reply.applied, ["update=by-key"]);
    let strict = "update=by-key, handling=strict, return=representation";
    let plan = mutate("PATCH", "/projects?columns=name", strict, &["name"]);
    assert_eq!(plan.check.keys, Some(KeyCheck::DistinctAndMatched));
    assert_eq!(plan.returning.len(), 4);
}

#[test]
fn keys_that_cannot_be_matched_by() {
    let refused = |path: &str, keys: &[&str]| {
        plan_body("PATCH", path, &[("prefer", "update=by-key")], keys).unwrap_err()
    };
    assert_eq!(
        refused("/projects?on_conflict=name", &["name", "client_id"]),
        PlanError::NoUniqueKey {
            relation: "projects".to_owned(),
            columns: Some(vec!["name".to_owned()])
        }
    );
    assert_eq!(
        refused("/users_tasks", &["task_id"]),
        PlanError::KeyNotInBody {
            column: "user_id".to_owned()
        }
    );
    assert_eq!(
        refused("/users_tasks", &["task_id", "user_id"]),
        PlanError::NothingBesideKey {
            relation: "users_tasks".to_owned()
        }
    );
}
