use passerelle_cluster::{Durability, Postgres, PostgresSettings};
use passerelle_testkit::{TestClient, TestDb};
use passerelle_wire::{
    Connection, ConnectionSettings, Endpoint, Flight, Origin, Pool, PoolSettings, WireError,
};

use crate::support::{connect, database, plain, refused, scope};

pub(crate) async fn signed_in(url: &str) -> Result<String, WireError> {
    let endpoint = Endpoint::parse(url).expect("a valid URL");
    let mut connection = Connection::connect(&endpoint, &ConnectionSettings::default()).await?;
    let who = plain("select session_user || current_setting('application_name')");
    let result = connection
        .fly(&Flight::new(&who, &scope("postgres")))
        .await?;
    Ok(result.text(0, 0).expect("a name").to_owned())
}

/// A role of its own for one database of the shared server.
async fn role(db: &TestDb, encryption: &str) -> String {
    let role = format!("role_of_{}", db.name());
    db.run(&format!(
        "set password_encryption = '{encryption}'; create role {role} login password 'right'"
    ))
    .await;
    role
}

#[tokio::test]
async fn scram_needs_the_right_password() {
    let db = TestDb::empty().await;
    let role = role(&db, "scram-sha-256").await;
    let url = db.url_of(&role, "right");
    assert_eq!(signed_in(&url).await.unwrap(), role);
    let named = signed_in(&format!("{url}?application_name=%20app"))
        .await
        .unwrap();
    assert_eq!(named, format!("{role} app"));
    let error = refused(signed_in(&db.url_of(&role, "wrong")).await);
    assert_eq!(
        (error.origin, error.code.as_str()),
        (Origin::Startup, "28P01")
    );
    let without = db.url_of(&role, "right").replace(":right@", "@");
    assert!(matches!(signed_in(&without).await, Err(WireError::Auth(_))));
    db.run(&format!("drop role {role}")).await;
}

#[tokio::test]
async fn an_unknown_database_is_reported() {
    let db = TestDb::empty().await;
    let url = db.url().replace(db.name(), "no_such_database");
    assert_eq!(refused(signed_in(&url).await).code, "3D000");
}

#[tokio::test]
async fn hosts_are_tried_in_order() {
    let db = TestDb::empty().await;
    let (head, tail) = db
        .url()
        .split_once('@')
        .map(|(h, t)| (h.to_owned(), t.to_owned()))
        .unwrap();
    // Nothing listens on port 1.
    assert_eq!(
        signed_in(&format!("{head}@127.0.0.1:1,{tail}"))
            .await
            .unwrap(),
        "postgres"
    );
    let nowhere = signed_in(&format!("{head}@127.0.0.1:1/x")).await;
    assert!(matches!(nowhere, Err(WireError::Io(_))));
}

#[tokio::test]
async fn tls_is_refused_or_done_without_as_asked() {
    let db = TestDb::empty().await;
    let url = db.url();
    assert!(signed_in(&format!("{url}?sslmode=prefer")).await.is_ok());
    assert!(signed_in(&format!("{url}?sslmode=disable")).await.is_ok());
    for mode in ["require", "verify-ca", "verify-full"] {
        let result = signed_in(&format!("{url}?sslmode={mode}")).await;
        assert!(
            matches!(result, Err(WireError::Tls { source: None, .. })),
            "{mode}"
        );
    }
}

#[tokio::test]
async fn a_unix_socket_serves_as_well() {
    let db = TestDb::empty().await;
    let client = db.client().await;
    let row = client
        .query_one(
            "select current_setting('unix_socket_directories'), inet_server_port()",
            &[],
        )
        .await
        .unwrap();
    let (directory, port): (String, i32) = (row.get(0), row.get(1));
    let password = db
        .url()
        .split(':')
        .nth(2)
        .unwrap()
        .split('@')
        .next()
        .unwrap()
        .to_owned();
    let pairs = format!(
        "host={directory} port={port} user=postgres password={password} dbname={}",
        db.name()
    );
    assert_eq!(signed_in(&pairs).await.unwrap(), "postgres");
}

