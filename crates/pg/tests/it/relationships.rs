//! Relationships that follow from keys, views and functions.

use passerelle_catalog::{Cardinality, Catalog, ColumnPair, QualifiedName, Relationship};
use passerelle_testkit::TestDb;

use crate::support::{catalog, table};

fn pairs(pairs: &[ColumnPair]) -> String {
    pairs
        .iter()
        .map(|(a, b)| format!("{a}={b}"))
        .collect::<Vec<_>>()
        .join(",")
}

fn describe(relationship: &Relationship) -> String {
    let target = &relationship.target().name;
    match relationship {
        Relationship::Computed(computed) => {
            format!(
                "{target} by {} {}",
                computed.function.name,
                if computed.to_one { "1" } else { "n" }
            )
        }
        Relationship::Key(key) => match &key.cardinality {
            Cardinality::OneToMany(fk) => {
                format!("{target} n:{} {}", fk.constraint, pairs(&fk.columns))
            }
            Cardinality::ManyToOne(fk) => {
                format!("{target} 1:{} {}", fk.constraint, pairs(&fk.columns))
            }
            Cardinality::OneToOne { key: fk, is_parent } => format!(
                "{target} {}:{} {}",
                if *is_parent { "child" } else { "parent" },
                fk.constraint,
                pairs(&fk.columns)
            ),
            Cardinality::ManyToMany(junction) => format!(
                "{target} via {} {}({}) {}({})",
                junction.table.name,
                junction.origin_constraint,
                pairs(&junction.origin_columns),
                junction.target_constraint,
                pairs(&junction.target_columns)
            ),
        },
    }
}

fn from(catalog: &Catalog, origin: &str) -> Vec<String> {
    catalog
        .relationships(&QualifiedName::new("api", origin), "api")
        .map(|relationship| describe(relationship))
        .collect()
}

#[tokio::test]
async fn tables_by_foreign_keys() {
    let db = TestDb::with_sql(
        "create schema api;
        create table api.users (id int primary key, boss int constraint boss_fk references api.users);
        create table api.profiles (id int primary key constraint profile_fk references api.users);
        create table api.tags (a int, b int, primary key (a, b));
        create table api.posts (id int primary key, author int constraint author_fk references api.users);
        create table api.post_tags (
            post int constraint pt_post_fk references api.posts,
            a int, b int,
            constraint pt_tag_fk foreign key (a, b) references api.tags,
            primary key (a, b, post)
        );",
    )
    .await;
    let catalog = catalog(&db, &["api"]).await;
    assert_eq!(
        from(&catalog, "users"),
        [
            "posts n:author_fk id=author",
            "profiles child:profile_fk id=id",
            "users n:boss_fk id=boss",
            "users 1:boss_fk boss=id",
        ]
    );
    assert_eq!(
        from(&catalog, "posts"),
        [
            "post_tags n:pt_post_fk id=post",
            "tags via post_tags pt_post_fk(id=post) pt_tag_fk(a=a,b=b)",
            "users 1:author_fk author=id",
        ]
    );
    assert_eq!(
        from(&catalog, "profiles"),
        ["users parent:profile_fk id=id"]
    );
}

#[tokio::test]
async fn views_show_the_keys_of_hidden_tables() {
    let db = TestDb::with_sql(
        "create schema api; create schema hidden;
        create table hidden.owners (id int primary key);
        create table hidden.pets (id int primary key, owner int constraint pet_fk references hidden.owners);
        create view public.all_pets as select id as pet_id, owner from hidden.pets;
        create view api.pets as select owner as keeper, pet_id, owner as owner_again from public.all_pets;
        create view api.owners as select id as owner_id from hidden.owners where id > 0;
        create view api.names as (select id from hidden.owners union select id from hidden.pets);",
    )
    .await;
    let catalog = catalog(&db, &["api"]).await;
    assert_eq!(
        from(&catalog, "pets"),
        [
            "owners 1:pet_fk keeper=owner_id",
            "owners 1:pet_fk owner_again=owner_id"
        ]
    );
    assert_eq!(
        from(&catalog, "owners"),
        [
            "pets n:pet_fk owner_id=keeper",
            "pets n:pet_fk owner_id=owner_again"
        ]
    );
    assert_eq!(
        table(&catalog, "pets")
            .primary_key
            .iter()
            .map(|c| &**c)
            .collect::<Vec<_>>(),
        ["pet_id"]
    );
    assert!(from(&catalog, "names").is_empty());
}

#[tokio::test]
async fn functions_override_keys_of_the_same_name() {
    let db = TestDb::with_sql(
        "create schema api;
        create table api.designers (id int primary key);
        create table api.games (id int primary key, designer int references api.designers);
        create function api.designers(api.games) returns setof api.designers rows 1 stable language sql
            as 'select * from api.designers where id = $1.designer';
        create function api.similar(api.games) returns setof api.games stable language sql
            as 'select * from api.games';",
    )
    .await;
    let catalog = catalog(&db, &["api"]).await;
    assert_eq!(
        from(&catalog, "games"),
        ["designers by designers 1", "games by similar n"]
    );
    assert_eq!(
        from(&catalog, "designers"),
        ["games n:games_designer_fkey id=designer"]
    );
}

#[tokio::test]
async fn partitions_add_nothing() {
    let db = TestDb::with_sql(
        "create schema api;
        create table api.models (id int primary key);
        create table api.sales (id int, model int constraint sale_fk references api.models, at date) partition by range (at);
        create table api.sales_2020 partition of api.sales for values from ('2020-01-01') to ('2021-01-01');",
    )
    .await;
    let catalog = catalog(&db, &["api"]).await;
    assert_eq!(from(&catalog, "models"), ["sales n:sale_fk id=model"]);
}

#[tokio::test]
async fn hidden_junctions_and_targets_stay_hidden() {
    let db = TestDb::with_sql(
        "create schema api; create schema hidden;
        create table api.a (id int primary key);
        create table api.b (id int primary key, h int);
        create table hidden.h (id int primary key);
        alter table api.b add foreign key (h) references hidden.h;
        create table api.aa (id int primary key, up int references api.aa);
        create table hidden.ab (a int references api.a, b int references api.b, primary key (a, b));",
    )
    .await;
    let catalog = catalog(&db, &["api"]).await;
    assert!(from(&catalog, "a").is_empty());
    assert_eq!(catalog.similar_origin("a", "api"), None);
    assert!(from(&catalog, "b").is_empty());
}
