//! What a role may see of a schema.

use std::collections::BTreeSet;

use passerelle_catalog::QualifiedName;
use passerelle_pg::{accessible_routines, accessible_tables, schema_comment};
use passerelle_statement::Statement;
use passerelle_testkit::TestDb;
use passerelle_wire::{Connection, ConnectionSettings, Endpoint, Flight, Scope};

use crate::support::catalog;

const SCHEMA: &str = r"
    create schema api;
    comment on schema api is E'Title\n\ntext';
    create schema bare;
    create table api.open (id int, secret text);
    create table api.partly (id int, secret text);
    create table api.closed (id int);
    create table api.parts (id int) partition by list (id);
    create table api.part partition of api.parts for values in (1);
    create view api.open_view as select id from api.open;
    create sequence api.number;
    create table public.elsewhere (id int);
    grant select on api.open, api.open_view, api.parts, api.part, public.elsewhere to anon;
    grant select (id) on api.partly to anon;
    create function api.add(a int, b int) returns int language sql return a + b;
    create function api.add(a text, b text) returns text language sql return a || b;
    create function api.hidden() returns int language sql return 1;
    create procedure api.act() language sql as '';
    revoke all on function api.hidden(), api.add(text, text) from public;
";

/// Rows as the role `anon` sees them, values separated by dots.
async fn seen(db: &TestDb, statement: &Statement) -> BTreeSet<String> {
    let endpoint = Endpoint::parse(&db.authenticator_url()).unwrap();
    let mut connection = Connection::connect(&endpoint, &ConnectionSettings::default())
        .await
        .unwrap();
    let prelude = [Statement::plain("set local role anon")];
    let scope = Scope::new("anon", "\"api\"");
    let result = connection
        .fly(&Flight::new(statement, &scope).prelude(&prelude))
        .await
        .unwrap();
    let width = result.width();
    result
        .rows()
        .map(|row| {
            let values: Vec<&str> = (0..width)
                .map(|at| row.text(at).unwrap_or("null"))
                .collect();
            values.join(".")
        })
        .collect()
}

fn set<const N: usize>(values: [&str; N]) -> BTreeSet<String> {
    values.map(str::to_owned).into()
}

#[tokio::test]
async fn a_role_sees_what_it_has_a_privilege_on() {
    let db = TestDb::platform().await;
    db.run(SCHEMA).await;
    assert_eq!(
        seen(&db, &accessible_tables("api")).await,
        set(["api.open", "api.open_view", "api.partly", "api.parts"])
    );
    assert_eq!(seen(&db, &accessible_tables("nowhere")).await, set([]));

    let catalog = catalog(&db, &["api"]).await;
    let add = catalog.routines(&QualifiedName::new("api", "add"));
    let of_numbers = add
        .iter()
        .find(|routine| &*routine.parameters[0].type_name == "integer")
        .unwrap();
    let oid = of_numbers.oid.to_string();
    assert_eq!(seen(&db, &accessible_routines("api")).await, set([&*oid]));
}

#[tokio::test]
async fn a_schema_may_have_a_comment() {
    let db = TestDb::platform().await;
    db.run(SCHEMA).await;
    assert_eq!(
        seen(&db, &schema_comment("api")).await,
        set(["Title\n\ntext"])
    );
    assert_eq!(seen(&db, &schema_comment("bare")).await, set(["null"]));
    assert_eq!(seen(&db, &schema_comment("nowhere")).await, set([]));
}
