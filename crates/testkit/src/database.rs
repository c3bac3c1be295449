//! A database of its own for each test.

use std::ops::Deref;

use passerelle_cluster::{PostgresEndpoint, random_hex};
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

use crate::scripts::Scripts;
use crate::server::servers;
use crate::template::{self, explained};

/// A database that belongs to one test and is dropped with this value.
#[derive(Debug)]
pub struct TestDb {
    name: String,
    server: PostgresEndpoint,
}

/// A connection of the superuser; derefs to the driver's client.
pub struct TestClient {
    client: Client,
    connection: JoinHandle<()>,
}

impl TestDb {
    /// An empty database.
    pub async fn empty() -> Self {
        Self::copy_of("template0").await
    }

    /// A database with `sql/platform` applied: roles, schemas and functions of the gateway.
    pub async fn platform() -> Self {
        let server = &servers().await.postgres;
        Self::copy_of(&template::ensure(server, "platform", &Scripts::platform()).await).await
    }

    /// A database with the platform and the application `sql/hub-lib`: tables, policies and seed.
    pub async fn hub_lib() -> Self {
        Self::application("hub-lib").await
    }

    /// A database with the platform and any application below `sql/`.
    pub async fn application(name: &str) -> Self {
        let server = &servers().await.postgres;
        let kind = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        Self::copy_of(&template::ensure(server, &kind, &Scripts::application(name)).await).await
    }

    /// An empty database after a script, which may have many statements.
    pub async fn with_sql(sql: &str) -> Self {
        let db = Self::empty().await;
        db.run(sql).await;
        db
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The connection URI of the superuser.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// The connection URI of `authenticator`, the role the gateway uses; it exists once the platform was applied.
    pub fn authenticator_url(&self) -> String {
        self.url_of("authenticator", &self.server.password)
    }

    /// The connection URI of any role.
    pub fn url_of(&self, role: &str, password: &str) -> String {
        self.server.url_for(role, password, &self.name)
    }

    /// A connection of the superuser.
    pub async fn client(&self) -> TestClient {
        TestClient::connect(&self.url()).await
    }

    /// Runs a script as the superuser.
    pub async fn run(&self, sql: &str) {
        let client = self.client().await;
        if let Err(error) = run_script(&client, sql).await {
            panic!("{}", explained(&error));
        }
    }

    async fn copy_of(template: &str) -> Self {
        let server = servers().await.postgres.clone();
        let name = format!("test_{}", random_hex(8).expect("the system has randomness"));
        let admin = TestClient::connect(&server.url("postgres")).await;
        admin
            .run(&format!("create database {name} template {template}"), &[])
            .await;
        Self { name, server }
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let url = self.server.url("postgres");
        let name = self.name.clone();
        // A destructor cannot wait on the test's runtime. What is not dropped here goes at the next run's start.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                runtime.block_on(drop_database(&url, &name));
            }
        });
        let _ = dropped.join();
    }
}

impl TestClient {
    /// Connects to any URI.
    pub async fn connect(url: &str) -> Self {
        let connected = tokio_postgres::connect(url, NoTls).await;
        let (client, connection) =
            connected.unwrap_or_else(|error| panic!("could not connect: {}", explained(&error)));
        let connection = tokio::spawn(async move {
            let _ = connection.await;
        });
        Self { client, connection }
    }

    /// Ends the connection and waits until it is closed.
    pub async fn close(self) {
        drop(self.client);
        let _ = self.connection.await;
    }

    pub(crate) async fn run(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) {
        if let Err(error) = self.client.execute(sql, parameters).await {
            panic!("{sql}: {}", explained(&error));
        }
    }
}

impl Deref for TestClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a script of many statements, in tests only"
)]
pub(crate) async fn run_script(client: &Client, sql: &str) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(sql).await
}

/// Drops the databases of test processes that were killed.
pub(crate) async fn drop_leftovers(server: &PostgresEndpoint) {
    let admin = TestClient::connect(&server.url("postgres")).await;
    let names = admin
        .query(
            "select datname::text from pg_database where datname like 'test\\_%'",
            &[],
        )
        .await;
    for row in names.expect("pg_database can be read") {
        let name: String = row.get(0);
        let _ = admin
            .execute(&format!("drop database if exists {name} with (force)"), &[])
            .await;
    }
}

async fn drop_database(url: &str, name: &str) {
    let Ok((client, connection)) = tokio_postgres::connect(url, NoTls).await else {
        return;
    };
    let connection = tokio::spawn(connection);
    let _ = client
        .execute(&format!("drop database if exists {name} with (force)"), &[])
        .await;
    drop(client);
    let _ = connection.await;
}
