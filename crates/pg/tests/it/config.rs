//! Configuration in the database.

use passerelle_catalog::QualifiedName;
use passerelle_pg::in_database_settings;
use passerelle_testkit::TestDb;

use crate::support::endpoint;

#[tokio::test]
async fn the_nearest_setting_counts() {
    let db = TestDb::empty().await;
    let (name, role) = (db.name(), format!("{}_gate", db.name()));
    db.run(&format!(
        "create role {role} superuser login password 'secret';
        alter role {role} set pgrst.db_max_rows = '10';
        alter role {role} set pgrst.jwt_aud = 'everywhere';
        alter role {role} set pgrst.unknown = 'x';
        alter role {role} in database {name} set pgrst.jwt_aud = 'a=b';
        create function public.pre_config() returns void language sql as $$
          select set_config('pgrst.db_schemas', 'api', true), set_config('pgrst.db_max_rows', '7', true)
        $$;"
    ))
    .await;
    let mut client = endpoint(&db.url_of(&role, "secret"))
        .connect()
        .await
        .unwrap();
    let names = ["db_schemas", "db_max_rows", "jwt_aud", "db_anon_role"];
    let function = QualifiedName::new("public", "pre_config");
    let settings = in_database_settings(&mut client, &names, Some(&function))
        .await
        .unwrap();
    drop(client);
    db.run(&format!("drop role {role}")).await;

    let mut settings: Vec<(String, String)> = settings.into_iter().collect();
    settings.sort();
    let expected = [
        ("db_max_rows", "10"),
        ("db_schemas", "api"),
        ("jwt_aud", "a=b"),
    ];
    assert_eq!(
        settings,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}
