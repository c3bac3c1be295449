use passerelle_planner::{
    ColumnRef, EmbedShape, Handler, Plan, PlanError, PlanSettings, SelectColumn,
};
use passerelle_syntax::{AggregateFunction, MediaType};

use crate::{error, plan_with, read, settings};

fn names(select: &[SelectColumn]) -> Vec<String> {
    select
        .iter()
        .map(|column| match &column.field.column {
            ColumnRef::All => "*".to_owned(),
            ColumnRef::WholeRow => "<row>".to_owned(),
            ColumnRef::Named(name) => name.to_string(),
        })
        .collect()
}

#[test]
fn a_star_is_what_the_role_may_read() {
    let star = |role| match plan_with(
        &settings(),
        role,
        "/messages?select=id,users!sender(*)",
        &[],
    ) {
        Ok(Plan::Read(plan)) => names(&plan.root.embeds[0].node.select),
        other => panic!("not a read: {other:?}"),
    };
    assert_eq!(star("anon"), ["id", "name"]);
    assert_eq!(star("authenticated"), ["*"]);
}

#[test]
fn a_star_stays_when_the_expansion_is_off() {
    let off = PlanSettings {
        expand_star: false,
        ..settings()
    };
    let Ok(Plan::Read(plan)) = plan_with(&off, "anon", "/users", &[]) else {
        panic!("a read")
    };
    assert_eq!(names(&plan.root.select), ["*"]);
}

#[test]
fn an_empty_embed_of_a_restricted_relation_selects_what_is_readable() {
    let plan = plan_with(
        &settings(),
        "anon",
        "/messages?select=id,users!sender!inner()",
        &[],
    );
    let Ok(Plan::Read(plan)) = plan else {
        panic!("a read")
    };
    let embed = &plan.root.embeds[0];
    assert_eq!(embed.shape, EmbedShape::Object { hidden: true });
    assert_eq!(names(&embed.node.select), ["id", "name"]);
}

#[test]
fn json_paths_are_named_for_their_last_key() {
    let plan = read("/projects?select=data->a->2,data->>1,data->a->>b,x:data->c");
    let aliases: Vec<_> = plan
        .root
        .select
        .iter()
        .filter_map(|c| c.alias.as_deref())
        .collect();
    assert_eq!(aliases, ["a", "data", "b", "x"]);
    assert!(plan.root.select.iter().all(|column| !column.field.to_json));
    assert!(
        read("/projects?select=name->x").root.select[0]
            .field
            .to_json
    );
}

#[test]
fn representations_write_the_star_out() {
    let plan = read("/widgets");
    assert_eq!(names(&plan.root.select), ["id", "color"]);
    assert_eq!(plan.root.select[1].alias.as_deref(), Some("color"));
    assert!(plan.root.select[1].field.transform.is_some());
}

#[test]
fn aggregates_of_a_to_one_spread_move_to_the_parent() {
    let plan = read("/tasks?select=...projects(client_id,id.count())");
    let embed = &plan.root.embeds[0];
    let EmbedShape::SpreadRow(columns) = &embed.shape else {
        panic!("a row is spread")
    };
    assert!(
        embed
            .node
            .select
            .iter()
            .all(|column| column.aggregate.is_none())
    );
    assert_eq!(columns[1].name, "count");
    let aggregate = columns[1]
        .aggregate
        .as_ref()
        .map(|aggregate| aggregate.function);
    assert_eq!(aggregate, Some(AggregateFunction::Count));
}

#[test]
fn aggregates_pass_through_nested_spreads() {
    let plan = read("/users_tasks?select=...tasks(...projects(total:id.sum()))");
    let EmbedShape::SpreadRow(columns) = &plan.root.embeds[0].shape else {
        panic!("a spread")
    };
    assert_eq!(columns[0].alias.as_deref(), Some("total"));
    assert!(columns[0].aggregate.is_some());
}

#[test]
fn a_to_many_spread_orders_outside_and_has_no_aggregates() {
    let plan = read("/clients?select=id,...projects(name)&projects.order=id.desc");
    let EmbedShape::SpreadArrays { columns, keys } = &plan.root.embeds[0].shape else {
        panic!("arrays")
    };
    assert_eq!((columns.len(), keys.len()), (1, 1));
    assert!(plan.root.embeds[0].node.order.is_empty());
    assert!(matches!(
        error("/clients?select=id,...projects(id.count())"),
        PlanError::NotImplemented(_)
    ));
}

#[test]
fn aggregates_can_be_switched_off() {
    let off = PlanSettings {
        aggregates_enabled: false,
        ..settings()
    };
    let plan = plan_with(&off, "anon", "/clients?select=id,projects(id.sum())", &[]);
    assert_eq!(plan, Err(PlanError::AggregatesNotAllowed));
}

#[test]
fn max_rows_caps_every_level() {
    let capped = PlanSettings {
        max_rows: Some(5),
        ..settings()
    };
    let path = "/clients?select=id,projects(id)&limit=10&offset=2&projects.limit=3";
    let Ok(Plan::Read(plan)) = plan_with(&capped, "anon", path, &[]) else {
        panic!("a read")
    };
    assert_eq!(
        (plan.root.range.limit, plan.root.range.offset),
        (Some(5), 2)
    );
    assert_eq!(plan.root.embeds[0].node.range.limit, Some(3));
    assert_eq!(plan.reply.range.limit, Some(10));
}

#[test]
fn the_first_acceptable_media_type_wins() {
    let accept = |value| match plan_with(&settings(), "anon", "/clients", &[("accept", value)]) {
        Ok(Plan::Read(plan)) => Ok((plan.handler, plan.reply.media_type)),
        Ok(other) => panic!("not a read: {other:?}"),
        Err(error) => Err(error),
    };
    assert_eq!(accept("text/csv"), Ok((Handler::Csv, MediaType::Csv)));
    assert_eq!(
        accept("image/png, */*"),
        Ok((Handler::Json, MediaType::Json))
    );
    assert_eq!(
        accept("image/png"),
        Err(PlanError::NotAcceptable(vec!["image/png".to_owned()]))
    );
}

#[test]
fn unknown_preferences_matter_under_strict_handling_only() {
    let prefer = |value| plan_with(&settings(), "anon", "/clients", &[("prefer", value)]);
    assert!(prefer("anything").is_ok());
    assert!(matches!(
        prefer("handling=strict, anything"),
        Err(PlanError::InvalidPreferences(list)) if list == ["anything"]
    ));
}

#[test]
fn an_unknown_relation_is_told_with_a_similar_one() {
    let PlanError::TableNotFound { similar, .. } = error("/client") else {
        panic!("not found")
    };
    assert_eq!(similar.as_deref(), Some("clients"));
}
