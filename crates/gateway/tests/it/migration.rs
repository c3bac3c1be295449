//! `passerelle serve` with a `[migration]`: an empty database, two gateways at once, and what goes wrong.

use passerelle_testkit::TestDb;

use crate::program::{Program, get, run, url_in};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const HUB_LIB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/hub-lib");
const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

/// A role of this test's own, since those of the platform belong to all tests.
struct ServingRole {
    name: String,
    db: TestDb,
}

impl ServingRole {
    async fn in_empty_database(options: &str) -> Self {
        let db = TestDb::empty().await;
        let name = format!("serving_{}", db.name());
        db.run(&format!("create role {name} noinherit {options}"))
            .await;
        Self { name, db }
    }

    fn variables(&self, more: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("DATABASE_URL", self.db.url_of(&self.name, "of-the-url")),
            ("PASSERELLE_MIGRATION_URL", self.db.url()),
            ("JWT_SECRET", SECRET.to_owned()),
            ("PASSERELLE_SERVER_HOST", "127.0.0.1".to_owned()),
            ("PASSERELLE_SERVER_PORT", "0".to_owned()),
            ("PASSERELLE_SERVER_ADMIN_PORT", "0".to_owned()),
            ("PASSERELLE_REALTIME_ENABLED", "false".to_owned()),
        ];
        variables.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
        variables.extend_from_slice(more);
        variables
    }

    async fn drop(self) {
        let name = &self.name;
        let clean = format!("drop owned by {name}; drop role {name}");
        self.db.run(&clean).await;
    }
}

fn lent<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    let pairs = variables.iter();
    pairs.map(|(name, value)| (*name, value.as_str())).collect()
}

fn keys() -> String {
    let (_, keys, _) = run(HERE.as_ref(), &["keys", "--json", "--secret", SECRET], &[]);
    let keys: serde_json::Value = serde_json::from_str(&keys).unwrap();
    keys["anon_key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn two_gateways_bring_an_empty_database_up_and_its_role_in() {
    // The platform's roles are there before this one becomes a member of them.
    drop(TestDb::platform().await);
    let role = ServingRole::in_empty_database("").await;
    let member = format!("grant anon, authenticated, service_role to {}", role.name);
    role.db.run(&member).await;
    let application = ("PASSERELLE_MIGRATION_APPLICATION", HUB_LIB.to_owned());
    let variables = role.variables(&[application]);
    let servers = [(), ()].map(|()| Program::start(HERE.as_ref(), &["serve"], &lent(&variables)));
    let anon = keys();
    for server in &servers {
        let url = url_in(&server.error_line("ready"));
        let tags = format!("{url}/rest/v1/category_tag_suggestions?select=name&name=eq.react");
        let (status, answer) = get(&tags, &[("apikey", &anon)]);
        assert_eq!(status, 200, "{answer}");
        assert!(answer.ends_with(r#"[{"name":"react"}]"#), "{answer}");
        // The people of the examples are not in production.
        let people = format!("{url}/rest/v1/profiles?select=username");
        let (_, answer) = get(&people, &[("apikey", &anon)]);
        assert!(answer.ends_with("[]"), "{answer}");
    }
    for server in servers {
        assert!(server.stop("TERM").0.success());
    }

    // Nothing is left to do, and another password is set as the first one was.
    let url = ("DATABASE_URL", role.db.url_of(&role.name, "another one"));
    let again = role.variables(&[url]);
    let server = Program::start(HERE.as_ref(), &["serve"], &lent(&again));
    server.error_line("applied=0");
    server.error_line("the password was set");
    server.error_line("ready");
    assert!(server.stop("TERM").0.success());
    role.drop().await;
}

#[tokio::test]
async fn commands_of_the_owner_work_beside_a_server_that_migrates() {
    let role = ServingRole::in_empty_database("").await;
    let variables = role.variables(&[]);
    let (code, out, errors) = run(HERE.as_ref(), &["migrate"], &lent(&variables));
    assert_eq!(code, Some(0), "{errors}");
    assert!(out.starts_with("applied 0001_roles.sql"), "{out}");
    let (code, out, errors) = run(HERE.as_ref(), &["jobs", "list"], &lent(&variables));
    assert_eq!(code, Some(0), "{errors}");
    assert!(out.starts_with("no jobs are waiting"), "{out}");
    role.drop().await;
}

#[tokio::test]
async fn an_owner_that_is_refused_is_told_in_a_sentence() {
    let role = ServingRole::in_empty_database("login password 'right'").await;
    let wrong = role.db.url_of(&role.name, "wrong");
    let variables = role.variables(&[("PASSERELLE_MIGRATION_URL", wrong)]);
    let (code, _, errors) = run(HERE.as_ref(), &["serve"], &lent(&variables));
    assert_eq!(code, Some(1), "{errors}");
    let said = format!("the database refuses the role {}", role.name);
    assert!(errors.contains(&said), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(!errors.contains("wrong"), "{errors}");
    role.drop().await;
}

#[tokio::test]
async fn a_role_without_a_password_is_named() {
    let role = ServingRole::in_empty_database("").await;
    let without = role.db.url_of(&role.name, "");
    let variables = role.variables(&[("DATABASE_URL", without)]);
    let (code, _, errors) = run(HERE.as_ref(), &["serve"], &lent(&variables));
    assert_eq!(code, Some(1), "{errors}");
    let said = format!("the role {} cannot sign in", role.name);
    let last = errors.lines().last().unwrap_or_default();
    assert!(
        last.contains(&said) && last.contains("no password"),
        "{errors}"
    );
    role.drop().await;
}

#[tokio::test]
async fn a_script_that_fails_is_named_and_the_next_start_goes_on_after_it() {
    let role = ServingRole::in_empty_database("").await;
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, sql: &str| std::fs::write(dir.path().join(name), sql).unwrap();
    write("init.sql", "create table notes (id int);");
    write("policies.sql", "create table half ();\nselect nothing;");
    let path = dir.path().to_str().unwrap().to_owned();
    let variables = role.variables(&[("PASSERELLE_MIGRATION_APPLICATION", path)]);
    let (code, _, errors) = run(HERE.as_ref(), &["serve"], &lent(&variables));
    assert_eq!(code, Some(1), "{errors}");
    let last = errors.lines().last().unwrap_or_default();
    assert!(last.contains("policies.sql:2:8: column"), "{errors}");
    assert_eq!(last.matches("does not exist").count(), 1, "{errors}");
    let halves = role.db.client().await;
    let half = halves
        .query_one("select to_regclass('half') is null", &[])
        .await
        .unwrap();
    assert!(half.get::<_, bool>(0), "a part of the script stayed");
    drop(halves);

    write("policies.sql", "grant select on notes to anon;");
    let server = Program::start(HERE.as_ref(), &["serve"], &lent(&variables));
    server.error_line("applied=1");
    server.error_line("ready");
    assert!(server.stop("TERM").0.success());
    role.drop().await;
}
