use passerelle_planner::{Condition, EmbedShape, Plan, PlanError, PlanSettings, Qualifier, Source};

use crate::{error, plan_with, read, settings};

#[test]
fn a_foreign_key_is_followed_to_an_object_and_back_to_an_array() {
    let plan = read("/projects?select=id,clients(name),tasks(id)");
    let [clients, tasks] = plan.root.embeds.as_slice() else {
        panic!("two embeds")
    };
    assert_eq!(clients.shape, EmbedShape::Object { hidden: false });
    assert_eq!(tasks.shape, EmbedShape::Array { hidden: false });
    assert_eq!(clients.name, "clients");
    let [join] = clients.node.joins.as_slice() else {
        panic!("one join")
    };
    assert!(matches!(&join.left, Qualifier::Relation(name) if &*name.name == "projects"));
    assert_eq!(
        (&*join.columns[0].0, &*join.columns[0].1),
        ("client_id", "id")
    );
}

#[test]
fn a_junction_needs_both_keys_in_its_primary_key() {
    let plan = read("/users?select=id,tasks(id)");
    let node = &plan.root.embeds[0].node;
    assert!(matches!(&node.source,
        Source::Relation { junction: Some((name, _)), .. } if &*name.name == "users_tasks"));
    assert_eq!(node.joins.len(), 2);
}

#[test]
fn several_keys_are_ambiguous_until_a_hint_picks_one() {
    let PlanError::AmbiguousRelationship { candidates, .. } =
        error("/messages?select=id,users(name)")
    else {
        panic!("ambiguous")
    };
    assert_eq!(candidates.len(), 2);
    let plan =
        read("/messages?select=id,from:users!messages_sender_fkey(name),to:users!recipient(name)");
    assert_eq!(plan.root.embeds.len(), 2);
    assert_ne!(plan.root.embeds[0].alias, plan.root.embeds[1].alias);
}

#[test]
fn a_self_reference_has_two_directions() {
    let plan = read("/people?select=id,reports:people(id),manager(id)");
    assert_eq!(
        plan.root.embeds[0].shape,
        EmbedShape::Array { hidden: false }
    );
    assert_eq!(
        plan.root.embeds[1].shape,
        EmbedShape::Object { hidden: false }
    );
}

#[test]
fn an_unknown_embed_is_told_with_what_was_meant() {
    let PlanError::NoRelationship { similar, .. } = error("/projects?select=client(name)") else {
        panic!("no relationship")
    };
    assert_eq!(
        similar.as_deref(),
        Some(&("clients".to_owned(), "client".to_owned()))
    );
}

#[test]
fn filters_orders_and_ranges_find_their_embed() {
    let plan = read(
        "/clients?select=id,projects(id,tasks(id))&projects.name=eq.x&projects.tasks.order=id.desc&projects.limit=3",
    );
    let projects = &plan.root.embeds[0].node;
    assert_eq!(projects.filters.len(), 1);
    assert_eq!(projects.range.limit, Some(3));
    assert_eq!(projects.embeds[0].node.order.len(), 1);
    assert_eq!(
        error("/clients?select=id&projects.name=eq.x"),
        PlanError::NotEmbedded {
            target: "projects".to_owned(),
            legacy: None
        }
    );
}

#[test]
fn an_alias_replaces_the_name_unless_legacy_names_are_on() {
    let path = "/clients?select=id,jobs:projects(id)&projects.name=eq.x";
    let named = Some(("projects".to_owned(), "jobs".to_owned()));
    assert_eq!(
        error(path),
        PlanError::NotEmbedded {
            target: "projects".to_owned(),
            legacy: named.clone()
        }
    );
    let legacy = PlanSettings {
        legacy_target_names: true,
        ..settings()
    };
    let Ok(Plan::Read(plan)) = plan_with(&legacy, "anon", path, &[]) else {
        panic!("a read")
    };
    assert_eq!(plan.reply.legacy_targets, Vec::from_iter(named));
}

#[test]
fn null_filters_on_an_embed_ask_for_its_rows() {
    let plan = read("/clients?select=id,projects()&projects=not.is.null");
    assert!(matches!(
        &plan.root.filters[..],
        [Condition::EmbedIsNull { negated: true, .. }]
    ));
    assert_eq!(
        plan.root.embeds[0].shape,
        EmbedShape::Array { hidden: true }
    );
}

#[test]
fn a_related_order_follows_to_one_relationships_only() {
    let plan = read("/projects?select=id,clients(name)&order=clients(name).desc");
    assert_eq!(
        plan.root.order[0].embed.as_ref(),
        Some(&plan.root.embeds[0].alias)
    );
    assert!(matches!(
        error("/clients?select=id,projects(name)&order=projects(name)"),
        PlanError::RelatedOrderNotToOne { .. }
    ));
    assert!(matches!(
        error("/clients?order=projects(name)"),
        PlanError::NotEmbedded { .. }
    ));
}

#[test]
fn aliases_fit_postgresql_and_differ() {
    let long = "é".repeat(60);
    let plan = read(&format!(
        "/clients?select=id,{long}:projects(id),b{long}:projects(id)"
    ));
    for embed in &plan.root.embeds {
        assert!(embed.alias.len() <= 63);
    }
    assert_ne!(plan.root.embeds[0].alias, plan.root.embeds[1].alias);
}