#[tokio::test]
async fn a_terminated_session_is_noticed() {
    let db = database().await;
    let mut connection = connect(&db).await;
    let mut other = connect(&db).await;
    let end = plain(&format!(
        "select pg_terminate_backend({}, 5000)",
        connection.process_id()
    ));
    other
        .fly(&Flight::new(&end, &scope("postgres")))
        .await
        .unwrap();
    let one = plain("select 1");
    let result = connection.fly(&Flight::new(&one, &scope("postgres"))).await;
    match result {
        Err(WireError::Server(error)) => assert_eq!(error.code, "57P01"),
        other => assert!(other.is_err_and(|error| error.is_connection_lost())),
    }
    assert!(!connection.is_usable());
}

/// A server of one test.
struct Private {
    server: Postgres,
    settings: PostgresSettings,
}

impl Private {
    async fn start(name: &str, parameters: &[(&str, &str)]) -> Self {
        let name = format!("wire-{name}-{}", std::process::id());
        let mut settings = PostgresSettings::new(std::env::temp_dir().join(name));
        settings.durability = Durability::Volatile;
        settings.parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let server = Postgres::start(&settings).await.expect("a private server");
        Self { server, settings }
    }

    fn url(&self) -> String {
        self.server.endpoint().url("postgres")
    }

    async fn remove(self) {
        let home = self.server.directory().path().to_owned();
        self.server.stop().await.expect("the server stops");
        std::fs::remove_dir_all(home).expect("the private server's directory");
    }
}

#[tokio::test]
async fn a_pool_outlives_a_restart_of_the_server() {
    let Private { server, settings } = Private::start("restart", &[]).await;
    let endpoint = Endpoint::parse(&server.endpoint().url("postgres")).unwrap();
    let pool = Pool::new(
        endpoint,
        PoolSettings {
            max_size: 2,
            ..PoolSettings::default()
        },
    );
    let (one, scope) = (plain("select 1"), scope("postgres"));
    let mut first = pool.acquire("postgres").await.unwrap();
    first.fly(&Flight::new(&one, &scope)).await.unwrap();
    let before = first.process_id();
    drop(first);
    server.stop().await.expect("the server stops");
    assert!(pool.acquire("postgres").await.is_err());
    assert_eq!(pool.status().size, 0);
    let server = Postgres::start(&settings)
        .await
        .expect("the server starts again");
    let mut second = pool.acquire("postgres").await.unwrap();
    second.fly(&Flight::new(&one, &scope)).await.unwrap();
    assert_ne!(second.process_id(), before);
    drop(second);
    Private { server, settings }.remove().await;
}

#[tokio::test]
async fn every_method_of_authentication_signs_in() {
    let rules = std::env::temp_dir().join(format!("wire-hba-{}", std::process::id()));
    let text = "host all md5 all md5\nhost all clear all password\nhost all trusted all trust\n\
                host all refused all reject\nhost all all all scram-sha-256\n";
    std::fs::write(&rules, text).unwrap();
    let hba_file = rules.display().to_string();
    let private = Private::start("methods", &[("hba_file", &hba_file)]).await;
    let client = TestClient::connect(&private.url()).await;
    for statement in [
        "create role clear login password 'right'",
        "create role trusted login",
        "create role refused login password 'right'",
        "set password_encryption = 'md5'",
        "create role md5 login password 'right'",
    ] {
        client.execute(statement, &[]).await.unwrap();
    }
    client.close().await;
    let url = |role: &str, password| {
        private
            .server
            .endpoint()
            .url_for(role, password, "postgres")
    };
    for role in ["md5", "clear", "trusted"] {
        assert_eq!(signed_in(&url(role, "right")).await.unwrap(), role);
    }
    for role in ["md5", "clear"] {
        assert_eq!(refused(signed_in(&url(role, "wrong")).await).code, "28P01");
    }
    assert_eq!(
        refused(signed_in(&url("refused", "right")).await).code,
        "28000"
    );
    let bound = format!("{}?channel_binding=require", url("md5", "right"));
    assert!(matches!(signed_in(&bound).await, Err(WireError::Auth(_))));
    private.remove().await;
    std::fs::remove_file(rules).unwrap();
}
